import Testing

@testable import CardSimulator

/// PIN commands and the online transactions of the purse.
struct PurseTests {
    static let key = Situation.key

    @Test func `a wrong MAC2 changes nothing and ends the transaction`() throws {
        var card = try Situation.loaded()
        let before = card.core.memory
        try card.good("805000020B01" + Situation.initialize + "10")
        #expect(try card.send("805200000B" + "20261123120000" + "00000000" + "04") == "9302")
        #expect(try card.send("805200000B" + "20261123120000" + "00000000" + "04") == "6901")
        #expect(card.core.memory == before)
    }

    @Test func `balance, sequence, log and proof change together`() throws {
        var card = try Situation.purse()
        try card.load(500, key: Self.key)
        let tac = try card.load(700, key: Self.key).hex
        #expect(try card.good("805C000204").hex == UInt32(1_200).bytes.hex)
        #expect(try card.good("00B201C417").hex.hasPrefix("0001" + "000000" + "000002BC" + "02"))
        #expect(try card.good("00B202C417").hex.hasPrefix("0000" + "000000" + "000001F4" + "02"))
        #expect(try card.good("805A000202000108").hex.suffix(8) == tac)
        #expect(try card.send("805A000202000008") == "9406")
        var options = FMCOSOptions()
        options.logsNextSequence = true
        var other = try purseCard(load: Self.key, tac: Self.key, options: options)
        try other.load(500, key: Self.key)
        #expect(try other.good("00B201C417").hex.hasPrefix("0001"))
    }

    @Test func `unload and overdraft limit follow their MACs`() throws {
        var card = try Situation.purse()
        try card.load(900, key: Self.key, type: 1)
        let moment = try hex("20261123130000")
        let terminal: [UInt8] = [9, 9, 9, 9, 9, 9]

        let unload = try card.good("805005010B01" + UInt32(300).bytes.hex + terminal.hex + "10")
        let session = try #require(
            PBOCKeys.session(Self.key, block: Array(unload[8..<12] + unload[4..<6]) + [0x80, 0]))
        let common = UInt32(300).bytes + [3] + terminal + moment
        let mac3 = try card.good("805403000B" + (moment + session.mac(common)).hex + "04")
        #expect(mac3 == session.mac(UInt32(600).bytes + unload[4..<6] + common))

        let limit = try card.good("8050040107" + "01" + terminal.hex + "13")
        #expect(limit.count == 19)
        let second = try #require(PBOCKeys.session(Self.key, block: Array(limit[11..<15] + limit[4..<6]) + [0x80, 0]))
        #expect(second.mac(limit[0..<4] + [0, 0, 0, 7] + terminal) == Array(limit[15...]))
        let change = [0, 0x03, 0xE8] + [7] + terminal + moment
        let tac = try card.good("805800000E" + ([0, 0x03, 0xE8] + moment + second.mac(change)).hex + "04")
        // The TAC key of two equal halves is zero: DES under 00…00.
        let zero = try #require(CardCipher([UInt8](repeating: 0, count: 8)))
        #expect(tac == zero.mac(UInt32(1_600).bytes + limit[4..<6] + change))
        #expect(try card.good("805C000104").hex == UInt32(1_600).bytes.hex)
        #expect(
            try card.good("805002010B01" + UInt32(1_600).bytes.hex + terminal.hex + "0F").prefix(4) == [0, 0, 6, 0x40])
        #expect(try card.send("805002010B01" + UInt32(1_601).bytes.hex + terminal.hex + "0F") == "9401")
    }

    @Test func `a PIN is changed by its owner, reloaded under 38 and unblocked under 37`() throws {
        var card = try IssuingTests.masterFile()
        try IssuingTests.application(&card, size: "0A00")
        let pin = "12345FFFFFFFFFFF"
        #expect(try card.send("805E01000D" + pin + "FF" + "87654321") == "9000")
        try card.good("002000000487654321")

        let reload = [UInt8](repeating: 0x38, count: 16)
        let mac = try #require(PBOCKeys.pinReload(reload)).mac(hex("112233"))
        #expect(try card.send("805E000007" + "112233" + "00000000") == "6988")
        try card.good("805E000007" + "112233" + mac.hex)
        for _ in 0..<3 { try card.send("0020000003445566") }
        #expect(try card.send("0020000003112233") == "6983")

        let unblock = [UInt8](repeating: 0x37, count: 16)
        #expect(try card.enciphered("84240000", hex("112233"), key: unblock, spoil: true) == "6988")
        #expect(try card.enciphered("84240000", hex("112233"), key: unblock) == "9000")
        try card.good("0020000003112233")
        #expect(try card.enciphered("84240000", hex("1122334455667788"), key: unblock) == "9000")
        try card.good("00200000081122334455667788")
        for _ in 0..<3 { #expect(try card.enciphered("84240000", hex("112233"), key: reload) == "6988") }
        #expect(try card.enciphered("84240000", hex("112233"), key: unblock) == "6983")
    }

    @Test func `a card knocked out between any two APDUs goes on from what it had`() throws {
        let script: [String] = [
            "80E03F000D38FFFFF0F001FFFFFFFFFFFFFF", "80E00000073F005001F0FFFF", "80D40100083AF0EF0133123456",
            "80E0000107280010F0F1FFFF", "0020000003123456", "00D68100020102",
        ]
        for cut in 0...script.count {
            var card = FMCOSCard(serial: [1, 1, 1, 1])
            for command in script.prefix(cut) { try card.good(command) }
            let kept = card.core.memory
            var again = FMCOSCard(memory: kept, options: FMCOSOptions(), random: .system)
            for (index, command) in script.enumerated() {
                // What is there already is refused; only an MF that is still empty may be made again.
                let done = index < cut && index < 4 && !(index == 0 && cut == 1)
                let answer = try again.send(command)
                #expect(answer == (done ? "6A86" : "9000"))
            }
            #expect(try again.good("00B0810002").hex == "0102")
        }
    }
}
