/// The two characters that name a host command, kept as their two ASCII bytes in one big-endian number.
///
/// Source: facts of the payShield framing (docs/protocol.md §2). Any two bytes are carried, so that a server can answer
/// an unknown command under its own reply code.
public struct HostCommandCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The code written as text; nil unless it is exactly two printable ASCII characters.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 2, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        rawValue = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    }

    /// The code of the answer: the second letter advanced by one, so `A0` is answered by `A1` and `NC` by `ND`.
    public var reply: HostCommandCode {
        HostCommandCode(rawValue: (rawValue & 0xFF00) | ((rawValue & 0xFF) + 1) & 0xFF)
    }

    /// Stands for the command of a frame in which none could be read; its answer is `??`.
    public static let unreadable = HostCommandCode(ascii: "?>")

    public static let diagnostics = HostCommandCode(ascii: "NC")
    public static let echo = HostCommandCode(ascii: "B2")
    public static let randomValue = HostCommandCode(ascii: "N0")
    public static let checkValue = HostCommandCode(ascii: "BU")
    public static let generateKey = HostCommandCode(ascii: "A0")
    public static let importKey = HostCommandCode(ascii: "A6")
    public static let exportKey = HostCommandCode(ascii: "A8")
    public static let generateMAC = HostCommandCode(ascii: "M6")
    public static let verifyMAC = HostCommandCode(ascii: "M8")
    public static let authorizeLoad = HostCommandCode(ascii: "YL")
    public static let makePurchaseMAC = HostCommandCode(ascii: "YP")
    public static let checkPurchaseMAC = HostCommandCode(ascii: "YR")
    public static let verifyTAC = HostCommandCode(ascii: "YT")
    public static let verifyTACBatch = HostCommandCode(ascii: "YB")
    public static let diversifyKey = HostCommandCode(ascii: "YD")
}

extension HostCommandCode {
    init(ascii: StaticString) {
        var value: UInt16 = 0
        ascii.description.utf8.prefix(2).forEach { value = value << 8 | UInt16($0) }
        self.init(rawValue: value)
    }
}

// MARK: - CustomStringConvertible

extension HostCommandCode: CustomStringConvertible {
    /// The two characters, with `?` for a byte that is not printable: safe in a log line whatever came in.
    public var description: String {
        [UInt8(rawValue >> 8), UInt8(rawValue & 0xFF)].map { byte in
            (0x21...0x7E).contains(byte) ? String(UnicodeScalar(byte)) : "?"
        }.joined()
    }
}
