import Testing

@testable import CardSimulator

/// Published transcripts, played against a card whose random numbers are the published ones.
struct VectorTests {
    let psam: [String: Vector]
    let edep: [String: Vector]

    init() throws {
        psam = try Vector.file("psam_fmcos.json")
        edep = try Vector.file("pboc_edep.json")
    }

    @Test func `the PSAM takes the published key load and keeps the published key`() throws {
        let cipher = try psam.named("psam.key.cipher")
        let mac = try psam.named("psam.key.mac")
        let challenge = Array(try mac.bytes("iv").prefix(4))
        var card = PSAMCard(serial: [1, 2, 3, 4], vendorKey: try cipher.bytes("kek"), random: .scripted(challenge))
        #expect(try card.good("0084000004") == challenge)
        try card.good("84D400001C" + cipher.expect + mac.expect)
        let place = try #require(card.core.place(in: 0) { $0.kind == 0x22 && $0.id == 0 })
        #expect(card.core.key(place).value.bytes == (try cipher.bytes("key")))
    }

    @Test func `a flipped bit anywhere in the published key load is refused`() throws {
        let cipher = try psam.named("psam.key.cipher")
        let mac = try psam.named("psam.key.mac")
        let challenge = Array(try mac.bytes("iv").prefix(4))
        let apdu = try hex("84D400001C" + cipher.expect + mac.expect)
        for bit in stride(from: 40, to: apdu.count * 8, by: 7) {
            var card = PSAMCard(serial: [1, 2, 3, 4], vendorKey: try cipher.bytes("kek"), random: .scripted(challenge))
            try card.good("0084000004")
            var spoilt = apdu
            spoilt[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(card.respond(to: spoilt).hex == "6988")
        }
    }

    @Test func `an FMCOS card with master key FF takes the published F9 key and turns it into a 39 key`() throws {
        let script = try hex("4C45BAB9C0B3549C")
        var card = FMCOSCard(serial: [0, 0, 0, 1], random: .scripted(script))
        try card.good("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF")
        try card.good("80E00000073F005001F0FFFF")
        try card.good("80D401000D39F0F0AA33FFFFFFFFFFFFFFFF")
        for (add, mac, kind) in [
            ("fmcos.key.add.cipher", "fmcos.key.add.mac", UInt8(0xF9)),
            ("fmcos.key.f9to39.cipher", "fmcos.key.f9to39.mac", UInt8(0x39)),
        ] {
            let (enciphered, protected) = (try psam.named(add), try psam.named(mac))
            #expect(try card.good("0084000004") == Array(try protected.bytes("iv").prefix(4)))
            try card.good(try protected.bytes("data").hex + protected.expect)
            #expect(try protected.bytes("data").suffix(16) == hex(enciphered.expect)[...])
            let place = try #require(card.place(0x39, 2))
            #expect(card.core.key(place).kind == kind)
            #expect(card.core.key(place).value.bytes.hex == "1122334455667788")
        }
    }

    @Test func `authentications answer as in the manual`() throws {
        let external = try psam.named("fmcos.extauth")
        let `internal` = try psam.named("fmcos.intauth")
        let mac = try psam.named("fmcos.intauth.mac")
        var card = FMCOSCard(serial: [0, 0, 0, 1], random: .scripted(try external.bytes("rand")))
        try card.good("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF")
        try card.good("80E00000073F00F001F0FFFF")
        try card.good("80D401000D39F0F00533" + external.bytes("key").hex)
        try card.good("80D401010D30F0F00100" + `internal`.bytes("key").hex)
        try card.good("80D401010D31F0F00100" + `internal`.bytes("key").hex)
        try card.good("80D401010D32F0F00100" + mac.bytes("key").hex)
        try card.good("0084000004")
        try card.good("0082000008" + external.expect)
        #expect(card.core.state == 5)
        let data = try `internal`.bytes("data").hex
        #expect(try card.good("0088000108" + data).hex == `internal`.expect)
        #expect(try card.good("0088010108" + `internal`.expect).hex == data)
        #expect(try card.good("0088020108" + mac.bytes("data").hex).hex == mac.expect)
    }

    @Test func `the retail MAC is the one of another implementation`() throws {
        let vector = try psam.named("watch.mac")
        let cipher = try #require(CardCipher(try vector.bytes("key")))
        #expect(cipher.mac(try vector.bytes("data"), iv: try vector.bytes("iv")).hex == vector.expect)
    }

    @Test func `diversification follows the published values, one level and two`() throws {
        let vectors = try Vector.file("diversification.json")
        for id in ["pboc.3des.1", "pboc.3des.2"] {
            let vector = try vectors.named(id)
            #expect(PBOCKeys.diversify(try vector.bytes("mk"), by: try vector.bytes("x"))?.hex == vector.expect)
        }
        let two = try vectors.named("pboc.3des.2level")
        let key = try two.lists("factors").reduce(try two.bytes("mk")) { try #require(PBOCKeys.diversify($0, by: $1)) }
        #expect(key.hex == two.expect)
    }

    @Test(arguments: ["A", "B1", "C"]) func `a load goes as in the published log`(_ log: String) throws {
        let session = try edep.named("\(log).load.sess")
        let mac1 = try edep.named("\(log).load.mac1")
        let mac2 = edep["\(log).load.mac2"]
        let tac = edep["\(log).load.tac"]
        let covered = try mac1.bytes("data").hex
        let (amount, type, terminal) = (
            covered.dropFirst(8).prefix(8), covered.dropFirst(16).prefix(2), covered.suffix(12)
        )
        var card = try purseCard(
            load: session.bytes("dlk"), tac: tac?.bytes("dtk") ?? session.bytes("dlk"), random: session.bytes("rand"))
        try card.good("0020000003123456")
        let answer = try card.good("805000\(type)0B01\(amount)\(terminal)10")
        #expect(answer.hex == "00000000" + "0000" + "0001" + session.in.text("rand") + mac1.expect)
        guard let mac2 else { return }
        let moment = try mac2.bytes("data").hex.suffix(14)
        let completed = try card.good("805200000B\(moment)\(mac2.expect)04")
        if let tac { #expect(completed.hex == tac.expect) }
        #expect(try card.good("805C00\(type)04").hex == amount)
        #expect(try card.good("00B201C417").hex == "0000000000\(amount)\(type)\(terminal)\(moment)")
    }

    @Test func `a purchase goes as in the published log`() throws {
        let session = try edep.named("B3.purchase.sess")
        let mac1 = try edep.named("B3.purchase.mac1")
        let covered = try mac1.bytes("data").hex
        var card = try purseCard(
            load: try hex("00112233445566778899AABBCCDDEEFF"), tac: try edep.named("B3.purchase.tac").bytes("dtk"),
            purchase: session.bytes("dpk"), random: hex("00000000") + session.bytes("rand"))
        try card.load(1, key: try hex("00112233445566778899AABBCCDDEEFF"))
        let answer = try card.good("805001020B01\(covered.prefix(8))\(covered.dropFirst(10).prefix(12))0F")
        #expect(answer.hex == "00000001" + "0000" + "000000" + "0001" + session.in.text("rand"))
        let completed = try card.good(
            "805401000F\(session.in.text("term_txn"))\(covered.suffix(14))\(mac1.expect)08")
        #expect(
            try completed.hex == edep.named("B3.purchase.tac").expect + edep.named("B3.purchase.mac2").expect)
    }
}

extension [String: Vector.Value] {
    func text(_ name: String) -> String {
        if case .text(let text) = self[name] { return text }
        return "?"
    }
}

/// An FMCOS application with PIN 123456, keys with id 01 and both purses.
func purseCard(
    load: [UInt8], tac: [UInt8], purchase: [UInt8] = [UInt8](repeating: 0x3E, count: 16), random: [UInt8] = [],
    options: FMCOSOptions = FMCOSOptions()
) throws -> FMCOSCard {
    let source = random.isEmpty ? CardRandom.seeded(SplitMix64(seed: 5)) : .scripted(random)
    var card = FMCOSCard(serial: [0, 0, 0, 2], options: options, random: source)
    try card.good("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF")
    try card.good("80E03F0111380400F0F095FFFFA00000000386980701")
    try card.good("00A4040009A00000000386980701")
    try card.good("80E00000073F018F95F0FFFF")
    try card.good("80D4010015" + "34F0F00001" + tac.hex)
    try card.good("80D4010115" + "3EF0F00001" + purchase.hex)
    try card.good("80D4010115" + "3FF0F00001" + load.hex)
    try card.good("80D4010115" + "3DF0F00001" + load.hex)
    try card.good("80D4010115" + "3CF0F00001" + load.hex)
    try card.good("80D4010008" + "3AF0EF0133" + "123456")
    try card.good("80E00018072E0A17F1EFFFFF")
    try card.good("80E00001072F0208F100FF18")
    try card.good("80E00002072F0208F000FF18")
    return card
}

extension FMCOSCard {
    /// Loads the purse (EP) with PIN and a right MAC2; gives the TAC.
    @discardableResult
    mutating func load(_ amount: UInt32, key: [UInt8], type: UInt8 = 2) throws -> [UInt8] {
        try good("0020000003123456")
        let common = amount.bytes + [type] + [9, 9, 9, 9, 9, 9]
        let answer = try good("805000" + [type].hex + "0B01" + amount.bytes.hex + "09090909090910")
        let session = try #require(PBOCKeys.session(key, block: Array(answer[8..<12] + answer[4..<6]) + [0x80, 0]))
        #expect(session.mac(answer[0..<4] + common) == Array(answer[12...]))
        let moment = try hex("20261123120000")
        return try good("805200000B" + (moment + session.mac(common + moment)).hex + "04")
    }
}
