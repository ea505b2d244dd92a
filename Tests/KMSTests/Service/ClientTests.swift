import HSMBridge
import Testing

@testable import KMS
@testable import MariaDB

/// Clients, their credentials and their limits, through the centre and as the directory shows them.
@Suite struct ClientTests {
    private func certificate(_ number: UInt8, until: Timestamp? = nil) -> ClientCertificate {
        ClientCertificate(
            fingerprint: CertificateFingerprint(certificate: [0x30, number]), subject: "common_name=pos\(number)",
            validity: Validity(until: until))
    }

    @Test func `a token in the wrong case, cut, lengthened or of another is nobody's`() async throws {
        let rig = try await Rig.make()
        let token = try await rig.centre.createClient("pos1", description: "", by: rig.alice)
        let other = try await rig.centre.createClient("pos2", description: "", by: rig.alice)
        func owner(_ text: String) -> String? {
            rig.centre.directory.snapshot.owner(ofToken: text)?.client.id
        }
        #expect(owner(token) == "pos1")
        #expect(owner(other) == "pos2")
        // The named part of one with the secret part of the other.
        let mixed = String(token.prefix(14)) + String(other.suffix(64))
        for wrong in [
            token.lowercased(), token.uppercased(), String(token.dropLast()), String(token.dropFirst()), token + "0",
            " " + token, token + " ", mixed, "", "kmsd_", String(token.suffix(64)), String(token.prefix(14)),
        ] {
            #expect(owner(wrong) == nil, "\(wrong.count) characters")
        }
        for index in token.indices {
            var flipped = token
            flipped.replaceSubrange(index...index, with: token[index] == "0" ? "1" : "0")
            if flipped != token { #expect(owner(flipped) == nil) }
        }
        // Nothing of the token is in the tables but its name.
        let stored = try await rig.database.read { connection in try ServiceTokenTable.all(&connection) }
        #expect(
            Set(stored.map(\.prefix)) == [String(token.dropFirst(5).prefix(8)), String(other.dropFirst(5).prefix(8))])
        #expect(stored.allSatisfy { $0.hash.count == 32 })
    }

