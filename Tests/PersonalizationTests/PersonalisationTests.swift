import CardSimulator
import Foundation
import HSMBridge
import KMS
import Testing

@testable import Personalization

/// Whole cards, made in this process.
@Suite struct PersonalisationTests {
    @Test func `a blank PSAM and a blank user card become cards that trade with each other`() async throws {
        let shop = try await Workshop.shared.value
        let (psam, card) = (shop.blank("psam"), shop.blank("fmcos"))
        let made = try await shop.desk.personalise(
            shop.request("psam", psam, batch: shop.delivery("psam", 1)), by: shop.olga)
        #expect(made.state == .finished, "\(made.message ?? "")")
        let issued = try await shop.desk.personalise(
            shop.request("fmcos", card, batch: shop.delivery("fmcos", 1)), by: shop.olga)
        #expect(issued.state == .finished, "\(issued.message ?? "")")
        #expect(issued.journal.filter { $0.outcome == .done }.count == issued.steps)
        #expect(issued.journal.filter { $0.outcome == .begun }.count == issued.steps)
        #expect(issued.checkValues.count == 9)
        let terminal = Terminal(shop: shop, card: card, psam: psam)
        try await terminal.load(10_000)
        #expect(try terminal.purchase(1_250) == 8_750)
        #expect(try terminal.purchase(50) == 8_700)
    }

    /// The module answers four bytes under a control key, never a block: EXTERNAL AUTHENTICATE asks for so many whatever the rest takes.
    @Test(arguments: ["psam", "fmcos"])
    func `a card whose secure messaging takes eight bytes is made as well`(_ kind: String) async throws {
        let shop = try await Workshop.shared.value
        let folder = "\(shop.folder)/\(shop.fresh("profiles"))"
        try FileManager.default.copyItem(atPath: Workshop.profileFolder, toPath: folder)
        for name in ["psam-pboc.yaml", "fmcos-canteen.yaml"] {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            let changed = text.replacing("  challenge: 4\n", with: "  challenge: 8\n")
            #expect(changed != text)
            try changed.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let desk = try await shop.reopened(node: shop.fresh("eight"), profiles: folder)
        let job = try await desk.personalise(
            shop.request(kind, shop.blank(kind), batch: shop.delivery(kind, 1)), by: shop.olga)
        #expect(job.state == .finished, "\(job.message ?? "")")
        for challenge in ["| 0084000008 |", "| 0084000004 |"] {
            #expect(job.transcript.contains { $0.contains(challenge) }, "\(challenge)")
        }
    }

    @Test(arguments: ["psam", "fmcos"])
    func `no transcript, journal or audit line has a key or the PIN in clear`(_ kind: String) async throws {
        let shop = try await Workshop.shared.value
        let reader = shop.blank(kind)
        let job = try await shop.desk.personalise(
            shop.request(kind, reader, batch: shop.delivery(kind, 1)), by: shop.olga)
        #expect(job.state == .finished, "\(job.message ?? "")")
        let commands = try job.transcript.map { try #require($0.split(separator: "|").dropFirst().first) }
        // Everything that is a key on the finished card, as the card itself knows it.
        let keys = Self.keys(of: shop.readers.card(reader))
        #expect(keys.count == (kind == "psam" ? 6 : 10))
        let audit = try String(contentsOfFile: "\(shop.folder)/audit.log", encoding: .utf8).uppercased()
        for key in keys where key.count == 32 {
            #expect(!commands.contains { $0.contains(key) }, "a key went over the line in clear")
            #expect(!audit.contains(key))
        }
        #expect(!job.transcript.contains { $0.contains("313233343536") || $0.contains(Workshop.pin) })
        #expect(!audit.contains("\"\(Workshop.pin)\""))
        if kind == "fmcos" { #expect(commands.contains { $0.contains("3AF0EF0133************") }) }
    }

    /// Values of the keys in a card's memory, hexadecimal.
    static func keys(of card: any SmartCard) -> [String] {
        var found: [String] = []
        func walk(_ value: Any, _ label: String?) {
            let mirror = Mirror(reflecting: value)
            if "\(type(of: value))" == "CardKey" {
                for child in mirror.children where child.label == "value" {
                    if let bytes = Mirror(reflecting: child.value).children.first?.value as? [UInt8] {
                        found.append(Hex.encode(bytes))
                    }
                }
                return
            }
            for child in mirror.children { walk(child.value, child.label) }
        }
        walk(card, nil)
        return found
    }

    @Test(arguments: ["psam", "fmcos"])
    func `the wrong profile for a card touches nothing and gives the blank back`(_ kind: String) async throws {
        let shop = try await Workshop.shared.value
        let reader = shop.blank(kind == "psam" ? "fmcos" : "psam")
        let batch = try await shop.delivery(kind, 1)
        let job = try await shop.desk.personalise(shop.request(kind, reader, batch: batch), by: shop.olga)
        #expect(job.state == .failed)
        #expect(job.statusWord != nil)
        #expect(!job.needsScrap)
        #expect(try await shop.line(batch).blank == 1)
    }

    @Test func `a PSAM under another maker's key is refused after one try and stays a blank`() async throws {
        let shop = try await Workshop.shared.value
        let reader = shop.fresh("Reader")
        shop.readers.insert(PSAMCard(serial: shop.serial(), vendorKey: Array("another maker's!".utf8)), in: reader)
        let batch = try await shop.delivery("psam", 1)
        let job = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        #expect(job.state == .failed)
        #expect(job.stepName == "authenticate under vendor")
        #expect(job.statusWord == "63C2")
        #expect(!job.needsScrap)
        #expect(try await shop.line(batch).blank == 1)
    }

    @Test func `a finished card is not made again`() async throws {
        let shop = try await Workshop.shared.value
        let reader = shop.blank("psam")
        let batch = try await shop.delivery("psam", 2)
        let first = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        #expect(first.state == .finished, "\(first.message ?? "")")
        let second = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        #expect(second.state == .failed)
        let line = try await shop.line(batch)
        #expect((line.blank, line.finished) == (1, 1))
    }

    @Test func `requests that cannot work are refused before a blank is taken`() async throws {
        let shop = try await Workshop.shared.value
        let reader = shop.blank("fmcos")
        let batch = try await shop.delivery("fmcos", 1)
        let good = shop.request("fmcos", reader, batch: batch)
        func refusal(_ change: (inout JobRequest) -> Void) async -> String? {
            var request = good
            change(&request)
            do {
                _ = try await shop.desk.start(request, by: shop.olga)
                return nil
            } catch { return error.code }
        }
        #expect(await refusal { $0.profile = "visa" } == "P-101")
        #expect(await refusal { $0.data["colour"] = "red" } == "P-102")
        #expect(await refusal { $0.data["asn"] = "123" } == "P-103")
        #expect(await refusal { $0.data["pin"] = nil } == "P-103")
        #expect(await refusal { $0.issuer = "OTHER" } == "P-111")
        #expect(await refusal { $0.reader = "Nowhere" } == "P-122")
        #expect(await refusal { $0.batch = "none" } == "P-124")
        #expect(try await shop.line(batch).blank == 1)
        await #expect(throws: IssuingError.self) {
            _ = try await shop.desk.start(good, by: shop.kate)
        }
    }

    @Test func `without a blank in stock no card is touched`() async throws {
        let shop = try await Workshop.shared.value
        let reader = shop.blank("psam")
        let batch = try await shop.delivery("psam", 1)
        let first = try await shop.desk.personalise(
            shop.request("psam", shop.blank("psam"), batch: batch), by: shop.olga)
        #expect(first.state == .finished, "\(first.message ?? "")")
        await #expect(throws: IssuingError.noStock(kind: "psam")) {
            _ = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        }
        #expect(shop.readers.count(reader) == 0)
    }
}

/// A terminal that knows no key but the module's masters, for the proof that both cards have the right ones.
struct Terminal {
    let shop: Workshop
    let card: String
    let psam: String
    private let time = "20261123120000"

