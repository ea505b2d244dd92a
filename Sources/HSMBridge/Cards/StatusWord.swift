/// The two bytes SW1 SW2 that end every card answer (状态字): ISO/IEC 7816-4 and, for 93xx and 94xx, the PBOC e-purse.
///
/// Source: domain.md §1.7 (FMCOS 2.0 user manual and a PSAM vendor's code).
public struct StatusWord: RawRepresentable, Sendable, Hashable {
    /// SW1 in the high byte, SW2 in the low byte.
    public var rawValue: UInt16

    /// Any two bytes are a status word; unknown ones have a meaning that says so.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// 9000.
    public static let success: StatusWord = 0x9000

    /// First byte: the class of the outcome.
    public var sw1: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) }
    /// Second byte: detail, often a count.
    public var sw2: UInt8 { UInt8(truncatingIfNeeded: rawValue) }

    /// Whether the card carried the command out (9000 only: warnings are for the caller to judge).
    public var isSuccess: Bool { rawValue == 0x9000 }

    /// Tries left of a PIN or key after a wrong one, from 63Cx.
    public var triesLeft: Int? { rawValue & 0xFFF0 == 0x63C0 ? Int(rawValue & 0x0F) : nil }

    /// Bytes that wait for GET RESPONSE, from 61xx (6100 = 256).
    var waitingBytes: Int? { sw1 == 0x61 ? (sw2 == 0 ? 256 : Int(sw2)) : nil }

    /// The Le that the card wants instead, from 6Cxx (6C00 = 256).
    var wantedLength: Int? { sw1 == 0x6C ? (sw2 == 0 ? 256 : Int(sw2)) : nil }

    /// What the card says, in plain English, for operators and journals.
    public var meaning: String {
        if let tries = triesLeft { return tries == 1 ? "wrong, 1 try left" : "wrong, \(tries) tries left" }
        if let bytes = waitingBytes { return "\(bytes) more bytes wait to be fetched" }
        if let length = wantedLength { return "wrong expected length, \(length) is right" }
        return Self.meanings[rawValue] ?? Self.classMeaning(sw1)
    }

    private static func classMeaning(_ sw1: UInt8) -> String {
        switch sw1 {
        case 0x62: "warning, nothing was changed"
        case 0x63: "warning, something was changed"
        case 0x64: "execution error, nothing was changed"
        case 0x65: "execution error, something may have been changed"
        default: "status not known to this program"
        }
    }

    private static let meanings: [UInt16: String] = [
        0x9000: "done",
        0x6281: "part of the returned data may be damaged or was never written",
        0x6283: "file locked or PIN check failed",
        0x6300: "authentication failed",
        0x6400: "execution error, nothing was changed",
        0x6581: "memory error while writing",
        0x6700: "wrong length",
        0x6900: "command not possible with this file or protection",
        0x6901: "card state does not allow this command",
        0x6981: "wrong kind of file or key for this command",
        0x6982: "security status not satisfied",
        0x6983: "authentication blocked, no tries left",
        0x6984: "random number or reference data not valid",
        0x6985: "conditions of use not satisfied",
        0x6986: "no current file",
        0x6987: "protected message has no MAC",
        0x6988: "MAC of the protected message is wrong",
        0x6A80: "error in the data field",
        0x6A81: "function not supported, or card or application locked",
        0x6A82: "file not found",
        0x6A83: "record not found",
        0x6A84: "not enough space in the file or card",
        0x6A86: "wrong P1 P2, or the file exists already",
        0x6A88: "key not found",
        0x6B00: "offset or P1 P2 outside the file",
        0x6D00: "instruction not supported",
        0x6E00: "class not supported",
        0x6F00: "error without further detail",
        0x9210: "not enough memory on the card",
        0x9220: "file exists already",
        0x9240: "memory problem on the card",
        0x9301: "not enough money",
        0x9302: "MAC wrong",
        0x9303: "application locked for ever",
        0x9400: "no file selected",
        0x9401: "balance too small",
        0x9402: "transaction counter is at its maximum",
        0x9403: "key index or version not supported",
        0x9404: "file or record not found",
        0x9406: "the MAC asked for is not available",
        0x9802: "no PIN or key is defined",
        0x9804: "PIN or authentication wrong",
        0x9810: "contradiction with the state of the PIN",
        0x9835: "no random number was asked for before",
        0x9840: "PIN or key blocked",
    ]
}

extension StatusWord: ExpressibleByIntegerLiteral {
    /// `0x6A82` reads as the status word 6A82.
    public init(integerLiteral value: UInt16) {
        rawValue = value
    }
}

extension StatusWord: CustomStringConvertible {
    /// Four hex digits and the meaning: `9302 (MAC wrong)`.
    public var description: String {
        let digits = String(rawValue, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits + " (\(meaning))"
    }
}
