import Foundation
import HSMBridge
import Synchronization
import Testing

@testable import HSMEngine

@Suite struct JournalTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func moduleWithLines() async throws -> SoftwareModule {
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        for label in ["A", "B", "C"] { _ = try await module.newKey(.purchase, label: label) }
        return module
    }

    private func text() -> String { String(decoding: folder.bytes("module.journal"), as: UTF8.self) }

    @Test func `a management command stands in the journal before and after`() async throws {
        _ = try await moduleWithLines()
        let lines = text().split(separator: "\n")
        #expect(lines.count == 7)
        #expect(lines[1].contains(" begin generateKey uid=") && lines[1].contains(" key=CANTEEN/EPURSE/A/01 "))
        #expect(lines[2].contains(" end generateKey uid=") && lines[2].contains(" result=ok kcv="))
        #expect(ModuleJournal.verify(path: folder.file("module.journal")) == .intact(lines: 7))
    }

    @Test func `who lets go of a module when he has its answer may open its folder again`() async throws {
        // A program that is being started has copies of all our descriptors for a moment, that of the folder's lock too.
        let programs = StartedPrograms()
        for round in 0..<100 {
            do {
                let module = SoftwareModule(ModuleSettings(stateFolder: folder.path, readers: .none))
                await #expect(throws: Never.self, "round \(round)") {
                    _ = try await module.execute(BeginCeremony(kind: .generate))
                }
            }
        }
        programs.stop()
    }

    @Test func `calculations are not journalled`() async throws {
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let key = try await module.newKey(.mac3, .calculate)
        let lines = text().count
        _ = try await module.execute(
            GenerateMAC(key: key, algorithm: .algorithm3, padding: .method2, length: 8, data: [1]))
        #expect(text().count == lines)
    }

    @Test func `every changed, removed, doubled or moved line is named`() async throws {
        _ = try await moduleWithLines()
        let lines = text().split(separator: "\n").map(String.init)
        func verdict(_ changed: [String]) throws -> JournalVerdict {
            try folder.write("changed", Array((changed.joined(separator: "\n") + "\n").utf8))
            return ModuleJournal.verify(path: folder.file("changed"))
        }
        for index in lines.indices {
            var edited = lines
            edited[index] = edited[index].replacingOccurrences(of: "uid=0", with: "uid=1")
            if edited[index] != lines[index] { #expect(try verdict(edited) == .bad(line: index + 1)) }
            var bytes = Array(lines[index].utf8)
            bytes[3] ^= 1
            edited = lines
            edited[index] = String(decoding: bytes, as: UTF8.self)
            #expect(try verdict(edited) == .bad(line: index + 1))
            var shorter = lines
            shorter.remove(at: index)
            #expect(try verdict(shorter) == (index == lines.count - 1 ? .intact(lines: 6) : .bad(line: index + 1)))
            var doubled = lines
            doubled.insert(lines[index], at: index)
            #expect(try verdict(doubled) == .bad(line: index + 2))
            if index + 1 < lines.count {
                var swapped = lines
                swapped.swapAt(index, index + 1)
                #expect(try verdict(swapped) == .bad(line: index + 1))
            }
        }
    }

    @Test func `a changed journal stops the module, a torn one is mended and says so`() async throws {
        do { _ = try await moduleWithLines() }
        let good = folder.bytes("module.journal")
        try folder.write("module.journal", good + Array("8 2026-".utf8))
        #expect(ModuleJournal.verify(path: folder.file("module.journal")) == .torn(lines: 7))
        do {
            let mended = SoftwareModule(ModuleSettings(stateFolder: folder.path, readers: .none))
            #expect(try await mended.execute(GetStatus()).state == .sealed)
            #expect(text().contains(" note tornLineRemoved "))
            #expect(ModuleJournal.verify(path: folder.file("module.journal")) == .intact(lines: 9))
        }
        var bad = good
        bad[good.count / 2] ^= 1
        try folder.write("module.journal", bad)
        let module = SoftwareModule(ModuleSettings(stateFolder: folder.path, readers: .none))
        let status = try await module.execute(GetStatus())
        #expect(status.state == .failed && status.failure.hasPrefix("journal line "))
    }

    @Test(arguments: ["/dev/full", "/proc/kmsd/journal", "/"])
    func `without a journal nothing is managed, and calculations go on`(path: String) async throws {
        var settings = ModuleSettings(stateFolder: folder.path, readers: .none)
        settings.journalPath = path
        let module = SoftwareModule(settings)
        try module.openWithRandomLMK()
        let identity = try TestKeys.identity("KEY")
        let generate = GenerateKey(attributes: TestKeys.attributes(.purchase), identity: identity)
        #expect(await module.refusal(of: generate) == .journalUnavailable)
        #expect(await module.refusal(of: BeginCeremony(kind: .generate)) == .alreadyInitialised)
        #expect(try await module.execute(RandomBytes(count: 8)).bytes.count == 8)
        // Taking power away must always be possible.
        #expect(try await module.execute(SealModule()).state == .sealed)
        #expect(await module.refusal(of: BeginCeremony(kind: .load)) == .journalUnavailable)
        #expect(try await module.execute(GetStatus()).state == .sealed)
    }

    @Test func `a journal that was taken away is missed`() async throws {
        let module = try await moduleWithLines()
        let before = folder.bytes("module.journal")
        try folder.write("kept", before)
        try folder.remove("module.journal")
        let identity = try TestKeys.identity("KEY")
        let generate = GenerateKey(attributes: TestKeys.attributes(.purchase), identity: identity)
        #expect(await module.refusal(of: generate) == .journalUnavailable)
        // Put back, it goes on where it was.
        try folder.write("module.journal", before)
        _ = try await module.execute(generate)
        #expect(ModuleJournal.verify(path: folder.file("module.journal")) == .intact(lines: 9))
    }

    @Test func `a caller cannot write a line of his own`() async throws {
        let module = SoftwareModule(ModuleSettings(stateFolder: folder.path, readers: .none))
        let evil = "x\n9 2026-11-23T00:00:00.000000Z end generateKey result=ok"
        _ = await module.refusal(
            of: FormatAdminCard(reader: evil, custodian: .first, discardComponent: false, pin: try .typed("123456")))
        #expect(ModuleJournal.verify(path: folder.file("module.journal")) == .intact(lines: 3))
        #expect(!text().contains("\n9 "))
    }

    @Test func `a text from outside is cut, and the line says by how much`() async throws {
        let module = SoftwareModule(ModuleSettings(stateFolder: folder.path, readers: .none))
        for (count, mark) in [(120, ""), (121, "[+1]"), (200, "[+80]")] {
            let reader = String(repeating: "r", count: count)
            _ = await module.refusal(
                of: FormatAdminCard(
                    reader: reader, custodian: .first, discardComponent: false, pin: try .typed("123456")))
            let line = try TestJournal.lastLine("begin formatAdminCard", in: folder)
            #expect(line["reader"] == reader.prefix(120) + mark)
        }
    }

    /// The name in a block that nobody wrapped: taken from its header before its MAC is looked at.
    @Test func `a block's own name is written where it is an identity, and not at any length`() async throws {
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        for (name, written) in [("A/B/C/01", "A/B/C/01"), (String(repeating: "x", count: 250), "unnamed")] {
            let header = KeyBlockHeader(
                version: .d, attributes: TestKeys.attributes(.purchase), keyVersionText: "01",
                optionalBlocks: [.init(id: LMKBlockField.identity, data: name), .levels(1)])
            let protection = try KeyBlockKey(SecretBytes(copying: [UInt8](0..<32).span), version: .d)
            let block = try protection.wrap(SecretBytes(copying: [UInt8](0..<16).span), header: header)
            let key = KeyReference.block(block, expected: nil)
            _ = await module.refusal(of: DiversifyKey(key: DerivedKey(key, factors: [1])))
            #expect(try TestJournal.lastLine("begin diversifyKey", in: folder)["key"] == written)
        }
    }

    /// With the longest names there are, and as many factors as a command takes.
    @Test func `a batch under a region's master names the way to that master`() async throws {
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        func key(_ letter: Character, _ attributes: KeyAttributes) async throws -> (String, KeyReference) {
            let part = String(repeating: letter, count: 24)
            let identity = try #require(KeyIdentity(issuer: part, product: part, label: part, version: 99))
            let made = try await module.execute(GenerateKey(attributes: attributes, identity: identity))
            return (identity.description, .block(made.block, expected: identity))
        }
        let (name, master) = try await key(
            "M", TestKeys.attributes(.purchase, .derive, .tripleDES2, .exportable, levels: 4))
        let (transport, under) = try await key("T", TestKeys.attributes(.keyBlockProtection, .both, .aes128))
        let way: [UInt64] = [1, 0x1122_3344_5566_7788, .max]
        let region = try await module.execute(DiversifyKey(key: DerivedKey(master, factors: way)))
        let factors = (0..<UInt64(DiversifyKeyBatch.maximumFactors)).map { .max - $0 }
        for expected in [nil, KeyIdentity(name)] {
            _ = try await module.execute(
                DiversifyKeyBatch(
                    key: .block(region.block, expected: expected), levels: 1, factors: factors, transportKey: under))
            let line = try TestJournal.lastLine("begin diversifyKeyBatch", in: folder)
            #expect(line["key"] == name + "+0000000000000001,1122334455667788,FFFFFFFFFFFFFFFF")
            #expect(line["under"] == transport)
            #expect(line["factors"]?.split(separator: ",").count == DiversifyKeyBatch.maximumFactors)
        }
        guard case .intact = ModuleJournal.verify(path: folder.file("module.journal")) else {
            Issue.record("the journal is not read again")
            return
        }
    }

    @Test func `the longest line is read again, and a longer one is refused and not cut`() throws {
        let path = folder.file("module.journal")
        let journal = Journal(path: path, clock: { 0 })
        func append(_ count: Int) throws(ModuleRefusal) {
            try journal.append("begin", "generateKey", [JournalField("key", String(repeating: "k", count: count))])
        }
        // 1 1970-01-01T00:00:00.000000Z begin generateKey key=… h=…
        let longest = JournalLine.maximumLength - 52 - 67
        try append(longest)
        #expect(folder.bytes("module.journal").count == JournalLine.maximumLength + 1)
        #expect(throws: ModuleRefusal(.tooLarge)) { try append(longest + 1) }
        try append(longest)
        #expect(ModuleJournal.verify(path: path) == .intact(lines: 2))
        #expect(Journal(path: path, clock: { 0 }).firstBadLine() == nil)
    }

    @Test func `times are UTC in the Gregorian calendar`() {
        #expect(JournalTime.text(0) == "1970-01-01T00:00:00.000000Z")
        #expect(JournalTime.text(951_782_400_000_001) == "2000-02-29T00:00:00.000001Z")
        #expect(JournalTime.text(1_795_411_470_123_456) == "2026-11-23T05:24:30.123456Z")
    }
}

/// Starts one program after the other on a thread of its own.
private final class StartedPrograms: Sendable {
    private let isStopping = Atomic<Bool>(false)

    init() {
        Thread.detachNewThread { [self] in
            while !isStopping.load(ordering: .relaxed) {
                let program = try? Process.run(URL(fileURLWithPath: "/bin/true"), arguments: [])
                program?.waitUntilExit()
            }
        }
    }

    func stop() { isStopping.store(true, ordering: .relaxed) }
}
