import FoundationEssentials
import Testing

@testable import CardSimulator

/// A situation, a command in it, and the status word it must get.
struct Situation: Sendable, CustomTestStringConvertible {
    let name: String
    let command: String
    let expected: String
    let prepare: @Sendable () throws -> FMCOSCard

    init(_ name: String, _ command: String, _ expected: String, _ prepare: @escaping @Sendable () throws -> FMCOSCard) {
        (self.name, self.command, self.expected, self.prepare) = (name, command, expected, prepare)
    }

    var testDescription: String { "\(expected): \(name)" }

    static let key = [UInt8](repeating: 0x3F, count: 16)

    @Sendable static func purse() throws -> FMCOSCard { try purseCard(load: key, tac: key, purchase: key) }

    @Sendable static func loaded() throws -> FMCOSCard {
        var card = try purse()
        try card.load(1_000, key: key)
        return card
    }

    /// MF with line key 36, master key 39, and one file of each kind.
    @Sendable static func files() throws -> FMCOSCard {
        var card = try IssuingTests.masterFile()
        try card.good("80E0000507280010F0F0FFFF")
        try card.good("80E0000607A80010F0F0FFFF")
        try card.good("80E00007072E0302F0F0FFFF")
        return card
    }

    @Sendable static func blocked(_ kind: Directory.Block) throws -> FMCOSCard {
        var card = try purse()
        card.core.directory.block = kind
        return card
    }

    @Sendable static func purse(_ change: @Sendable (inout Purse) -> Void) throws -> FMCOSCard {
        var card = try loaded()
        let index = try #require(card.core.directory.files.firstIndex { $0.identifier == 2 })
        guard case .purse(var purse) = card.core.directory.files[index].contents else { return card }
        change(&purse)
        card.core.directory.files[index].contents = .purse(purse)
        return card
    }

    static let initialize = "00000064" + "090909090909"

    static let all: [Situation] = [
        Situation("a purchase", "805001020B01" + initialize + "0F", "9000", loaded),
        Situation("a blocked application selected", "00A40000023F01", "6283") { try blocked(.temporary) },
        Situation("a PIN of one byte", "002000000112", "6700", purse),
        Situation("Lc and data that do not fit", "00A4000003AA", "6700", purse),
        Situation("half an APDU", "00A4", "6700", purse),
        Situation("a debit without INIT", "805401000F" + String(repeating: "00", count: 15) + "08", "6901", loaded),
        Situation("a credit without INIT", "805200000B" + String(repeating: "00", count: 11) + "04", "6901", loaded),
        Situation("READ BINARY of a record file", "00B0870002", "6981", files),
        Situation("READ RECORD of a binary file", "00B2012C00", "6981", files),
        Situation("a load without PIN", "805000020B01" + initialize + "10", "6982", purse),
        Situation("the passbook without PIN", "805C000104", "6982", purse),
        Situation("a PIN without tries", "0020000003123456", "6983") {
            var card = try purse()
            for _ in 0..<3 { try card.send("0020000003654321") }
            return card
        },
        Situation("authentication without challenge", "008200000811223344556677" + "88", "6984", files),
        Situation("key data before there is an MF", "80D4010007", "6985") { FMCOSCard(serial: [1, 1, 1, 1]) },
        Situation("a load beyond four bytes", "805000020B01FFFFFFFF09090909090910", "6985", loaded),
        Situation("a plain write to a protected file", "00D686000101", "6987", files),
        Situation("a protected write with a wrong MAC", "04D68600050100000000", "6988") {
            var card = try files()
            try card.good("0084000004")
            return card
        },
        Situation("a needless MAC where the card refuses it", "04D68500050100000000", "6900") {
            var card = try files()
            card.core.refusesNeedlessProtection = true
            return card
        },
        Situation("a file type that is none", "80E0000907110010F0F0FFFF", "6A80", files),
        Situation("a PIN in a blocked application", "0020000003123456", "6A81") { try blocked(.temporary) },
        Situation(
            "an application inside an application", "80E03F02113801000F0F0FFFFF0102030405060708" + "09", "6A81", purse),
        Situation("a file that is not there", "00A40000020099", "6A82", purse),
        Situation("a record that is not there", "00B2013C02", "6A83", files),
        Situation("a write past the end", "00D6850F020102", "6A84", files),
        Situation("an application that is too large", "80E0DF09113840000F0F0FFFFF010203040506070809", "6A84", files),
        Situation("a file that exists", "80E0000507280010F0F0FFFF", "6A86", files),
        Situation("a transaction that is none", "805009020B01" + initialize, "6A86", loaded),
        Situation("a PIN that is not there", "0020000503123456", "6A88", purse),
        Situation("an offset behind the end", "00B0851001", "6B00", files),
        Situation("too long a read", "00B0850020", "6C10", files),
        Situation("a wrong Le", "805C000205", "6C04", purse),
        Situation("an unknown instruction", "00FF000000", "6D00", purse),
        Situation("a wrong class for the balance", "005C000204", "6E00", purse),
        Situation("a wrong MAC1", "805401000F" + String(repeating: "00", count: 15) + "08", "9302") {
            var card = try loaded()
            _ = try card.good("805001020B01" + initialize + "0F")
            return card
        },
        Situation("an application locked for ever", "805C000204", "9303") { try blocked(.permanent) },
        Situation("more than there is", "805001020B0100FFFFFF0909090909090F", "9401", loaded),
        Situation("the last sequence number", "805001020B01" + initialize + "0F", "9402") {
            try purse { $0.offlineSequence = .max }
        },
        Situation("a key index that is not there", "805001020B07" + initialize + "0F", "9403", loaded),
        Situation("a proof of nothing", "805A000602000008", "9406", loaded),
        Situation("a wrong PIN", "0020000003654321", "63C2", purse),
    ]
}