    private func master(_ label: String) throws -> KeyReference {
        let name = try #require(KeyName("PARK/PURSE/\(label)"))
        return try #require(shop.centre.directory.snapshot.currentKey(name)).reference
    }

    func load(_ amount: UInt32) async throws {
        let channel = try shop.readers.channel(card)
        _ = try channel.good("00A40000 3F01", le: 256)
        let asn = Array(try channel.good("00B09500", le: 30)[10..<20])
        _ = try channel.good("00200000 313233343536")
        let open = try channel.good("80500002 01 \(Hex.encode(amount.octets)) 310000000001", le: 16)
        let reply = try await shop.module.execute(
            AuthorisePurseLoad(
                key: DerivedKey(try master("LOAD"), factors: [asn.suffix(8).number]),
                random: UInt32(open[8..<12].number),
                onlineSequence: UInt16(open[4..<6].number), oldBalance: UInt32(open[0..<4].number), amount: amount,
                type: 2,
                terminal: try #require(TerminalNumber(0x3100_0000_0001)), mac1: UInt32(open[12..<16].number),
                time: TransactionTime(date: 0x2026_1123, time: 0x12_0000)))
        guard case .authorised(let mac2) = reply else {
            Issue.record("MAC1 of the load is wrong")
            return
        }
        _ = try channel.good("80520000 \(time) \(Hex.encode(mac2.octets))", le: 4)
    }

    /// The purchase of the story, offline; the new balance.
    func purchase(_ amount: UInt32) throws -> UInt32 {
        let sam = try shop.readers.channel(psam)
        let terminal = Hex.encode(try sam.good("00B09600", le: 6))
        #expect(terminal == "310000000001")
        _ = try sam.good("00B09500", le: 14)
        _ = try sam.good("00A40000 DF01", le: 256)
        let purse = try shop.readers.channel(card)
        _ = try purse.good("00A40000 3F01", le: 256)
        let asn = Array(try purse.good("00B09500", le: 30)[10..<20])
        let sum = Hex.encode(amount.octets)
        let open = try purse.good("80500102 01 \(sum) \(terminal)", le: 15)
        let started = try sam.good(
            "80700000 \(Hex.encode(open[11..<15])) \(Hex.encode(open[4..<6])) \(sum) 06 \(time) \(Hex.encode(open[9..<11])) \(Hex.encode(asn.suffix(8)))",
            le: 8)
        let debited = try purse.good(
            "80540100 \(Hex.encode(started[0..<4])) \(time) \(Hex.encode(started[4..<8]))", le: 8)
        _ = try sam.good("80720000 \(Hex.encode(debited[4..<8]))")
        return UInt32(try purse.good("805C0002", le: 4).number)
    }
}
