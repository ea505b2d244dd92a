import Testing

@testable import CardSimulator

/// The issuing example of the FMCOS manual, chapter 2 (domain.md §2.6), as a transcript.
struct IssuingTests {
    static let master = [UInt8](repeating: 0xFF, count: 16)
    static let line = [UInt8](repeating: 0x36, count: 16)

    /// MF with its keys and the directory record.
    static func masterFile() throws -> FMCOSCard {
        var card = FMCOSCard(serial: [0x20, 0, 0, 1], random: .seeded(SplitMix64(seed: 3)))
        try card.good("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF")
        try card.good("80E00000073F005001F0FFFF")
        try card.good("80D401000D36F0F0FF33FFFFFFFFFFFFFFFF")
        try card.good("80D401001539F0F0AA33" + master.hex)
        try card.good("80E00001072A0213F000FFFF")
        try card.good("00E200081361114F09A00000000386980701500450424F43")
        return card
    }

    static func application(_ card: inout FMCOSCard, size: String) throws {
        try card.good("80E03F011138\(size)F0F095FFFFA00000000386980701")
        try card.good("00A4040009A00000000386980701")
        try card.good("80E00000073F018F95F0FFFF")
        for (type, tail) in [("34", "0001"), ("36", "FF33"), ("37", "FF33"), ("38", "FF33"), ("39", "4433")] {
            let value = String(repeating: type, count: 16)
            try card.good("80D4010015\(type)F002\(tail)\(value)")
        }
        for (type, tail) in [("3E", "0001"), ("3F", "0001"), ("3D", "0100"), ("3C", "0100")] {
            for id in ["01", "02"] {
                try card.good("80D401\(id)15\(type)F002\(tail)" + String(repeating: type + id, count: 8))
            }
        }
        try card.good("80D401000D3AF0EF013312345FFFFFFFFFFF")
        try card.good("80E0001507A8001EF0F0FFFF")
        try card.good("80E0001607A80027F0F0FFFF")
    }

    @Test func `the manual's card can be issued when its application is large enough`() throws {
        var card = try Self.masterFile()
        try Self.application(&card, size: "0A00")
        try card.good("80E00017072805DCF0F0FFFF")
        try card.good("80E00018072E0A17F1EFFFFF")
        try card.good("80E00001072F0208F100FF18")
        try card.good("80E00002072F0208F000FF18")

        let holder = (0..<30).map { UInt8($0) }
        #expect(try card.sealed("04D69500", holder, key: Self.line) == "9000")
        #expect(try card.good("00B095001E") == holder)
        let information = try card.good("00A4040009A00000000386980701")
        #expect(information.hex == "6F2E8409A00000000386980701A5219F0C1E" + holder.hex)
        try card.good("00A40000023F00")
        #expect(try card.good("00B2010C13").hex == "61114F09A00000000386980701500450424F43")

        try card.good("00A40000023F01")
        try card.good("002000000812345FFFFFFFFFFF")
        #expect(try card.good("805C000104").hex == "00000000")
    }

    @Test func `the manual's own size is too small for its photo file`() throws {
        var card = try Self.masterFile()
        try Self.application(&card, size: "036F")
        #expect(try card.send("80E00017072805DCF0F0FFFF") == "6A84")
    }

    @Test func `application keys change only after the MF's master key was proved`() throws {
        var card = try Self.masterFile()
        try Self.application(&card, size: "0A00")
        let update = "80D4360015" + "36F002FF33" + String(repeating: "99", count: 16)
        #expect(try card.send(update) == "6982")
        try card.good("00A40000023F00")
        #expect(try card.authenticate("00", key: Self.master) == "9000")
        #expect(card.core.session.masterState == 0x0A)
        try card.good("00A40000023F01")
        try card.good(update)
        #expect(try card.sealed("04D69500", [1], key: Self.line) == "6988")
        #expect(try card.sealed("04D69500", [1], key: [UInt8](repeating: 0x99, count: 16)) == "9000")
    }

