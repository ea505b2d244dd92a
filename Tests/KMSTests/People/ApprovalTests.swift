import Testing

@testable import KMS
@testable import MariaDB

@Suite struct ApprovalTests {
    private let intent = Intent.writeOffStock(kind: "PSAM", count: 2, reason: "scratched")

    private func perform(_ rig: Rig, _ intent: Intent, _ id: ApprovalID, by name: String = "dave") async throws {
        try await rig.centre.perform(
            .writeOffStock, on: "stock", approval: (intent, id), by: rig.actor(name)
        ) {}
    }

    @Test func `an approval works once, for its intent and its requester`() async throws {
        let rig = try await Rig.make()
        let id = try await rig.approved(intent, by: rig.actor("dave"), and: rig.alice)
        await #expect(throws: KMSError.approvalNotForThis) {
            try await perform(rig, .writeOffStock(kind: "PSAM", count: 3, reason: "scratched"), id)
        }
        try await perform(rig, intent, id)
        await #expect(throws: KMSError.approvalUsed) { try await perform(rig, intent, id) }
        let records = try await rig.centre.audit.records(from: 1, limit: 1_000)
        let done = try #require(records.last { $0.operation == "stock.writeoff" && $0.outcome == "done" })
        #expect(done.actors == ["dave", "alice"])
    }

    @Test func `nobody approves their own request, and nobody without the role`() async throws {
        let rig = try await Rig.make()
        let exporting = Intent.destroyKey(Rig.id("K"))
        let id = try await rig.centre.requestApproval(exporting, by: rig.gina)
        await #expect(throws: KMSError.approvalBySamePerson) { try await rig.centre.approve(id, by: rig.gina) }
        for name in ["dave", "erin"] {
            await #expect(throws: KMSError.roleMissing(.approve)) {
                try await rig.centre.approve(id, by: rig.actor(name))
            }
        }
        await #expect(throws: KMSError.roleMissing(.destroyKey)) {
            _ = try await rig.centre.requestApproval(exporting, by: rig.alice)
        }
        // The database holds the same rule.
        let forged = await isDone {
            try await rig.database.write { connection in
                try connection.execute(
                    "UPDATE approval SET decision = 'approved', decided_by = 'gina', decided_at_us = 1")
            }
        }
        #expect(!forged)
    }

    @Test func `a refused, a pending and an expired approval open nothing`() async throws {
        let rig = try await Rig.make()
        let pending = try await rig.centre.requestApproval(intent, by: rig.actor("dave"))
        await #expect(throws: KMSError.approvalNeeded(.writeOffStock)) { try await perform(rig, intent, pending) }
        try await rig.centre.refuse(pending, by: rig.bob)
        await #expect(throws: KMSError.approvalUsed) { try await perform(rig, intent, pending) }
        await #expect(throws: KMSError.approvalUsed) { try await rig.centre.approve(pending, by: rig.bob) }

        let late = try await rig.approved(intent, by: rig.actor("dave"), and: rig.bob)
        let undecided = try await rig.centre.requestApproval(intent, by: rig.actor("dave"))
        rig.clock.advance(seconds: 900)
        await #expect(throws: KMSError.approvalExpired) { try await perform(rig, intent, late) }
        await #expect(throws: KMSError.approvalExpired) { try await rig.centre.approve(undecided, by: rig.bob) }
        // Setting the clock back to before the request does not make it young.
        rig.clock.setWall(bySeconds: -1_000)
        await #expect(throws: KMSError.approvalExpired) { try await perform(rig, intent, late) }
    }

    @Test func `an approver who lost the role meanwhile is no second person`() async throws {
        let rig = try await Rig.make()
        let id = try await rig.approved(intent, by: rig.actor("dave"), and: rig.actor("frank"))
        try await rig.centre.revokeRole(.cert, from: "frank", by: rig.alice)
        await #expect(throws: KMSError.approvalNotForThis) { try await perform(rig, intent, id) }
    }

    @Test func `ten at once use an approval once`() async throws {
        let rig = try await Rig.make()
        let id = try await rig.approved(intent, by: rig.actor("dave"), and: rig.alice)
        let done = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 { group.addTask { await isDone { try await self.perform(rig, self.intent, id) } } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(done == 1)
    }

    @Test func `a role comes by two people, and an auditor holds no other`() async throws {
        let rig = try await Rig.make()
        try await rig.centre.createAdministrator(
            "henry", fullName: "Henry", password: try await TestPasswords.hash.value, by: rig.alice)
        let first = try await rig.approved(.grantRole(.key, to: "henry"), by: rig.alice, and: rig.bob)
        try await rig.centre.grantRole(.key, to: "henry", approval: first, by: rig.alice)
        let second = try await rig.approved(.grantRole(.auditor, to: "henry"), by: rig.alice, and: rig.bob)
        await #expect(throws: KMSError.self) {
            try await rig.centre.grantRole(.auditor, to: "henry", approval: second, by: rig.alice)
        }
        let own = try await rig.approved(.grantRole(.key, to: "alice"), by: rig.alice, and: rig.bob)
        await #expect(throws: KMSError.approvalBySamePerson) {
            try await rig.centre.grantRole(.key, to: "alice", approval: own, by: rig.alice)
        }
        let forged = await isDone {
            try await rig.database.write { connection in
                try connection.execute(
                    """
                    INSERT INTO administrator_role (name, role, granted_by, approved_by, granted_at_us)
                    VALUES ('henry', 'auditor', 'x', 'x', 1)
                    """)
            }
        }
        #expect(!forged)
        #expect(try await rig.centre.administrators(by: rig.erin).first { $0.name == "henry" }?.roles == [.key])
    }
}
