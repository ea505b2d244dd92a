import Testing

@testable import CardSimulator

/// Records, line protection and blocking on the user card.
struct FileTests {
    static let line = [UInt8](repeating: 0xFF, count: 8)

    @Test func `a cyclic file shows its newest record first and forgets the oldest`() throws {
        var card = try Situation.files()
        for value in 1...4 { try card.good("00E2003802AA0\(value)") }
        #expect(try card.good("00B2013C02").hex == "AA04")
        #expect(try card.good("00B2033C02").hex == "AA02")
        #expect(try card.send("00B2043C02") == "6A83")
        #expect(try card.send("00DC013C020000") == "6981")
        #expect(try card.send("00E20038030000FF") == "6700")
    }

    @Test func `fixed and variable records keep their order, their length rule and their room`() throws {
        var card = try Situation.files()
        try card.good("80E00008072A0203F0F0FFFF")
        try card.good("00E2004003010203")
        try card.good("00E2004003040506")
        #expect(try card.send("00E2004003070809") == "6A84")
        #expect(try card.send("00DC0144020708") == "6700")
        try card.good("00DC014403070809")
        #expect(try card.good("00B2014403").hex == "070809")
        try card.good("80E00009072C000AF0F0FFFF")
        try card.good("00E200480411223344")
        try card.good("00E2004802AABB")
        #expect(try card.send("00E2004802CCDD") == "6A84")
        try card.good("00DC014C01EE")
        try card.good("00E2004802CCDD")
        #expect(try card.good("00B2034C00").hex == "CCDD")
    }

    @Test(arguments: ["A8", "68", "E8"]) func `a protected file takes only what its type asks for`(_ type: String)
        throws
    {
        var card = try Situation.files()
        try card.good("80E0000A07\(type)0010F0F0FFFF")
        let data: [UInt8] = [1, 2, 3, 4, 5, 6, 7]
        #expect(try card.send("00D68A00" + "07" + data.hex) == "6987")
        switch type {
        case "A8":
            #expect(try card.sealed("04D68A00", data, key: Self.line) == "9000")
        case "68":
            let cipher = try cipherOf(data, key: Self.line)
            #expect(cipher.count == 8)
            try card.good("04D68A00" + "08" + cipher.hex)
        default:
            #expect(try card.enciphered("04D68A00", data, key: Self.line) == "9000")
            #expect(try card.sealed("04D68A00", data, key: Self.line) == "6700")
            #expect(try card.sealed("04D68A00", [1, 2, 3, 4, 5, 6, 7, 8], key: Self.line) == "6A80")
        }
        #expect(try card.good("00B08A0007") == data)
    }

    @Test func `a protected read answers enciphered and with a MAC of the same challenge`() throws {
        var card = try Situation.files()
        try card.good("80E0000B07E80008F0F07FFF".replacingFF())
        #expect(try card.send("00B08B0008") == "6987")
        let answer = try hex(try card.sealed("04B08B00", [], key: Self.line, le: "08"))
        #expect(answer.count == 16 + 4 + 2)
        let cipher = try #require(CardCipher(Self.line))
        #expect(cipher.decrypt(Array(answer.prefix(16))).hex == "08" + "0000000000000000" + "80000000000000")
        #expect(try card.sealed("04B08B00", [], key: Self.line, le: "08", spoil: true) == "6988")
    }

    @Test func `the published line MACs are taken by a card with those keys`() throws {
        // klks/fmcos-python examples/test_mac.py: keys FF and 36, challenges 44A47DEB and A3BBCFC8.
        for (key, challenge, command, mac) in [
            ("FF", "44A47DEB", "04D600001411223344556677889900AABBCCDDEEFF", "F2F62231"),
            (
                "36", "A3BBCFC8", "04D695002200012200" + "0001FFFF01010000220000000000000620160101205012310000",
                "96E32EF1"
            ),
        ] {
            var card = FMCOSCard(serial: [0, 0, 0, 9], random: .scripted(try hex(challenge)))
            try card.good("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF")
            try card.good("80E00000073F005001F0FFFF")
            try card.good("80D401001536F0F0FF33" + String(repeating: key, count: 16))
            try card.good("80E0001507A8001EF0F0FFFF")
            try card.good("0084000004")
            try card.good(command + mac)
        }
    }

    @Test func `the third wrong line MAC locks the application for ever`() throws {
        var card = try Situation.files()
        for _ in 0..<2 { #expect(try card.sealed("04D68600", [1], key: Situation.key) == "6988") }
        #expect(try card.sealed("04D68600", [1], key: Self.line) == "9000")
        for _ in 0..<2 { #expect(try card.sealed("04D68600", [1], key: Situation.key) == "6988") }
        #expect(try card.sealed("04D68600", [1], key: Situation.key) == "9303")
        card.reset()
        #expect(try card.sealed("04D68600", [1], key: Self.line) == "9303")
    }

    @Test func `an application blocks for a time or for ever, and a card for ever`() throws {
        var card = try Situation.files()
        #expect(try card.sealed("841E0000", [], key: Self.line) == "9000")
        #expect(try card.send("00B0850001") == "6A81")
        #expect(try card.sealed("84180000", [], key: Self.line) == "9000")
        try card.good("00B0850001")
        #expect(try card.sealed("84180000", [], key: Self.line) == "6985")
        var dead = card
        #expect(try dead.sealed("84160000", [], key: Self.line) == "9000")
        #expect(try dead.send("00A40000023F00") == "6A81")
        #expect(try card.sealed("841E0001", [], key: Self.line) == "9000")
        #expect(try card.send("00A40000023F00") == "9303")
    }
}

extension String {
    /// Byte 7 of CREATE FILE with bit 8 clear: reading is line-protected too.
    fileprivate func replacingFF() -> String { String(dropLast(4)) + "FF7F" }
}