struct StatusWordTests {
    @Test(arguments: Situation.all) func `each situation has its status word`(_ situation: Situation) throws {
        var card = try situation.prepare()
        #expect(try String(card.send(situation.command).suffix(4)) == situation.expected)
    }

    @Test func `every status word of the card is reached`() throws {
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/CardSimulator/Cards/APDU.swift")
        let text = try String(contentsOf: source, encoding: .utf8)
        let declared = Set(text.split(separator: "Status(0x").dropFirst().map { String($0.prefix(2 + 2)) })
        #expect(declared.count > 30)
        let reached = Set(Situation.all.map(\.expected))
        let elsewhere: Set<String> = ["6581", "6100"]  // VPCDTests
        let missing = declared.filter { code in
            !reached.contains(code) && !elsewhere.contains(code)
                && !(code.hasSuffix("C0") && reached.contains { $0.hasPrefix("63C") })
                && !(code == "6C00" && reached.contains { $0.hasPrefix("6C") })
        }
        #expect(missing == [])
    }

    @Test func `no APDU makes a card fail`() throws {
        var random = SplitMix64(seed: 99)
        var user = try Situation.loaded()
        var psam = try PSAMTests.issued()
        let instructions: [UInt8] = [
            0xA4, 0x84, 0xB0, 0xD6, 0xB2, 0xDC, 0xE2, 0xE0, 0x20, 0x82, 0x88, 0x50, 0x52, 0x54, 0x58, 0x5A, 0x5C, 0x5E,
            0xD4,
            0x70, 0x72, 0x1A, 0xFA, 0x24, 0x1E, 0xF6,
        ]
        for _ in 0..<60_000 {
            let count = Int.random(in: 0...40, using: &random)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            if count > 4 {
                bytes[0] = [0x00, 0x04, 0x80, 0x84][Int.random(in: 0..<4, using: &random)]
                bytes[1] = instructions[Int.random(in: 0..<instructions.count, using: &random)]
                if Bool.random(using: &random) { (bytes[2], bytes[3]) = (bytes[2] & 7, bytes[3] & 7) }
                bytes[4] = UInt8(max(0, count - 5 - Int.random(in: 0...1, using: &random)))
            }
            if bytes.count > 5, bytes[1] == 0x1E || bytes[1] == 0x0E { continue }
            #expect(user.respond(to: bytes).count >= 2)
            #expect(psam.respond(to: bytes).count >= 2)
        }
    }
}
