public import NIOCore

/// YV: check an application cryptogram of a PBOC or EMV card, make the response, or both, with everything said in the request.
/// Answer YW: the response, 8 bytes (method 1) or 4 (method 2), where one was asked for.
///
/// master key | derivation 1 (`A`, `B`) | session key 1 (`P` PBOC, `C` EMV common, `M` Mastercard, `N` none) | padding 1 (`1`, `2`) |
/// number of digits 2 | PAN | sequence number 2 | ATC 2 B | unpredictable number 4 B | task 1 (`0` check, `1`, `2` check and
/// respond by method 1, 2; `3`, `4` respond only) | [tasks 0 to 2: length 4 hexadecimal digits | data] | cryptogram 8 B |
/// [response code 2 B, or CSU 4 B | number of bytes 1 | bytes]. An SM4 key calculates with SM4 (session keys `P` and `N` only).
public struct CardCryptogramRequest: HostCommand {
    public typealias Reply = BytesReply
    public static let code = HostCommandCode.cardCryptogram
    public static let longestData = 255

    public var key: HostKeyReference
    public var derivation: Derivation
    public var session: Session
    public var padding: Padding
    public var account: CardAccount
    public var counter: UInt16
    public var unpredictable: UInt32
    public var task: CryptogramTask
    /// What the card signed, at most 255 bytes; empty where nothing is checked.
    public var data: ByteBuffer
    public var cryptogram: UInt64
    public var response: CryptogramAnswer?

    public enum Derivation: UInt8, Sendable, Hashable, CaseIterable {
        case optionA = 0x41
        case optionB = 0x42
    }

    public enum Session: UInt8, Sendable, Hashable, CaseIterable {
        case pboc = 0x50  // P
        case common = 0x43  // C
        case mastercard = 0x4D  // M
        case none = 0x4E  // N
    }

    public enum Padding: UInt8, Sendable, Hashable, CaseIterable {
        /// Zeros where needed.
        case method1 = 0x31
        /// `80` and zeros, always.
        case method2 = 0x32
    }

    /// Without data nothing is checked; without response none is made.
    public init(
        key: HostKeyReference, derivation: Derivation = .optionA, session: Session, padding: Padding = .method2,
        account: CardAccount, counter: UInt16, unpredictable: UInt32 = 0, data: ByteBuffer?, cryptogram: UInt64,
        response: CryptogramAnswer? = nil
    ) {
        self.key = key
        self.derivation = derivation
        self.session = session
        self.padding = padding
        self.account = account
        self.counter = counter
        self.unpredictable = unpredictable
        task = data == nil ? .respond : response == nil ? .verify : .verifyAndRespond
        self.data = data ?? ByteBuffer()
        self.cryptogram = cryptogram
        self.response = response
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.key(.key)
        derivation = try reader.choice(.scheme, .keyTypeCode)
        session = try reader.choice(.scheme, .keyLengthFlag)
        padding = try reader.choice(.padding, .paddingMethod)
        account = try CardAccount(&reader)
        counter = try reader.integer(.sequence)
        unpredictable = try reader.integer(.random)
        let number = try reader.byte(.mode, .keyLengthForAlgorithm)
        switch number {
        case 0x30: task = .verify
        case 0x31, 0x32: task = .verifyAndRespond
        case 0x33, 0x34: task = .respond
        default: throw FieldError(.keyLengthForAlgorithm, in: .mode)
        }
        data = ByteBuffer()
        if task.verifies {
            let count = Int(try reader.hexadecimal(digits: 4, .length, .messageLength))
            guard (1...Self.longestData).contains(count) else { throw FieldError(.dataLength, in: .length) }
            data = try reader.slice(count, .data, .dataLength)
        }
        cryptogram = try reader.integer(.mac)
        switch number {
        case 0x31, 0x33: response = .method1(code: try reader.integer(.response))
        case 0x32, 0x34: response = try reader.statusUpdate()
        default: break
        }
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeKey(key)
        buffer.writeInteger(derivation.rawValue)
        buffer.writeInteger(session.rawValue)
        buffer.writeInteger(padding.rawValue)
        account.write(into: &buffer)
        buffer.writeInteger(counter)
        buffer.writeInteger(unpredictable)
        switch (task, response) {
        case (.verify, _): buffer.writeString("0")
        case (.verifyAndRespond, .method2): buffer.writeString("2")
        case (.verifyAndRespond, _): buffer.writeString("1")
        case (.respond, .method2): buffer.writeString("4")
        case (.respond, _): buffer.writeString("3")
        }
        if task.verifies {
            buffer.writeHexadecimal(UInt64(data.readableBytes), digits: 4)
            buffer.writeBytes(of: data)
        }
        buffer.writeInteger(cryptogram)
        if let response { buffer.writeAnswer(response) }
    }
}

/// A card's number: PAN of 1 to 19 digits and sequence number.
///
/// number of digits 2 | PAN | sequence number 2.
public struct CardAccount: Sendable, Hashable {
    public let number: String
    /// 0 to 99.
    public let sequence: Int

    /// Throws 22 for a PAN that is not 1 to 19 digits or a sequence number of more than two.
    public init(number: String, sequence: Int) throws(FieldError) {
        guard (1...19).contains(number.utf8.count), number.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            (0...99).contains(sequence)
        else { throw FieldError(.accountNumber, in: .account) }
        self.number = number
        self.sequence = sequence
    }

    init(_ reader: inout FieldReader) throws(FieldError) {
        let count = try reader.decimal(digits: 2, .account)
        guard (1...19).contains(count) else { throw FieldError(.accountNumber, in: .account) }
        let number = try reader.digits(count, .account)
        try self.init(number: number, sequence: try reader.decimal(digits: 2, .account))
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeDecimal(number.utf8.count, digits: 2)
        buffer.writeString(number)
        buffer.writeDecimal(sequence, digits: 2)
    }

    /// PAN and sequence number, two digits a byte, a zero at the left where their number is odd: EMV Book 2 A1.4.2.
    public var digits: [UInt8] {
        let text = number + (sequence < 10 ? "0\(sequence)" : "\(sequence)")
        let even = Array((text.utf8.count.isMultiple(of: 2) ? text : "0" + text).utf8)
        return stride(from: 0, to: even.count, by: 2).map { (even[$0] - 0x30) << 4 | (even[$0 + 1] - 0x30) }
    }

    /// The right 16 of these digits, zeros at the left: EMV Book 2 A1.4.1.
    public var rightDigits: UInt64 { digits.suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
