import Foundation
import Glibc
import HSMBridge
import HSMEngine
import Testing

@testable import KMS
@testable import MariaDB

@Suite struct KeyWorkTests {
    @Test func `an issuer, a product and a key are made in order, and removed in the opposite one`() async throws {
        let rig = try await Rig.make()
        await #expect(throws: KMSError.self) {
            try await rig.centre.createProduct(
                "P", issuer: "NONE", name: "x", kind: "", description: "", by: rig.alice)
        }
        try await rig.makeProduct()
        await #expect(throws: KMSError.exists("PRIMARY")) {
            try await rig.centre.createIssuer("ICBC", name: "x", description: "", by: rig.alice)
        }
        let id = try await rig.centre.createKey(
            Rig.name("DPK"), attributes: Rig.purchase, validity: .unlimited, description: "purchase", by: rig.alice)
        #expect(id.description == "ICBC/PURSE/DPK/01")
        await #expect(throws: KMSError.self) {
            try await rig.centre.deleteProduct("PURSE", issuer: "ICBC", by: rig.alice)
        }
        try await rig.centre.deleteKey(Rig.name("DPK"), by: rig.alice)
        try await rig.centre.deleteProduct("PURSE", issuer: "ICBC", by: rig.alice)
        try await rig.centre.deleteIssuer("ICBC", by: rig.alice)
        #expect(try await rig.centre.issuers(by: rig.erin).isEmpty)
    }

    @Test func `a generated value is a block bound to its row, and is given once`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        let version = try await rig.makeKey("DPK", Rig.purchase)
        #expect(version.state == .active)
        #expect(version.madeBy == "bob")
        let header = try KeyBlockHeader(parsing: try #require(version.block))
        #expect(header.version == .d)
        #expect(header.optionalBlock(LMKBlockField.identity) == "ICBC/PURSE/DPK/01")
        await #expect(throws: KMSError.keyHasValue("ICBC/PURSE/DPK/01")) {
            try await rig.centre.generateValue(Rig.id("DPK"), by: rig.bob)
        }
        let second = try await rig.centre.createVersion(of: Rig.name("DPK"), validity: nil, by: rig.bob)
        #expect(second == Rig.id("DPK", 2))
        #expect(try await rig.centre.generateValue(second, by: rig.bob).checkValue != version.checkValue)
        await #expect(throws: KMSError.keyHasValue("ICBC/PURSE/DPK/01")) {
            try await rig.centre.deleteKey(Rig.name("DPK"), by: rig.alice)
        }
    }

    /// The published transport key of Tests/Vectors/components.json: three components, check value 8CE396.
    @Test func `three typed components form the published transport key`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        let id = try await rig.centre.createKey(
            Rig.name("KEK"), attributes: Rig.transport, validity: .unlimited, description: "", by: rig.alice)
        let entry = try await rig.centre.beginComponents(id, count: 3, by: rig.bob)
        let vector = try ComponentVector.published()
        for (index, component) in vector.components.enumerated() {
            _ = try await rig.module.execute(
                EnterComponent(session: entry.session, number: UInt8(index + 1), component: try typed(component)))
        }
        await #expect(throws: KMSError.module(.ceremonyNotOpen)) {
            try await rig.centre.finishComponents(id, session: entry.session &+ 1, by: rig.bob)
        }
        let version = try await rig.centre.finishComponents(id, session: entry.session, by: rig.bob)
        #expect(version.checkValue?.description == vector.checkValue)
        #expect(version.origin == .components)
        let records = try await rig.centre.auditRecords(from: 1, limit: 1_000, by: rig.erin)
        #expect(records.last { $0.operation == "value.components.finish" }?.checkValue == vector.checkValue)
        for record in records {
            for component in vector.components { #expect(!record.canonical.contains(component)) }
        }
    }

    @Test
    func `a key goes out by two people, comes in again under the same transport key, and is reported as the same`()
        async throws
    {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("KEK", Rig.transport)
        let key = try await rig.makeKey("DPK", Rig.purchase)
        let intent = Intent.exportKey(Rig.id("DPK"), under: Rig.id("KEK"))
        let approval = try await rig.approved(intent, by: rig.bob, and: rig.alice)
        let exported = try await rig.centre.exportKey(
            Rig.id("DPK"), under: Rig.id("KEK"), approval: approval, by: rig.bob)
        #expect(exported.checkValue == key.checkValue)
        #expect(exported.block.first == "B")
        let copy = try await rig.centre.createKey(
            Rig.name("COPY"), attributes: Rig.purchase, validity: .unlimited, description: "", by: rig.alice)
        let imported = try await rig.centre.importValue(
            copy, block: exported.block, under: Rig.id("KEK"), by: rig.bob)
        #expect(imported.checkValue == key.checkValue)
        #expect(imported.sameValueAs == [Rig.id("DPK")])
        // One bit of the cryptogram changed is refused, and gives nothing.
        let bad = try await rig.centre.createKey(
            Rig.name("BAD"), attributes: Rig.purchase, validity: .unlimited, description: "", by: rig.alice)
        let last = exported.block.last == "0" ? "1" : "0"
        await #expect(throws: KMSError.module(.keyBlockAuthentication)) {
            try await rig.centre.importValue(
                bad, block: exported.block.dropLast() + last, under: Rig.id("KEK"), by: rig.bob)
        }
        #expect(try await rig.centre.versions(by: rig.bob).first { $0.identity == bad }?.state == .created)
    }

    @Test func `a key that is not exportable stays, whoever approves`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("KEK", Rig.transport)
        try await rig.makeKey("TMK", Rig.terminalMAC)
        let intent = Intent.exportKey(Rig.id("TMK"), under: Rig.id("KEK"))
        let approval = try await rig.approved(intent, by: rig.bob, and: rig.alice)
        await #expect(throws: KMSError.module(.notExportable)) {
            try await rig.centre.exportKey(Rig.id("TMK"), under: Rig.id("KEK"), approval: approval, by: rig.bob)
        }
    }

    @Test func `nobody issues keys in the name of those that are made for hosts`() async throws {
        let rig = try await Rig.make()
        await #expect(throws: KMSError.invalidInput("issuer code (host is the service's own)")) {
            try await rig.centre.createIssuer("host", name: "Host", description: "", by: rig.alice)
        }
    }

    @Test func `a destroyed key leaves its check value and no block`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        let key = try await rig.makeKey("DPK", Rig.purchase)
        let approval = try await rig.approved(.destroyKey(Rig.id("DPK")), by: rig.bob, and: rig.carol)
        await #expect(throws: KMSError.moveNotAllowed(from: .active, to: .destroyed)) {
            try await rig.centre.destroy(Rig.id("DPK"), approval: approval, by: rig.bob)
        }
        try await rig.centre.retire(Rig.id("DPK"), by: rig.bob)
        // The approval above was used up by the try.
        await #expect(throws: KMSError.approvalUsed) {
            try await rig.centre.destroy(Rig.id("DPK"), approval: approval, by: rig.bob)
        }
        let next = try await rig.approved(.destroyKey(Rig.id("DPK")), by: rig.bob, and: rig.carol)
        try await rig.centre.destroy(Rig.id("DPK"), approval: next, by: rig.bob)
        let gone = try #require(try await rig.centre.versions(by: rig.bob).first)
        #expect(gone.state == .destroyed)
        #expect(gone.block == nil)
        #expect(gone.checkValue == key.checkValue)
        // The picture of the service knows its name, so that a copy of its block is refused and not taken for a stranger's.
        let snapshot = rig.centre.directory.snapshot
        #expect(snapshot.key(Rig.id("DPK")) == nil && snapshot.keyIndex.isDestroyed(Rig.id("DPK")))
        await #expect(throws: KMSError.keyStateForbids("ICBC/PURSE/DPK/01", .destroyed)) {
            try await rig.centre.generateValue(Rig.id("DPK"), by: rig.bob)
        }
        let records = try await rig.centre.auditRecords(from: 1, limit: 1_000, by: rig.erin)
        let destroyed = try #require(records.last { $0.operation == "key.destroy" && $0.outcome == "done" })
        #expect(destroyed.actors == ["bob", "carol"])
        #expect(destroyed.checkValue == key.checkValue?.description)
    }

    @Test func `a compromise drags along what travelled under the key, three levels deep`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("TOP", Rig.transport)
        try await rig.makeKey("MID", Rig.transport)
        try await rig.makeKey("LOW", Rig.purchase)
        try await rig.makeKey("APART", Rig.purchase)
        for (key, transport) in [("MID", "TOP"), ("LOW", "MID")] {
            let intent = Intent.exportKey(Rig.id(key), under: Rig.id(transport))
            let approval = try await rig.approved(intent, by: rig.bob, and: rig.alice)
            _ = try await rig.centre.exportKey(
                Rig.id(key), under: Rig.id(transport), approval: approval, by: rig.bob)
        }
        let approval = try await rig.approved(.compromiseKey(Rig.id("TOP")), by: rig.bob, and: rig.alice)
        let marked = try await rig.centre.compromise(Rig.id("TOP"), approval: approval, by: rig.bob)
        #expect(marked == [Rig.id("TOP"), Rig.id("MID"), Rig.id("LOW")])
        let states = try await rig.centre.versions(by: rig.bob).map { ($0.identity.label, $0.state) }
        #expect(
            Dictionary(uniqueKeysWithValues: states) == [
                "TOP": .compromised, "MID": .compromised, "LOW": .compromised, "APART": .active,
            ])
        await #expect(throws: KMSError.moveNotAllowed(from: .compromised, to: .active)) {
            try await rig.centre.resume(Rig.id("LOW"), by: rig.bob)
        }
    }

    private func typed(_ text: String) throws -> SecretInput {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw KMSError.internalFault("pipe") }
        defer { close(ends[0]) }
        let line = Array((text + "\n").utf8)
        _ = unsafe write(ends[1], line, line.count)
        close(ends[1])
        return try SecretInput(lineFrom: ends[0], hexadecimal: true)
    }
}