    @Test func `tokens overlap for a change-over, end by the clock, and end one by one`() async throws {
        let rig = try await Rig.make()
        let now = rig.clock.clocks.wall
        let first = try await rig.centre.createClient("pos1", description: "", by: rig.alice)
        let second = try await rig.centre.newToken(
            of: "pos1", until: now().adding(seconds: 60), replacing: false, by: rig.alice)
        func counts(_ token: String) -> Bool {
            rig.centre.directory.snapshot.client(token: token, now: now()) != nil
        }
        #expect(counts(first) && counts(second))
        rig.clock.advance(seconds: 60)
        #expect(counts(first) && !counts(second))
        try await rig.centre.revokeToken(String(first.dropFirst(5).prefix(8)), of: "pos1", by: rig.alice)
        #expect(!counts(first))
        let third = try await rig.centre.renewToken(of: "pos1", by: rig.alice)
        let fourth = try await rig.centre.renewToken(of: "pos1", by: rig.alice)
        #expect(!counts(third) && counts(fourth))
        for _ in 1..<KeyCentre.ClientLimits.tokens {
            _ = try await rig.centre.newToken(of: "pos1", until: nil, replacing: false, by: rig.alice)
        }
        await #expect(throws: KMSError.inUse("8 tokens")) {
            try await rig.centre.newToken(of: "pos1", until: nil, replacing: false, by: rig.alice)
        }
        await #expect(throws: KMSError.invalidInput("end (it has passed already)")) {
            try await rig.centre.newToken(of: "pos1", until: now(), replacing: true, by: rig.alice)
        }
        await #expect(throws: KMSError.notFound("client nobody")) {
            try await rig.centre.renewToken(of: "nobody", by: rig.alice)
        }
        // A refused change leaves what was there.
        #expect(counts(fourth))
    }

    @Test func `a grant ends at its moment, and granting again gives a new end`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("DPK", Rig.purchase)
        _ = try await rig.centre.createClient("pos1", description: "", by: rig.alice)
        let start = rig.clock.clocks.wall()
        func may(_ seconds: Int64, _ label: String = "ICBC/PURSE/DPK") -> Bool {
            do throws(KMSError) {
                _ = try rig.centre.directory.snapshot.key(
                    label, for: "pos1", operation: .pursePurchase, now: start.adding(seconds: seconds))
                return true
            } catch { return false }
        }
        func mayPresent(_ seconds: Int64) -> Bool {
            rig.centre.directory.snapshot.mayPresentBlocks(
                "pos1", operation: .generateMAC, now: start.adding(seconds: seconds))
        }
        let end = start.adding(seconds: 100)
        try await rig.centre.grant(
            .key(Rig.name("DPK")), [.pursePurchase], to: "pos1", until: end, by: rig.alice)
        try await rig.centre.grant(.presentedBlocks, [.generateMAC], to: "pos1", until: end, by: rig.alice)
        #expect(may(99) && !may(100) && mayPresent(99) && !mayPresent(100))
        try await rig.centre.grant(.key(Rig.name("DPK")), [.pursePurchase], to: "pos1", by: rig.alice)
        #expect(may(100))
        // Two grants of which one ends: the other goes on.
        try await rig.centre.grant(
            .product(issuer: "ICBC", product: "PURSE"), [.pursePurchase], to: "pos1", until: end, by: rig.alice)
        #expect(may(100))
        try await rig.centre.revoke(.key(Rig.name("DPK")), [.pursePurchase], from: "pos1", by: rig.alice)
        #expect(may(99) && !may(100))
        await #expect(throws: KMSError.invalidInput("end (it has passed already)")) {
            try await rig.centre.grant(.presentedBlocks, [.random], to: "pos1", until: start, by: rig.alice)
        }
    }

    @Test func `a certificate belongs to one client, and is gone when it is removed`() async throws {
        let rig = try await Rig.make()
        try await rig.centre.createClientWithoutToken("pos1", description: "", by: rig.alice)
        try await rig.centre.createClientWithoutToken("pos2", description: "", by: rig.alice)
        let one = certificate(1)
        try await rig.centre.addCertificate(one, to: "pos1", by: rig.alice)
        #expect(rig.centre.directory.snapshot.owner(of: one.fingerprint)?.client.id == "pos1")
        let twice = await isDone { try await rig.centre.addCertificate(one, to: "pos2", by: rig.alice) }
        #expect(!twice)
        await #expect(throws: KMSError.notFound("certificate of client pos2")) {
            try await rig.centre.removeCertificate(one.fingerprint, from: "pos2", by: rig.alice)
        }
        #expect(rig.centre.directory.snapshot.owner(of: one.fingerprint)?.client.id == "pos1")
        await #expect(throws: KMSError.invalidInput("certificate (it has expired)")) {
            try await rig.centre.addCertificate(
                certificate(2, until: rig.clock.clocks.wall()), to: "pos1", by: rig.alice)
        }
        try await rig.centre.removeCertificate(one.fingerprint, from: "pos1", by: rig.alice)
        #expect(rig.centre.directory.snapshot.owner(of: one.fingerprint) == nil)
        for number in 0..<KeyCentre.ClientLimits.certificates {
            try await rig.centre.addCertificate(certificate(UInt8(10 + number)), to: "pos1", by: rig.alice)
        }
        await #expect(throws: KMSError.inUse("16 certificates")) {
            try await rig.centre.addCertificate(certificate(99), to: "pos1", by: rig.alice)
        }
    }

    @Test func `a change of clients reaches another node without its keys being read again`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("DPK", Rig.purchase)
        let other = try await rig.reopenedOnNewFile()
        let before = other.directory.snapshot
        try await rig.centre.createClientWithoutToken("pos1", description: "", by: rig.alice)
        try await rig.centre.limit("pos1", to: RequestLimit(perSecond: 5, burst: 7), by: rig.alice)
        try await rig.centre.restrict("pos1", to: [AddressRange("192.0.2.0/24")!], by: rig.alice)
        try await other.directory.refresh()
        let after = other.directory.snapshot
        #expect(after.change > before.change && after.keyIndex === before.keyIndex)
        #expect(after.client("pos1")?.limit == RequestLimit(perSecond: 5, burst: 7))
        #expect(after.client("pos1")?.mayComeFrom(SourceAddress("192.0.2.200")!) == true)
        #expect(after.client("pos1")?.mayComeFrom(SourceAddress("192.0.3.1")!) == false)
        try await rig.centre.suspend(Rig.id("DPK"), by: rig.bob)
        try await other.directory.refresh()
        #expect(other.directory.snapshot.keyIndex !== after.keyIndex)
        #expect(other.directory.snapshot.key(Rig.id("DPK"))?.state == .suspended)
        try await rig.centre.limit("pos1", to: nil, by: rig.alice)
        try await rig.centre.restrict("pos1", to: [], by: rig.alice)
        try await other.directory.refresh()
        #expect(other.directory.snapshot.client("pos1")?.limit == nil)
        #expect(other.directory.snapshot.client("pos1")?.addresses == [])
    }

    @Test func `address rules that cannot be read admit nobody`() async throws {
        let rig = try await Rig.make()
        try await rig.centre.createClientWithoutToken("pos1", description: "", by: rig.alice)
        #expect(rig.centre.directory.snapshot.client("pos1") != nil)
        try await rig.tamper("UPDATE service_client SET addresses = 'everywhere'")
        try await rig.centre.directory.refreshNow()
        #expect(rig.centre.directory.snapshot.client("pos1") == nil)
    }

    @Test func `every change of a client is in the trail, and no token is`() async throws {
        let rig = try await Rig.make()
        let token = try await rig.centre.createClient("pos1", description: "", by: rig.alice)
        try await rig.centre.addCertificate(certificate(1), to: "pos1", by: rig.alice)
        try await rig.centre.limit("pos1", to: RequestLimit(perSecond: 5, burst: 7), by: rig.alice)
        try await rig.centre.restrict("pos1", to: [AddressRange("192.0.2.0/24")!], by: rig.alice)
        try await rig.centre.removeCertificate(certificate(1).fingerprint, from: "pos1", by: rig.alice)
        try await rig.centre.revokeToken(String(token.dropFirst(5).prefix(8)), of: "pos1", by: rig.alice)
        let records = try await rig.database.read { connection in
            try connection.query("SELECT record FROM audit_record ORDER BY sequence").map { try $0.text("record") }
        }
        for word in [
            "client.create", "client.certificate.add", "client.limit", "client.certificate.remove",
            "client.token.revoke", certificate(1).fingerprint.description, "5/s, burst 7", "192.0.2.0/24",
        ] {
            #expect(records.contains { $0.contains(word) }, "\(word)")
        }
        #expect(!records.contains { $0.contains(token.suffix(64)) })
        await #expect(throws: KMSError.roleMissing(.limitClient)) {
            try await rig.centre.limit("pos1", to: nil, by: rig.bob)
        }
    }

    @Test func `a schema with clients from before keeps their tokens and grants`() async throws {
        let server = try await TestDatabase.shared.value
        let schema = "t\(TestDatabase.next())"
        let administrator = TestDatabase.administrator(of: server, schema: nil)
        try await TestDatabase.with(administrator) { database async throws in
            try await database.plain { connection in
                try connection.execute(SQL(text: "CREATE SCHEMA \(schema) COLLATE utf8mb4_nopad_bin"))
                try connection.execute(
                    SQL(text: "GRANT ALL ON \(schema).* TO 'kms_migrate'@'localhost' WITH GRANT OPTION"))
            }
        }
        try await TestDatabase.migrate(schema, on: server, KMSSchema.steps)
        let token = RandomToken.make()
        let old = TestDatabase.runtime(schema, on: server)
        try await old.write { connection in
            try connection.execute(
                """
                INSERT INTO service_client (id, description, token_hash)
                VALUES ('pos1', 'old', \(RandomToken.digest(token)))
                """)
            try connection.execute(
                "INSERT INTO service_grant (client, scope, operation) VALUES ('pos1', '*', 'random')")
        }
        await old.close()
        try await TestDatabase.migrate(schema, on: server, KMSSchema.steps + KMSSchema.additions)
        let database = TestDatabase.runtime(schema, on: server)
        let directory = KeyDirectory(database: database, clocks: .system, staleSeconds: 60)
        try await directory.refresh()
        let now = Clocks.system.wall()
        #expect(directory.snapshot.client(token: token, now: now)?.id == "pos1")
        #expect(directory.snapshot.client(token: String(token.reversed()), now: now) == nil)
        #expect(directory.snapshot.mayPresentBlocks("pos1", operation: .random, now: now))
        await database.close()
    }
}
