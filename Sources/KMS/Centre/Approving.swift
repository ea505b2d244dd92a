internal import MariaDB

extension KeyCentre {
    /// Asks for a second person; the approval is of exactly this intent, by this person.
    public func requestApproval(_ intent: Intent, by actor: Actor) async throws(KMSError) -> ApprovalID {
        try await carryOut(
            .requestApproval, on: intent.object, fields: [.intent: intent.canonicalText], by: actor
        ) { (notes) async throws(KMSError) in
            try intent.requireValid()
            // Who may not do it cannot ask for it either.
            guard let roles = try await self.roles(of: actor.name), !roles.isDisjoint(with: intent.operation.roles)
            else {
                throw .roleMissing(intent.operation)
            }
            let now = self.clocks.wall()
            let expires = now.adding(seconds: Int64(self.settings.approvalSeconds))
            let id = try await self.write { connection in
                try ApprovalTable.insert(intent, by: actor.name, now: now, expires: expires, &connection)
            }
            notes.fields[.approval] = String(id)
            return id
        }
    }

    public func approve(_ id: ApprovalID, by actor: Actor) async throws(KMSError) {
        try await decide(id, .approved, .approve, actor)
    }

    public func refuse(_ id: ApprovalID, by actor: Actor) async throws(KMSError) {
        try await decide(id, .refused, .refuseApproval, actor)
    }

    /// Those of the last day, newest first.
    public func approvals(by actor: Actor) async throws(KMSError) -> [Approval] {
        try await authorise(.read, by: actor)
        let since = clocks.wall().adding(seconds: -86_400)
        return try await read { connection in try ApprovalTable.recent(since: since, &connection) }
    }

    private func decide(
        _ id: ApprovalID, _ decision: Approval.Decision, _ operation: Operation, _ actor: Actor
    ) async throws(KMSError) {
        let stored = try await read { connection in try ApprovalTable.one(id, &connection) }
        let object = stored?.approval.object ?? ""
        try await carryOut(
            operation, on: object, fields: [.approval: String(id), .intent: stored?.approval.text ?? ""], by: actor
        ) { (_) async throws(KMSError) in
            guard let stored, let asked = Operation(rawValue: stored.approval.operation) else {
                throw .approvalNotFound
            }
            guard stored.approval.requestedBy != actor.name else { throw .approvalBySamePerson }
            guard let roles = try await self.roles(of: actor.name), let needed = asked.approverRoles,
                !roles.isDisjoint(with: needed)
            else { throw .roleMissing(operation) }
            let now = self.clocks.wall()
            let isDone = try await self.write { connection in
                try ApprovalTable.decide(id, decision, by: actor.name, now: now, &connection)
            }
            if !isDone { throw self.isInTime(stored.approval, now) ? .approvalUsed : .approvalExpired }
        }
    }

    /// The second person of an approval that fits; nothing is used up yet.
    func approver(of approval: (Intent, ApprovalID), _ actor: Actor) async throws(KMSError) -> String {
        let (intent, id) = approval
        guard let stored = try await read({ connection in try ApprovalTable.one(id, &connection) }) else {
            throw .approvalNotFound
        }
        guard stored.digest == intent.digest, stored.approval.requestedBy == actor.name else {
            throw .approvalNotForThis
        }
        guard stored.approval.decision != .used, stored.approval.decision != .refused else { throw .approvalUsed }
        guard isInTime(stored.approval, clocks.wall()) else { throw .approvalExpired }
        guard stored.approval.decision == .approved, let person = stored.approval.decidedBy else {
            throw .approvalNeeded(intent.operation)
        }
        guard person != actor.name else { throw .approvalBySamePerson }
        // A second person who lost the role meanwhile is none.
        guard let roles = try await roles(of: person), let needed = intent.operation.approverRoles,
            !roles.isDisjoint(with: needed)
        else { throw .approvalNotForThis }
        return person
    }

    func use(_ approval: (Intent, ApprovalID), _ actor: Actor) async throws(KMSError) {
        let now = clocks.wall()
        let digest = approval.0.digest
        let id = approval.1
        let isUsed = try await write { connection in
            try ApprovalTable.use(id, digest: digest, by: actor.name, now: now, &connection)
        }
        if !isUsed { throw .approvalUsed }
    }

    /// A clock set back before the request makes it invalid, not young again.
    private func isInTime(_ approval: Approval, _ now: Timestamp) -> Bool {
        approval.requestedAt <= now && now < approval.expiresAt
    }
}
