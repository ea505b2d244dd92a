/// A merchant (商户): who is paid for purchases.
public struct Merchant: Hashable, Sendable {
    /// 1 to 20 of A–Z, a–z, 0–9, `-`.
    public let number: String
    public let name: String
    public let rate: FeeRate

    /// Nil when the number or the name has a character or length that is not allowed.
    public init?(number: String, name: String, rate: FeeRate) {
        guard Self.isNumber(number), (1...60).contains(name.count),
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else { return nil }
        self.number = number
        self.name = name
        self.rate = rate
    }

    static func isNumber(_ text: String) -> Bool {
        (1...20).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2D
            }
    }
}

/// A terminal (终端) and the merchant that uses it.
public struct Terminal: Hashable, Sendable {
    /// 12 hexadecimal digits, upper case.
    public let number: String
    public let merchant: String
    /// The PSAM that sits in it, 20 hexadecimal digits; nil when it is not bound, then records may name any.
    public let psam: String?

    public init?(number: String, merchant: String, psam: String?) {
        guard let number = HexText.upper(number, digits: 12), Merchant.isNumber(merchant) else { return nil }
        var bound: String?
        if let psam {
            guard let text = HexText.upper(psam, digits: 20) else { return nil }
            bound = text
        }
        self.number = number
        self.merchant = merchant
        self.psam = bound
    }
}
