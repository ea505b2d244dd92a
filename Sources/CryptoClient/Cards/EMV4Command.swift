public import NIOCore

/// KW: check a cryptogram of an EMV 4.x card with common session keys, make the response, or both. Answer KX: the response, 8 bytes,
/// where one was asked for; of method 2 the four bytes and four zeros.
///
/// mode 1 (`0` check, `1` check and respond by method 1, `2` respond by method 1, `3` and `4` the same by method 2) | scheme 1
/// (`2` card key by option A, `3` by option B; `0` and `1`, the session key trees of EMV 2000, are refused) | master key | scheme 2: PAN
/// and sequence number, right 16 digits, 8 B; scheme 3: number of bytes 2 | PAN and sequence number, zero at the left | `;` | ATC 2 B |
/// [modes 0, 1, 3: length 2 hexadecimal digits | data | `;`] | cryptogram 8 B | [modes 1, 2: response code 2 B] | [modes 3, 4: CSU
/// 4 B | number of bytes 1 | bytes]. Scheme 3 is from memory of the field's manuals. Codes: 04 mode, 05 scheme, 80, 81 data.
public struct EMV4CryptogramRequest: HostCommand {
    public typealias Reply = BytesReply
    public static let code = HostCommandCode.emv4Cryptogram

    public var task: CryptogramTask
    public var key: HostKeyReference
    public var account: Account
    public var counter: UInt16
    /// What the card signed, at most 255 bytes; empty where nothing is checked.
    public var data: ByteBuffer
    public var cryptogram: UInt64
    /// Nil where no response is asked for.
    public var response: CryptogramAnswer?

    /// PAN and sequence number, two digits a byte.
    public enum Account: Sendable, Hashable {
        /// The right 16 digits.
        case optionA(UInt64)
        /// All of them, a zero at the left where their number is odd; at most 11 bytes.
        case optionB([UInt8])
    }

    /// Without data nothing is checked; without response none is made.
    public init(
        key: HostKeyReference, account: Account, counter: UInt16, data: ByteBuffer?, cryptogram: UInt64,
        response: CryptogramAnswer? = nil
    ) {
        task = data == nil ? .respond : response == nil ? .verify : .verifyAndRespond
        self.key = key
        self.account = account
        self.counter = counter
        self.data = data ?? ByteBuffer()
        self.cryptogram = cryptogram
        self.response = response
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let mode = try reader.byte(.mode, .keyTypeCode)
        switch mode {
        case 0x30: task = .verify
        case 0x31, 0x33: task = .verifyAndRespond
        case 0x32, 0x34: task = .respond
        default: throw FieldError(.keyTypeCode, in: .mode)
        }
        let scheme = try reader.byte(.scheme, .keyLengthFlag)
        guard scheme == 0x32 || scheme == 0x33 else { throw FieldError(.keyLengthFlag, in: .scheme) }
        key = try reader.key(.key)
        if scheme == 0x32 {
            account = .optionA(try reader.integer(.account))
        } else {
            let count = try reader.decimal(digits: 2, .account)
            guard (1...11).contains(count) else { throw FieldError(.accountNumber, in: .account) }
            account = .optionB(Array(try reader.slice(count, .account).readableBytesView))
            guard reader.skip(UInt8(ascii: ";")) else { throw FieldError(.inputData, in: .account) }
        }
        counter = try reader.integer(.sequence)
        data = task.verifies ? try reader.transactionData() : ByteBuffer()
        cryptogram = try reader.integer(.mac)
        switch mode {
        case 0x31, 0x32: response = .method1(code: try reader.integer(.response))
        case 0x33, 0x34: response = try reader.statusUpdate()
        default: break
        }
    }

    public func write(into buffer: inout ByteBuffer) {
        switch (task, response) {
        case (.verify, _): buffer.writeString("0")
        case (.verifyAndRespond, .method2): buffer.writeString("3")
        case (.verifyAndRespond, _): buffer.writeString("1")
        case (.respond, .method2): buffer.writeString("4")
        case (.respond, _): buffer.writeString("2")
        }
        switch account {
        case .optionA(let digits):
            buffer.writeString("2")
            buffer.writeKey(key)
            buffer.writeInteger(digits)
        case .optionB(let digits):
            buffer.writeString("3")
            buffer.writeKey(key)
            buffer.writeDecimal(digits.count, digits: 2)
            buffer.writeBytes(digits)
            buffer.writeString(";")
        }
        buffer.writeInteger(counter)
        if task.verifies { buffer.writeTransactionData(data) }
        buffer.writeInteger(cryptogram)
        if let response { buffer.writeAnswer(response) }
    }
}
