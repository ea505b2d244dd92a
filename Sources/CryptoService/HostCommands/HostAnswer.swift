import CryptoClient
import HSMBridge
import NIOCore

/// How the module's answer to a command of the hot path reads.
enum AnswerShape {
    case bytes, checkValue, mac, verdict, load, purseMAC, verdicts
    /// Data that went through a cipher, to be given as bytes or as digits.
    case data, dataDigits
    /// Verdict on a cryptogram with the response to it; `filled` to eight bytes.
    case cryptogram, filledCryptogram, filledBytes
    case cardCode
    /// RSA; of a DigestInfo that the caller made, whose mistakes have codes of their own.
    case signature, digestInfoSignature, signatureVerdict, digestInfoVerdict

    static func signature(of method: SignatureMethod) -> AnswerShape {
        method.hash == .none ? .digestInfoSignature : .signature
    }

    static func signatureVerdict(of method: SignatureMethod) -> AnswerShape {
        method.hash == .none ? .digestInfoVerdict : .signatureVerdict
    }

    /// What a refusal of the module is called.
    func code(_ error: ModuleError) -> HostErrorCode {
        switch (self, error) {
        case (.digestInfoSignature, .parameterInvalid), (.digestInfoVerdict, .parameterInvalid): .digestInfo
        case (.digestInfoSignature, .algorithmNotPermitted), (.digestInfoVerdict, .algorithmNotPermitted):
            .hashObjectIdentifier
        default: ErrorTable.code(error)
        }
    }
}

/// An answer to a host command before it is written.
enum HostAnswer: Sendable {
    case refused(HostErrorCode)
    case done
    case bytes(ByteBuffer)
    /// A MAC or chaining value, given as digits.
    case mac(ByteBuffer)
    case purseMAC(UInt32)
    /// Three bytes, the low 24 bits.
    case checkValue(UInt32)
    /// One bit each, the first in the highest bit of the first byte; 1 = right.
    case verdicts(count: Int, bits: ByteBuffer)
    /// Indirect, as the next: they are rare and large, and every answer is moved about in the size of the largest.
    indirect case diagnostics(DiagnosticsReply)
    indirect case key(KeyReply)
    /// Any other typed answer.
    indirect case reply(any HostReplyFields)

    var isSuccess: Bool {
        if case .refused = self { false } else { true }
    }

    var code: HostErrorCode {
        if case .refused(let code) = self { code } else { .noError }
    }

    /// `00` and `01` as they stand on the wire.
    static var doneCode: UInt16 { 0x3030 }
    static var failedCode: UInt16 { 0x3031 }

    /// Reads a module's answer. What does not read is our fault or the module's, and never the client's.
    init(_ shape: AnswerShape, _ body: ByteBuffer) {
        var body = body
        self = Self.read(shape, &body) ?? .refused(.internalError)
    }

