/// Keys that everybody knows: what blank cards come with, and the examples of manuals and standards (facts/domain.md 2.9).
///
/// They are public values, so they may stand in the code; a card or a key store that still has one is open to anyone.
enum KnownVendorKeys {
    struct Entry: Sendable {
        let name: String
        let value: [UInt8]
    }

    /// The entry's name, comparing whole values in constant time; `key` has odd parity if parity is to be ignored.
    static func name(of key: borrowing SecretBytes, ignoringParity: Bool) throws(PrimitiveError) -> String? {
        for entry in all where entry.value.count == key.count {
            let value = ignoringParity ? entry.value.map(DESParity.odd) : entry.value
            if key.withBytes({ bytes in ConstantTime.equal(bytes, value.span) }) { return entry.name }
        }
        return nil
    }

    static let all: [Entry] =
        [
            Entry(name: "blank card, FF", value: filled(0xFF, 8)),
            Entry(name: "blank card, FF", value: filled(0xFF, 16)),
            Entry(name: "zeros", value: filled(0, 8)), Entry(name: "zeros", value: filled(0, 16)),
            Entry(name: "zeros", value: filled(0, 24)), Entry(name: "zeros", value: filled(0, 32)),
            Entry(name: "Watchdata TimeCOS transport key", value: Array("WATCHDATATimeCOS".utf8)),
            Entry(name: "Tianyu COS 1.0 transport key", value: Array("ABCSXSQTTYCOS1.0".utf8)),
            Entry(name: "Yinengda transport key", value: Array(0x01...0x08) + Array(0x11...0x18)),
            Entry(name: "GlobalPlatform default key", value: Array(0x40...0x4F)),
            Entry(name: "test key 0011…FF", value: (0...15).map { UInt8($0 * 0x11) }),
            Entry(name: "test key 0123…3210", value: counted + counted.reversed().map { $0 << 4 | $0 >> 4 }),
            Entry(name: "test key 0123456789ABCDEF", value: counted),
            Entry(name: "test key 0123…CDEF twice", value: counted + counted),
        ] + manual

    /// The FMCOS manual's examples: the key type in every byte, and 3E or 3F with 01.
    private static let manual: [Entry] =
        [UInt8(0x30), 0x34, 0x36, 0x37, 0x38, 0x39, 0x3C, 0x3D, 0x3E, 0x3F].flatMap { type in
            [
                Entry(name: "FMCOS manual example", value: filled(type, 16)),
                Entry(name: "FMCOS manual example", value: filled(type, 8)),
            ]
        }
        + [UInt8(0x3E), 0x3F].flatMap { type in
            [UInt8(0x01), 0x02].map { index in
                Entry(name: "FMCOS manual example", value: (0..<16).map { $0 % 2 == 0 ? type : index })
            }
        }

    private static let counted: [UInt8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]

    private static func filled(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }
}
