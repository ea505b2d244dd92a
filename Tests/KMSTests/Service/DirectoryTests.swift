import HSMBridge
import Testing

@testable import KMS
@testable import MariaDB

@Suite struct DirectoryTests {
    private let now = Timestamp("2026-11-23T08:00:00Z")!

    @Test func `what is not granted is refused, whether the key exists or not`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("DPK", Rig.purchase)
        let token = try await rig.centre.createClient("pos1", description: "", by: rig.alice)
        let label = "ICBC/PURSE/DPK"
        func key(_ label: String, _ operation: ServiceOperation) throws -> StoredKey {
            try rig.centre.directory.snapshot.key(label, for: "pos1", operation: operation, now: now)
        }
        for operation in ServiceOperation.allCases {
            #expect(throws: KMSError.grantMissing) { try key(label, operation) }
            #expect(throws: KMSError.grantMissing) { try key("ICBC/PURSE/NONE", operation) }
        }
        #expect(throws: KMSError.clientUnknown) {
            try rig.centre.directory.snapshot.key(label, for: "pos2", operation: .verifyTAC, now: now)
        }
        try await rig.centre.grant(.key(Rig.name("DPK")), [.pursePurchase], to: "pos1", by: rig.alice)
        #expect(try key(label, .pursePurchase).identity == Rig.id("DPK"))
        #expect(
            try key(label + "/01", .pursePurchase).reference
                == .block(key(label, .pursePurchase).key.block, expected: Rig.id("DPK")))
        for operation in ServiceOperation.allCases where operation != .pursePurchase {
            #expect(throws: KMSError.grantMissing) { try key(label, operation) }
        }
        #expect(throws: KMSError.notFound("key ICBC/PURSE/DPK/02")) { try key(label + "/02", .pursePurchase) }
        #expect(throws: KMSError.invalidInput("key label")) { try key("DPK", .pursePurchase) }
        #expect(rig.centre.directory.snapshot.client(token: token, now: now)?.id == "pos1")
        #expect(rig.centre.directory.snapshot.client(token: String(token.reversed()), now: now) == nil)
        try await rig.centre.revoke(.key(Rig.name("DPK")), [.pursePurchase], from: "pos1", by: rig.alice)
        #expect(throws: KMSError.grantMissing) { try key(label, .pursePurchase) }
        try await rig.centre.grant(
            .product(issuer: "ICBC", product: "PURSE"), [.verifyTAC], to: "pos1", by: rig.alice)
        #expect(try key(label, .verifyTAC).identity == Rig.id("DPK"))
        #expect(!rig.centre.directory.snapshot.mayPresentBlocks("pos1", operation: .generateMAC, now: now))
        try await rig.centre.disableClient("pos1", by: rig.alice)
        #expect(throws: KMSError.clientUnknown) { try key(label, .verifyTAC) }
        #expect(rig.centre.directory.snapshot.client(token: token, now: now) == nil)
    }

    @Test func `states and dates decide what a key still does`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        let id = try await rig.centre.createKey(
            Rig.name("TMK"), attributes: Rig.terminalMAC,
            validity: Validity(from: now.adding(seconds: 100), until: now.adding(seconds: 200)), description: "",
            by: rig.alice)
        try await rig.centre.generateValue(id, by: rig.bob)
        _ = try await rig.centre.createClient("pos1", description: "", by: rig.alice)
        try await rig.centre.grant(.key(Rig.name("TMK")), [.generateMAC, .verifyMAC], to: "pos1", by: rig.alice)
        func outcome(_ operation: ServiceOperation, after seconds: Int64) -> KMSError? {
            do throws(KMSError) {
                _ = try rig.centre.directory.snapshot.key(
                    "ICBC/PURSE/TMK", for: "pos1", operation: operation, now: now.adding(seconds: seconds))
                return nil
            } catch { return error }
        }
        #expect(outcome(.generateMAC, after: 99) == .keyNotYetValid("ICBC/PURSE/TMK/01"))
        #expect(outcome(.verifyMAC, after: 99) == .keyNotYetValid("ICBC/PURSE/TMK/01"))
        #expect(outcome(.generateMAC, after: 100) == nil)
        #expect(outcome(.generateMAC, after: 200) == .keyExpired("ICBC/PURSE/TMK/01"))
        #expect(outcome(.verifyMAC, after: 200) == nil)
        try await rig.centre.suspend(id, by: rig.bob)
        #expect(outcome(.generateMAC, after: 150) == .keyStateForbids("ICBC/PURSE/TMK/01", .suspended))
        #expect(outcome(.verifyMAC, after: 150) == .keyStateForbids("ICBC/PURSE/TMK/01", .suspended))
        try await rig.centre.resume(id, by: rig.bob)
        #expect(outcome(.generateMAC, after: 150) == nil)
        try await rig.centre.retire(id, by: rig.bob)
        #expect(outcome(.generateMAC, after: 150) == .keyStateForbids("ICBC/PURSE/TMK/01", .retired))
        #expect(outcome(.verifyMAC, after: 150) == nil)
    }

    @Test func `another node sees a change when it next asks, and an old picture says that it is old`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("DPK", Rig.purchase)
        let other = try await rig.reopenedOnNewFile()
        #expect(other.directory.snapshot.currentKey(Rig.name("DPK"))?.state == .active)
        try await rig.centre.suspend(Rig.id("DPK"), by: rig.bob)
        #expect(other.directory.snapshot.currentKey(Rig.name("DPK")) != nil)
        let before = other.directory.snapshot
        try await other.directory.refresh()
        #expect(other.directory.snapshot.currentKey(Rig.name("DPK")) == nil)
        #expect(other.directory.snapshot.key(Rig.id("DPK"))?.state == .suspended)
        #expect(before.currentKey(Rig.name("DPK")) != nil)
        #expect(!other.directory.isStale)
        rig.clock.advance(seconds: 301)
        #expect(other.directory.isStale)
        try await other.directory.refresh()
        #expect(!other.directory.isStale)
    }

    @Test func `counts of two nodes add up, and a flush done twice counts once`() async throws {
        let rig = try await Rig.make()
        let other = try await rig.reopenedOnNewFile()
        for centre in [rig.centre, other] {
            for _ in 0..<3 {
                centre.counts.count(client: "pos1", key: "I/P/K", operation: .verifyMAC, succeeded: 4, failed: 1)
            }
            try await centre.counts.flush()
            try await centre.counts.flush()
        }
        let counts = try await rig.centre.counts.recent(minutes: 5)
        #expect(counts.map { [$0.succeeded, $0.failed] } == [[24, 6]])
        let repeated = await isDone {
            try await rig.database.write { connection in
                try RequestCountTable.insert(counts, flush: 7, &connection)
                try RequestCountTable.insert(counts, flush: 7, &connection)
            }
        }
        #expect(!repeated)
    }

    @Test func `failed checks are all counted, in a bounded number of rows`() async throws {
        let rig = try await Rig.make()
        for number in 0..<5_000 {
            rig.centre.failedChecks.record(
                client: "pos1", key: "I/P/K\(number)", operation: .verifyMAC, code: "01", origin: "127.0.0.1:\(number)")
        }
        try await rig.centre.failedChecks.flush()
        let rows = try await rig.centre.failedChecks.recent(limit: 10_000)
        #expect(rows.reduce(0) { $0 + $1.count } == 5_000)
        #expect(rows.count <= FailedChecks.kindsPerSecond + 1)
    }

    @Test func `what another node reads of each change makes the same picture as reading everything`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        func directory() -> KeyDirectory {
            KeyDirectory(database: rig.database, clocks: rig.clock.clocks, staleSeconds: 300)
        }
        let other = directory()
        func agrees() async throws -> Bool {
            try await other.refresh()
            let step = other.snapshot
            let fresh = directory()
            try await fresh.refresh()
            let whole = fresh.snapshot
            let names = Set(whole.keys.map(\.identity.name))
            return Set(step.keys) == Set(whole.keys) && step.change == whole.change
                && names.allSatisfy { step.versions(of: $0) == whole.versions(of: $0) }
        }
        for label in ["A", "B", "C"] { try await rig.makeKey(label, Rig.purchase) }
        #expect(try await agrees())
        #expect(other.snapshot.keyCount == 3)
        try await rig.centre.suspend(Rig.id("B"), by: rig.bob)
        #expect(try await agrees())
        try await rig.centre.resume(Rig.id("B"), by: rig.bob)
        try await rig.centre.retire(Rig.id("C"), by: rig.bob)
        #expect(try await agrees())
        // A client's change moves the counter and no key.
        _ = try await rig.centre.createClient("pos1", description: "", by: rig.alice)
        #expect(try await agrees())
        // What is done to the tables by hand is seen with the next change of the counter, wherever that comes from.
        try await rig.tamper(
            "UPDATE key_version SET state = 'suspended' WHERE label = 'A'",
            "UPDATE change_counter SET value = value + 1, key_value = key_value + 1 WHERE id = 1")
        #expect(try await agrees())
        #expect(other.snapshot.key(Rig.id("A"))?.state == .suspended)
    }

    @Test(arguments: [1, 2, 3, 7, 8])
    func `pages of any size show every row once and in order`(_ size: Int) async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        for number in 0..<7 { try await rig.makeKey("K\(number)", Rig.purchase) }
        let seen = try await rig.database.read { connection in
            var seen: [KeyIdentity] = []
            try KeyVersionTable.each(&connection, pageOf: size) { seen.append($0.identity) }
            return seen
        }
        #expect(seen == (0..<7).map { Rig.id("K\($0)") })
    }
}