    private static func read(_ shape: AnswerShape, _ body: inout ByteBuffer) -> HostAnswer? {
        switch shape {
        case .bytes: return body.readField().map { .bytes($0) }
        case .mac: return body.readField().map { .mac($0) }
        case .checkValue: return body.readInteger(as: UInt32.self).map { .checkValue($0) }
        case .verdict: return body.readInteger(as: UInt8.self).map { $0 == 1 ? .done : .refused(.verificationFailed) }
        case .signature, .digestInfoSignature:
            return body.readField().map { .reply(SignatureReply(Array($0.readableBytesView))) }
        case .signatureVerdict, .digestInfoVerdict:
            return body.readInteger(as: UInt8.self).map { $0 == 1 ? .done : .refused(.signatureInvalid) }
        case .load:
            guard let isRight = body.readInteger(as: UInt8.self) else { return nil }
            guard isRight == 1 else { return .refused(.verificationFailed) }
            return body.readInteger(as: UInt32.self).map { .purseMAC($0) }
        case .purseMAC:
            guard var mac = body.readField(), mac.readableBytes == 4 else { return nil }
            return mac.readInteger(as: UInt32.self).map { .purseMAC($0) }
        case .verdicts:
            guard let count = body.readInteger(as: UInt32.self), let bits = body.readField(),
                bits.readableBytes == (Int(count) + 7) / 8
            else { return nil }
            return .verdicts(count: Int(count), bits: bits)
        case .cardCode:
            return body.readField().map { .reply(CardCodeReply(cardCode: String(buffer: $0))) }
        case .filledBytes: return body.readField().map { .bytes($0.filledUp) }
        case .cryptogram, .filledCryptogram:
            switch body.readInteger(as: UInt8.self) {
            case 0: return .refused(.verificationFailed)
            case 2: return .refused(.issuerDataMAC)
            case 1:
                guard let response = body.readField() else { return nil }
                if response.readableBytes == 0 { return .done }
                return .bytes(shape == .cryptogram ? response : response.filledUp)
            default: return nil
            }
        case .data, .dataDigits:
            guard let vector = body.readField(), let data = body.readField() else { return nil }
            let format: HostDataFormat = shape == .data ? .binary : .hexadecimal
            return .reply(
                CipheredDataReply(
                    nextVector: Array(vector.readableBytesView), data: Array(data.readableBytesView), format: format))
        }
    }

    /// Appends the answer to `request` as a frame.
    func write(for request: HostFrame, trailer: ByteBuffer?, into answers: inout HostAnswerWriter) {
        switch self {
        case .refused(let code): answers.refuse(request, code, trailer: trailer)
        case .done: answers.answer(request, with: EmptyReply(), trailer: trailer)
        case .bytes(let bytes): answers.answer(request, with: BytesReply(bytes), trailer: trailer)
        case .mac(let mac): answers.answer(request, with: MACReply(Array(mac.readableBytesView)), trailer: trailer)
        case .purseMAC(let mac): answers.answer(request, with: PurseMACReply(PurseMAC(mac)), trailer: trailer)
        case .checkValue(let value):
            let digits = KeyCheckValue(
                UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8),
                UInt8(truncatingIfNeeded: value))
            answers.answer(request, with: CheckValueReply(checkValue: digits.description), trailer: trailer)
        case .verdicts(let count, let bits):
            answers.answer(request, with: BytesReply(Self.digits(count, bits)), trailer: trailer)
        case .diagnostics(let reply): answers.answer(request, with: reply, trailer: trailer)
        case .key(let reply): answers.answer(request, with: reply, trailer: trailer)
        case .reply(let reply): answers.answer(request, with: reply, trailer: trailer)
        }
    }
}

extension HostAnswer {
    /// `TACBatchReply` as it stands on the wire (a test compares them): the number in four digits, then `0` for a right TAC and `1`
    /// for a wrong one. Written here in one piece, for there are up to 1,536.
    static func digits(_ count: Int, _ bits: ByteBuffer) -> ByteBuffer {
        var digits = ByteBuffer()
        digits.reserveCapacity(4 + count)
        for divisor in [1_000, 100, 10, 1] { digits.writeInteger(UInt8(0x30 + count / divisor % 10)) }
        let map = bits.readableBytesUInt8Span
        unsafe digits.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            for index in 0..<count {
                let isRight = map[index >> 3] >> UInt8(7 - index & 7) & 1
                unsafe room[index] = 0x31 - isRight
            }
            return count
        }
        return digits
    }
}

extension ByteBuffer {
    /// Zeros up to eight bytes.
    fileprivate var filledUp: ByteBuffer {
        var filled = self
        filled.writeRepeatingByte(0, count: max(0, 8 - readableBytes))
        return filled
    }

    /// A field of the bridge: length 4, then the bytes.
    fileprivate mutating func readField() -> ByteBuffer? {
        guard let length = readInteger(as: UInt32.self) else { return nil }
        return readSlice(length: Int(length))
    }
}
