import Testing

@testable import CardSimulator

struct PSAMTests {
    static let cardMaster = Array(UInt8(0x10)...0x1F)
    static let appMaster = Array(UInt8(0x20)...0x2F)
    static let maintenance = Array(UInt8(0x30)...0x3F)
    static let purchase = Array(UInt8(0x40)...0x4F)
    static let terminal = "000000000123"

    /// A PSAM issued in the order of domain.md §2.10, with a two-level purchase key of version 1 and algorithm 01.
    static func issued(options: PSAMOptions = PSAMOptions()) throws -> PSAMCard {
        var card = PSAMCard(serial: [0x50, 0, 0, 1], options: options, random: .seeded(SplitMix64(seed: 11)))
        #expect(try card.loadKey("000000", cardMaster.hex, under: PSAMCard.vendorKey) == "9000")
        #expect(try card.authenticate("00", key: cardMaster) == "9000")
        #expect(try card.loadKey("010000", maintenance.hex, under: cardMaster) == "9000")
        try card.good("80E0001507A8000EF0F0FFFF")
        try card.good("80E0001607A80006F0F0FFFF")
        #expect(
            try card.sealed("04D69500", try hex("3301030100000000000105010101"), key: maintenance) == "9000")
        #expect(try card.sealed("04D69600", try hex(terminal), key: maintenance) == "9000")
        try card.good("80E0DF01113804000F0F97FFFFA00000000386980701")
        try card.good("00A4000002DF01")
        try card.good("80E00000073F010095F0FFFF")
        #expect(try card.loadKey("000000", appMaster.hex, under: cardMaster) == "9000")
        #expect(try card.loadKey("010000", maintenance.hex, under: appMaster) == "9000")
        #expect(try card.loadKey("420101", purchase.hex, under: appMaster) == "9000")
        #expect(try card.loadKey("480100", purchase.hex, under: appMaster) == "9000")
        try card.good("80E0001707A80019F0F0FFFF")
        try card.good("80E00019072800" + "04" + "F0EFFFFF")
        return card
    }

    @Test func `a blank creates nothing before its vendor key was proved, and washing replaces that key`() throws {
        var card = PSAMCard(serial: [0x50, 0, 0, 2], random: .seeded(SplitMix64(seed: 2)))
        #expect(try card.send("80E0001507A8000EF0F0FFFF") == "6982")
        #expect(try card.authenticate("00", key: Self.cardMaster) == "63C2")
        #expect(try card.authenticate("00", key: PSAMCard.vendorKey) == "9000")
        try card.good("80E0001507A8000EF0F0FFFF")
        #expect(try card.loadKey("000000", Self.cardMaster.hex, under: PSAMCard.vendorKey) == "9000")
        #expect(try card.loadKey("000000", Self.appMaster.hex, under: PSAMCard.vendorKey) == "6988")
        #expect(try card.authenticate("00", key: PSAMCard.vendorKey) == "63C1")
        #expect(try card.authenticate("00", key: Self.cardMaster) == "9000")
        #expect(try card.send("008200000800") == "6700")
    }

    @Test func `an erased PSAM keeps its card master key and can be issued again`() throws {
        var card = try Self.issued()
        try card.good("00A40000023F00")
        card.reset()
        #expect(try card.send("800E000000") == "6982")
        #expect(try card.authenticate("00", key: Self.cardMaster) == "9000")
        try card.good("800E000000")
        #expect(try card.send("00A4000002DF01") == "6A82")
        #expect(try card.send("00A40000020015") == "6A82")
        #expect(try card.sealed("84160000", [], key: Self.maintenance) == "6A88")
        #expect(try card.authenticate("00", key: Self.cardMaster) == "9000")
    }

    @Test func `a TAC master key of usage 15 loads, whatever the card does with it`() throws {
        var card = try Self.issued()
        #expect(try card.loadKey("150100", Self.purchase.hex, under: Self.appMaster) == "9000")
        #expect(try card.send("801A1501") == "6985")
    }

    @Test func `a challenge works once, and only for the next command`() throws {
        var card = PSAMCard(serial: [0x50, 0, 0, 2], random: .scripted([1, 2, 3, 4]))
        let cryptogram = try #require(CardCipher(PSAMCard.vendorKey)).encrypt([1, 2, 3, 4, 0, 0, 0, 0]).hex
        #expect(try card.send("0082000008" + cryptogram) == "6984")
        try card.good("0084000004")
        try card.good("80F6000304")
        #expect(try card.send("0082000008" + cryptogram) == "6984")
        card.core.random = .scripted([1, 2, 3, 4])
        try card.good("0084000004")
        try card.good("0082000008" + cryptogram)
        #expect(try card.send("0082000008" + cryptogram) == "6984")
    }

    @Test func `three wrong MACs or authentications block the master key for ever`() throws {
        var card = PSAMCard(serial: [0x50, 0, 0, 2], random: .seeded(SplitMix64(seed: 2)))
        #expect(try card.loadKey("010000", Self.purchase.hex, under: Self.cardMaster) == "6988")
        card.reset()
        #expect(try card.authenticate("00", key: PSAMCard.vendorKey, spoil: true) == "63C1")
        #expect(try card.authenticate("00", key: PSAMCard.vendorKey, spoil: true) == "63C0")
        card.reset()
        #expect(try card.authenticate("00", key: PSAMCard.vendorKey) == "6983")
        #expect(try card.loadKey("010000", Self.purchase.hex, under: PSAMCard.vendorKey) == "6983")
    }

    @Test func `each key loads only under its controlling key`() throws {
        var card = try Self.issued()
        #expect(try card.loadKey("420201", Self.purchase.hex, under: Self.cardMaster) == "6982")
        #expect(try card.loadKey("000000", Self.purchase.hex, under: Self.appMaster) == "6982")
        #expect(try card.loadKey("420201", Self.purchase.hex, under: Self.purchase) == "6988")
        #expect(try card.loadKey("420201", Self.purchase.hex, under: Self.appMaster) == "9000")
        #expect(try card.loadKey("420204", Self.purchase.hex, under: Self.appMaster) == "6A80")
        #expect(try card.loadKey("420201", Self.purchase.hex, under: Self.appMaster, spoil: true) == "6988")
        #expect(try card.send("80D400001C" + String(repeating: "00", count: 28)) == "6987")
        // The application master key is replaced under the card's; afterwards the old one controls nothing.
        #expect(try card.loadKey("000100", Self.purchase.hex, under: Self.cardMaster) == "9000")
        #expect(try card.loadKey("420301", Self.purchase.hex, under: Self.appMaster) == "6988")
        #expect(try card.loadKey("420301", Self.purchase.hex, under: Self.purchase) == "9000")
    }

    @Test func `a file of the PSAM changes only under its maintenance key`() throws {
        var card = try Self.issued()
        #expect(try card.send("00D6970001" + "01") == "6987")
        #expect(try card.sealed("04D69700", [1], key: Self.appMaster) == "6988")
        #expect(try card.sealed("04D69700", [1], key: Self.maintenance) == "9000")
        #expect(try card.send("00D69900" + "04" + "00000000") == "6982")
        for _ in 0..<2 { #expect(try card.sealed("04D69700", [1], key: Self.appMaster) == "6988") }
        #expect(try card.sealed("04D69700", [1], key: Self.appMaster) == "9303")
        #expect(try card.send("00B0970019") == "9303")
        #expect(try card.send("00A4000002DF01") == "9303")
    }

    // MARK: Purchase with a user card

    static let serialNumber = "1122334455667788"
    static let region = "B1B1BEA9B1B1BEA9"

    static func userCard(_ order: PSAMOptions.FactorOrder = .asListed) throws -> FMCOSCard {
        let factors = try [hex(serialNumber), hex(region)]
        let key = try (order == .asListed ? factors : factors.reversed()).reduce(purchase) {
            try #require(PBOCKeys.diversify($0, by: $1))
        }
        var card = try purseCard(load: maintenance, tac: appMaster, purchase: key)
        for index in 0...2 {
            let place = try #require(card.place([0x3D, 0x3E, 0x3F][index], 1))
            var key = card.core.key(place)
            key.attribute = 1
            card.core.setKey(place, key)
        }
        try card.load(10_000, key: maintenance)
        return card
    }

    /// INITIALIZE at the user card and at the PSAM; gives the PSAM's answer in hex and the debit command for the card.
    static func initialize(
        _ user: inout FMCOSCard, _ psam: inout PSAMCard, amount: UInt32, factors: String? = nil
    ) throws -> (answer: String, debit: String) {
        let start = try user.good("805001020B01" + amount.bytes.hex + terminal + "0F")
        let moment = "20261123121500"
        let data = start[11...15 - 1].map { $0 } + start[4..<6] + amount.bytes + [6] + (try hex(moment)) + start[9..<11]
        let body = data.hex + (factors ?? serialNumber + region)
        let answer = try psam.send("80700000" + [UInt8(body.count / 2)].hex + body + "08")
        return (answer, "805401000F" + answer.prefix(8) + moment + answer.dropFirst(8).prefix(8) + "08")
    }

    @Test(arguments: [PSAMOptions.FactorOrder.asListed, .lastFirst])
    func `a user card and a PSAM agree on a purchase`(_ order: PSAMOptions.FactorOrder) throws {
        var options = PSAMOptions()
        options.factorOrder = order
        var psam = try Self.issued(options: options)
        var user = try Self.userCard(order)
        for round in UInt32(0)..<3 {
            let (answer, debit) = try Self.initialize(&user, &psam, amount: 850)
            #expect(answer.hasPrefix(round.bytes.hex) && answer.hasSuffix("9000"))
            let result = try user.good(debit).hex
            try psam.good("8072000004" + result.suffix(8))
        }
        #expect(try user.good("805C000204").hex == UInt32(10_000 - 2_550).bytes.hex)
        #expect(try psam.good("00B0990004").hex == "00000003")
        #expect(try user.good("00B201C417").hex.hasPrefix("0002" + "000000" + "00000352" + "06" + Self.terminal))
    }

    @Test func `a torn debit can be proved afterwards`() throws {
        var psam = try Self.issued()
        var user = try Self.userCard()
        let (_, debit) = try Self.initialize(&user, &psam, amount: 100)
        let lost = try user.good(debit).hex
        user.reset()
        try user.good("00A40000023F01")
        let proof = try user.good("805A000602000008").hex
        #expect(proof == lost.suffix(8) + lost.prefix(8))
        #expect(try user.send("805A000602000108") == "9406")
        #expect(try user.send("805A000202000008") == "9406")
    }

    @Test func `the wrong factor order, a replayed debit and another amount are refused`() throws {
        var psam = try Self.issued()
        var user = try Self.userCard()
        let (_, wrong) = try Self.initialize(&user, &psam, amount: 100, factors: Self.region + Self.serialNumber)
        #expect(try user.send(wrong) == "9302")
        let (_, debit) = try Self.initialize(&user, &psam, amount: 100)
        try user.good(debit)
        #expect(try user.send(debit) == "6901")
        let (_, cheap) = try Self.initialize(&user, &psam, amount: 100)
        _ = try user.send("805001020B01" + UInt32(101).bytes.hex + Self.terminal)
        #expect(try user.send(cheap) == "9302")
        #expect(try user.good("805C000204").hex == UInt32(9_900).bytes.hex)
    }

    @Test func `CREDIT must follow INIT, and fifteen wrong MAC2 kill the key`() throws {
        var psam = try Self.issued()
        var user = try Self.userCard()
        #expect(try psam.send("807200000400000000") == "6901")
        let (_, debit) = try Self.initialize(&user, &psam, amount: 100)
        let mac2 = try user.good(debit).hex.suffix(8)
        try psam.good("80F6000304")
        #expect(try psam.send("8072000004" + mac2) == "6901")
        for round in 1...15 {
            _ = try Self.initialize(&user, &psam, amount: 1)
            #expect(try psam.send("807200000400000000") == (round < 15 ? "9302" : "9303"))
        }
        #expect(try Self.initialize(&user, &psam, amount: 1).answer == "9303")
        #expect(try psam.loadKey("420101", Self.purchase.hex, under: Self.appMaster) == "9000")
        let (_, again) = try Self.initialize(&user, &psam, amount: 1)
        try psam.good("8072000004" + (try user.good(again).hex.suffix(8)))
    }

    @Test func `a right MAC2 restores the counter`() throws {
        var psam = try Self.issued()
        var user = try Self.userCard()
        for _ in 0..<3 {
            for _ in 0..<14 {
                _ = try Self.initialize(&user, &psam, amount: 1)
                #expect(try psam.send("807200000400000000") == "9302")
            }
            let (_, debit) = try Self.initialize(&user, &psam, amount: 1)
            try psam.good("8072000004" + (try user.good(debit).hex.suffix(8)))
        }
    }

    @Test func `INIT SAM refuses unknown keys, wrong lengths and missing files`() throws {
        var psam = try Self.issued()
        let head = "00000000" + "0000" + "00000064" + "06" + "20261123121500"
        #expect(try psam.send("8070000024" + head + "0100" + Self.serialNumber + Self.region + "08") == "9403")
        #expect(try psam.send("8070000024" + head + "0201" + Self.serialNumber + Self.region + "08") == "9403")
        #expect(try psam.send("807000001C" + head + "0101" + Self.serialNumber + "08") == "6700")
        #expect(try psam.send("8070000024" + head + "0101" + Self.serialNumber + Self.region + "04") == "6C08")
        #expect(try psam.good("00B0990004").hex == "00000000")
        try psam.good("00A40000023F00")
        #expect(try psam.send("8070000024" + head + "0101" + Self.serialNumber + Self.region + "08") == "9403")

        var full = try Self.issued()
        let index = try #require(full.core.directory.files.firstIndex { $0.identifier == 0x19 })
        full.core.directory.files[index].contents = .binary(Octets([0xFF, 0xFF, 0xFF, 0xFF]))
        #expect(try full.send("8070000024" + head + "0101" + Self.serialNumber + Self.region + "08") == "9402")
        full.core.directory.files.remove(at: index)
        #expect(try full.send("8070000024" + head + "0101" + Self.serialNumber + Self.region + "08") == "6985")

        var options = PSAMOptions()
        options.needsAuthorisation = true
        var locked = try Self.issued(options: options)
        let command = "8070000024" + head + "0101" + Self.serialNumber + Self.region + "08"
        #expect(try locked.send(command) == "6982")
        #expect(try locked.authenticate("00", key: Self.appMaster) == "9000")
        #expect(try locked.send(command).hasSuffix("9000"))
    }

    // MARK: Derived keys

    @Test func `derived keys encipher and make MACs in one command or several`() throws {
        var psam = try Self.issued()
        let derived = try [hex(Self.serialNumber), hex(Self.region)].reduce(Self.purchase) {
            try #require(PBOCKeys.diversify($0, by: $1))
        }
        let cipher = try #require(CardCipher(derived))
        #expect(try psam.send("80FA000008" + Self.region) == "6985")
        #expect(try psam.send("801A480108" + Self.region) == "6700")
        #expect(try psam.send("801A680110" + Self.serialNumber + Self.region) == "6A88")
        #expect(try psam.send("801A420110" + Self.serialNumber + Self.region) == "6985")
        try psam.good("801A480110" + Self.serialNumber + Self.region)
        #expect(
            try psam.good("80FA000010" + Self.serialNumber + Self.region)
                == cipher.encrypt(hex(Self.serialNumber + Self.region)))

        let iv = "5D72B3FD00000000"
        let data = "04D6960005" + "AABBCC"
        let mac = try cipher.mac(hex(data), iv: hex(iv))
        #expect(try psam.good("80FA050018" + iv + data + "8000000000000000") == mac)
        try psam.good("80FA070010" + iv + data)
        #expect(try psam.good("80FA010008" + "8000000000000000") == mac)
        #expect(try psam.send("80FA010008" + "8000000000000000") == "6901")
        #expect(try psam.send("80FA090008" + "8000000000000000") == "6A86")
        try psam.good("00A4000002DF01")
        #expect(try psam.send("80FA000008" + Self.region) == "6985")
    }

    @Test func `a MAC key does not encipher and an encryption key makes no MAC`() throws {
        var psam = try Self.issued()
        #expect(try psam.loadKey("060100", Self.purchase.hex, under: Self.appMaster) == "9000")
        #expect(try psam.loadKey("070100", Self.purchase.hex, under: Self.appMaster) == "9000")
        #expect(try psam.loadKey("0F0100", Self.purchase.hex, under: Self.appMaster) == "9000")
        try psam.good("801A0601")
        #expect(try psam.send("80FA000008" + Self.region) == "6981")
        try psam.good("801A0701")
        #expect(try psam.send("80FA050010" + Self.region + Self.region) == "6981")
        #expect(
            try psam.good("0088000108" + Self.region) == #require(CardCipher(Self.purchase)).encrypt(hex(Self.region)))
        #expect(try psam.send("0088000208" + Self.region) == "6A88")
    }
}
