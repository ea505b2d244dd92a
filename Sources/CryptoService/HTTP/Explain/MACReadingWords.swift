import HSMBridge
import KMS

/// A reading of a MAC in words: what is different from what was asked, and nothing else.
enum MACReadingWords {
    /// Empty where nothing is different.
    static func words(_ reading: MACReading, _ asked: ExplainMAC, _ keys: [StoredKey]) -> String {
        var parts: [String] = []
        if reading.algorithm != asked.algorithm.reading {
            parts.append("\(name(reading.algorithm)) instead of \(name(asked.algorithm.reading))")
        }
        let padsItself = reading.algorithm == .cmac || reading.algorithm == .unionPayECB
        if reading.padding != asked.padding, !padsItself {
            parts.append("\(name(reading.padding)) instead of \(name(asked.padding))")
        }
        for part in [
            name(reading.vector), name(reading.data), name(reading.form), name(reading.diversification),
            name(reading.mac),
        ] {
            if let part { parts.append(part) }
        }
        if reading.key != 0, keys.indices.contains(Int(reading.key)) {
            parts.append("under version \(keys[Int(reading.key)].identity.versionText)")
        }
        return parts.joined(separator: ", ")
    }

    static func sentence(_ words: [String]) -> String {
        guard let nearest = words.first else { return "No other reading of the request has this MAC." }
        if nearest.isEmpty { return "The MAC is right as it was asked." }
        return "The MAC would have matched with \(nearest)."
    }

    private static func name(_ algorithm: MACReading.Algorithm) -> String {
        switch algorithm {
        case .algorithm1: "ISO 9797-1 algorithm 1"
        case .algorithm3: "ISO 9797-1 algorithm 3"
        case .cmac: "CMAC"
        case .unionPayECB: "UnionPay's ECB MAC"
        case .algorithm1LeftHalf: "algorithm 1 with the left half of the key alone (single DES)"
        }
    }

    private static func name(_ padding: MACPadding) -> String {
        switch padding {
        case .none: "no padding"
        case .method1: "padding method 1"
        case .method2: "padding method 2"
        case .method3: "padding method 3"
        }
    }

    private static func name(_ vector: MACReading.Vector) -> String? {
        switch vector {
        case .asGiven: nil
        case .zeros: "an initial vector of zeros"
        case .ones: "an initial vector of FF bytes"
        }
    }

    private static func name(_ data: MACReading.Data) -> String? {
        switch data {
        case .asGiven: nil
        case .bytesReversed: "the data from right to left"
        case .hexadecimalCapitals: "the data as hexadecimal text in capitals instead of as bytes"
        case .hexadecimalSmall: "the data as hexadecimal text in small letters instead of as bytes"
        case .decodedDigits: "the bytes that the data's hexadecimal text stands for"
        case .blocksReversed: "each block of eight data bytes from right to left"
        }
    }

    private static func name(_ form: MACReading.KeyForm) -> String? {
        switch form {
        case .whole: nil
        case .halvesXored: "the key's halves xored, as for a TAC"
        case .halvesSwapped: "the key's halves swapped"
        }
    }

    private static func name(_ diversification: MACReading.Diversification) -> String? {
        switch diversification {
        case .asGiven: nil
        case .withoutLast: "the key diversified without the last factor"
        case .firstOnly: "the key diversified by the first factor only"
        case .lastOnly: "the key diversified by the last factor only"
        case .none: "the key not diversified"
        case .complemented: "the key diversified by the inverted factors"
        case .bytesReversed: "the bytes of the factors from right to left"
        case .orderReversed: "the factors in the other order"
        }
    }

    private static func name(_ mac: MACReading.MAC) -> String? {
        switch mac {
        case .left: nil
        case .right: "the right bytes of the last block as the MAC"
        case .leftReversed: "the bytes of the MAC from right to left"
        }
    }
}
