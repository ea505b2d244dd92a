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

    // Computed, because a stored constant is checked for its first use at each comparison.

    /// Stands for the command of a frame in which none could be read; its answer is `??`.
    public static var unreadable: HostCommandCode { HostCommandCode(rawValue: 0x3F3E) }  // ?>

    public static var diagnostics: HostCommandCode { HostCommandCode(rawValue: 0x4E43) }  // NC
    public static var echo: HostCommandCode { HostCommandCode(rawValue: 0x4232) }  // B2
    public static var randomValue: HostCommandCode { HostCommandCode(rawValue: 0x4E30) }  // N0
    public static var checkValue: HostCommandCode { HostCommandCode(rawValue: 0x4255) }  // BU
    public static var generateKey: HostCommandCode { HostCommandCode(rawValue: 0x4130) }  // A0
    public static var importKey: HostCommandCode { HostCommandCode(rawValue: 0x4136) }  // A6
    public static var exportKey: HostCommandCode { HostCommandCode(rawValue: 0x4138) }  // A8
    public static var generateMAC: HostCommandCode { HostCommandCode(rawValue: 0x4D36) }  // M6
    public static var verifyMAC: HostCommandCode { HostCommandCode(rawValue: 0x4D38) }  // M8
    public static var authorizeLoad: HostCommandCode { HostCommandCode(rawValue: 0x594C) }  // YL
    public static var makePurchaseMAC: HostCommandCode { HostCommandCode(rawValue: 0x5950) }  // YP
    public static var checkPurchaseMAC: HostCommandCode { HostCommandCode(rawValue: 0x5952) }  // YR
    public static var verifyTAC: HostCommandCode { HostCommandCode(rawValue: 0x5954) }  // YT
    public static var verifyTACBatch: HostCommandCode { HostCommandCode(rawValue: 0x5942) }  // YB
    public static var encryptData: HostCommandCode { HostCommandCode(rawValue: 0x4D30) }  // M0
    public static var decryptData: HostCommandCode { HostCommandCode(rawValue: 0x4D32) }  // M2
    public static var translateData: HostCommandCode { HostCommandCode(rawValue: 0x4D34) }  // M4
    public static var oldMAC: HostCommandCode { HostCommandCode(rawValue: 0x4D53) }  // MS
    public static var generateCardCode: HostCommandCode { HostCommandCode(rawValue: 0x4357) }  // CW
    public static var verifyCardCode: HostCommandCode { HostCommandCode(rawValue: 0x4359) }  // CY
    public static var emv3Cryptogram: HostCommandCode { HostCommandCode(rawValue: 0x4B51) }  // KQ
    public static var emv4Cryptogram: HostCommandCode { HostCommandCode(rawValue: 0x4B57) }  // KW
    public static var cardCryptogram: HostCommandCode { HostCommandCode(rawValue: 0x5956) }  // YV
    public static var authorizeUnload: HostCommandCode { HostCommandCode(rawValue: 0x594E) }  // YN
    public static var checkUnloadMAC: HostCommandCode { HostCommandCode(rawValue: 0x5947) }  // YG
    public static var protectCommand: HostCommandCode { HostCommandCode(rawValue: 0x5949) }  // YI
    public static var generateUnionPayMAC: HostCommandCode { HostCommandCode(rawValue: 0x5930) }  // Y0
    public static var verifyUnionPayMAC: HostCommandCode { HostCommandCode(rawValue: 0x5932) }  // Y2
    public static var formKey: HostCommandCode { HostCommandCode(rawValue: 0x4134) }  // A4
    public static var translateScheme: HostCommandCode { HostCommandCode(rawValue: 0x4230) }  // B0
    public static var translateLMK: HostCommandCode { HostCommandCode(rawValue: 0x4257) }  // BW
    public static var diversifyKey: HostCommandCode { HostCommandCode(rawValue: 0x5944) }  // YD

    public static var hash: HostCommandCode { HostCommandCode(rawValue: 0x474D) }  // GM
    public static var generateKeyPair: HostCommandCode { HostCommandCode(rawValue: 0x4549) }  // EI
    public static var importPublicKey: HostCommandCode { HostCommandCode(rawValue: 0x454F) }  // EO
    public static var sign: HostCommandCode { HostCommandCode(rawValue: 0x4557) }  // EW
    public static var verifySignature: HostCommandCode { HostCommandCode(rawValue: 0x4559) }  // EY
    public static var status: HostCommandCode { HostCommandCode(rawValue: 0x4E4F) }  // NO
    public static var loading: HostCommandCode { HostCommandCode(rawValue: 0x4A32) }  // J2
    public static var volumes: HostCommandCode { HostCommandCode(rawValue: 0x4A34) }  // J4
    public static var healthCounts: HostCommandCode { HostCommandCode(rawValue: 0x4A38) }  // J8
    public static var health: HostCommandCode { HostCommandCode(rawValue: 0x4A4B) }  // JK
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