    @Test func `a key with both bits set changes only enciphered, and protects its own change`() throws {
        var card = try Self.masterFile()
        let (first, second) = (Self.master, Array(UInt8(0x10)...0x1F))
        let change = try hex("F9F0F0AA33") + second
        #expect(try card.enciphered("84D43900", change, key: first, spoil: true) == "6988")
        #expect(try card.enciphered("84D43900", change, key: first) == "9000")
        #expect(try card.send("80D43900" + "15" + change.hex) == "6987")
        #expect(try card.sealed("84D43900", change, key: second) == "6987")
        #expect(try card.enciphered("84D43900", change, key: first) == "6988")
        #expect(try card.enciphered("84D4F900", try hex("39F0F0AA33") + first, key: second) == "9000")
        try card.good("80D43900" + "15" + "39F0F0AA33" + second.hex)
    }

    @Test func `a key can be added plain with MAC and enciphered with MAC`() throws {
        var card = try Self.masterFile()
        let key = try hex("30F0F00100") + [1, 2, 3, 4, 5, 6, 7, 8]
        #expect(try card.sealed("84D40101", key, key: Self.master) == "9000")
        #expect(try card.send("80D401010D" + key.hex) == "6A86")
        #expect(try card.enciphered("84D40102", key, key: Self.master) == "9000")
        #expect(card.core.directory.keyFile?.keys.map(\.value.bytes.count) == [8, 16, 8, 8])
        #expect(try card.send("80D401030D" + key.hex) == "6A84")
    }

    @Test func `the first application key needs the MF's protection only by option`() throws {
        for protects in [false, true] {
            var options = FMCOSOptions()
            options.masterFileKeyProtectsFirstKey = protects
            var card = FMCOSCard(serial: [1, 1, 1, 1], options: options, random: .seeded(SplitMix64(seed: 1)))
            try card.good("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF")
            try card.good("80E00000073F005001F0FFFF")
            try card.good("80D401001539F0F0AA33" + Self.master.hex)
            try card.good("80E0DF0110380200F0F095FFFF" + "0102030405060708")
            try card.good("00A4000002DF01")
            try card.good("80E00000073F010095F0FFFF")
            let key = try hex("39F0F0AA33") + Self.line
            #expect(try card.enciphered("84D40100", key, key: Self.master) == (protects ? "9000" : "6A88"))
        }
    }

    @Test func `ERASE DF empties the card so that the MF can be made anew`() throws {
        var card = try Self.masterFile()
        try card.good("800E000000")
        #expect(try card.send("00A4000002" + "0001") == "6A82")
        #expect(try card.send("80E03F000D38FFFFF0F00112FFFFFFFFFFFF") == "6982")
        try card.good("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF")
        var locked = FMCOSCard(serial: [0, 0, 0, 0])
        try locked.good("80E03F000D38FFFFF0EF01FFFFFFFFFFFFFF")
        #expect(try locked.send("800E000000") == "6982")
    }

    @Test func `keys and applications are added only with the right that was given at creation`() throws {
        var card = FMCOSCard(serial: [0, 0, 0, 3], random: .seeded(SplitMix64(seed: 8)))
        try card.good("80E03F000D38FFFFF0EF01FFFFFFFFFFFFFF")
        try card.good("80E00000073F00F001AAFFFF")
        #expect(try card.send("80D401001539F0F0AA33" + Self.master.hex) == "6982")

        var strict = FMCOSCard(serial: [0, 0, 0, 4], random: .seeded(SplitMix64(seed: 8)))
        try strict.good("80E03F000D38FFFFAAEF01FFFFFFFFFFFFFF")
        let application = "80E0DF0110380200F0F095FFFF" + "0102030405060708"
        #expect(try strict.send(application) == "6982")
        #expect(try strict.send("80E0000507280010F0F0FFFF") == "6982")
        strict.core.session.masterState = 0x0A
        try strict.good(application)
        strict.core.session.masterState = 0x0B
        #expect(try strict.send("80E0000507280010F0F0FFFF") == "6982")
    }
}
