public import NIOCore

/// KQ: check a cryptogram of an EMV 3.x card, make the response, or both. Answer KR: the response, 8 bytes, where one was asked for.
///
/// mode 1 (`0` check, `1` check and respond, `2` respond, `3` and `4` as `0` and `1`, and check a MAC over issuer discretionary
/// data) | scheme 1 (`0` Visa, `1` M/Chip) | master key | [modes 3, 4: key of the MAC] | PAN and sequence number, right 16 digits, 8 B |
/// ATC 2 B | unpredictable number 4 B | [not mode 2: length 2 hexadecimal digits | data | `;`] | cryptogram 8 B | [modes 1, 2, 4:
/// response code 2 B] | [modes 3, 4: MAC 4 B | length 2 hexadecimal digits | data]. Codes: 04 mode, 05 scheme, 03 modes 3 and 4 with
/// another scheme than 0, 80 data length, 81 no data, 82 length of the issuer data.
public struct EMV3CryptogramRequest: HostCommand {
    public typealias Reply = BytesReply
    public static let code = HostCommandCode.emv3Cryptogram

    public var task: CryptogramTask
    public var scheme: Scheme
    public var key: HostKeyReference
    /// Right 16 digits of PAN and sequence number, two a byte.
    public var account: UInt64
    public var counter: UInt16
    public var unpredictable: UInt32
    /// What the card signed, at most 255 bytes; empty where nothing is checked.
    public var data: ByteBuffer
    public var cryptogram: UInt64
    /// Nil where no response is asked for.
    public var responseCode: UInt16?
    public var issuerData: IssuerData?

    public enum Scheme: UInt8, Sendable, Hashable, CaseIterable {
        /// Cryptogram version 10: the card's key itself, data filled up with zeros.
        case visa = 0x30
        /// Mastercard session key; data filled up with `80`; response under the card's key.
        case mChip
    }

    /// A MAC in the issuer discretionary data.
    public struct IssuerData: Sendable {
        public var key: HostKeyReference
        public var mac: UInt32
        public var data: ByteBuffer

        public init(key: HostKeyReference, mac: UInt32, data: ByteBuffer) {
            self.key = key
            self.mac = mac
            self.data = data
        }
    }

    /// Without data nothing is checked; without response code none is made.
    public init(
        scheme: Scheme, key: HostKeyReference, account: UInt64, counter: UInt16, unpredictable: UInt32,
        data: ByteBuffer?, cryptogram: UInt64, responseCode: UInt16? = nil, issuerData: IssuerData? = nil
    ) {
        task = data == nil ? .respond : responseCode == nil ? .verify : .verifyAndRespond
        self.scheme = scheme
        self.key = key
        self.account = account
        self.counter = counter
        self.unpredictable = unpredictable
        self.data = data ?? ByteBuffer()
        self.cryptogram = cryptogram
        self.responseCode = responseCode
        self.issuerData = data == nil ? nil : issuerData
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let mode = try reader.byte(.mode, .keyTypeCode)
        switch mode {
        case 0x30, 0x33: task = .verify
        case 0x31, 0x34: task = .verifyAndRespond
        case 0x32: task = .respond
        default: throw FieldError(.keyTypeCode, in: .mode)
        }
        let hasIssuerData = mode > 0x32
        scheme = try reader.choice(.scheme, .keyLengthFlag)
        guard !hasIssuerData || scheme == .visa else { throw FieldError(.inputFormat, in: .scheme) }
        key = try reader.key(.key)
        let issuerKey = hasIssuerData ? try reader.key(.issuerDataKey) : nil
        account = try reader.integer(.account)
        counter = try reader.integer(.sequence)
        unpredictable = try reader.integer(.random)
        data = task.verifies ? try reader.transactionData() : ByteBuffer()
        cryptogram = try reader.integer(.mac)
        responseCode = task.responds ? try reader.integer(.response) : nil
        guard let issuerKey else { return }
        let mac: UInt32 = try reader.integer(.mac)
        let count = Int(try reader.hexadecimal(digits: 2, .length, .checkValueLength))
        guard count > 0 else { throw FieldError(.checkValueLength, in: .length) }
        issuerData = IssuerData(key: issuerKey, mac: mac, data: try reader.slice(count, .data, .checkValueLength))
    }

    public func write(into buffer: inout ByteBuffer) {
        let mode: UInt8 =
            switch task {
            case .verify: issuerData == nil ? 0x30 : 0x33
            case .verifyAndRespond: issuerData == nil ? 0x31 : 0x34
            case .respond: 0x32
            }
        buffer.writeInteger(mode)
        buffer.writeInteger(scheme.rawValue)
        buffer.writeKey(key)
        if let issuerData { buffer.writeKey(issuerData.key) }
        buffer.writeInteger(account)
        buffer.writeInteger(counter)
        buffer.writeInteger(unpredictable)
        if task.verifies { buffer.writeTransactionData(data) }
        buffer.writeInteger(cryptogram)
        if let responseCode { buffer.writeInteger(responseCode) }
        guard let issuerData else { return }
        buffer.writeInteger(issuerData.mac)
        buffer.writeHexadecimal(UInt64(issuerData.data.readableBytes), digits: 2)
        buffer.writeBytes(of: issuerData.data)
    }
}
