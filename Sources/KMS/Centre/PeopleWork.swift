internal import MariaDB

extension KeyCentre {
    public func administrators(by actor: Actor) async throws(KMSError) -> [Administrator] {
        try await authorise(.read, by: actor)
        return try await read { connection in try AdministratorTable.all(&connection) }
    }

    /// A person without roles: those come one by one, each approved by somebody else.
    public func createAdministrator(
        _ name: String, fullName: String, password: PasswordHash, by actor: Actor
    ) async throws(KMSError) {
        try await changing(.createAdministrator, name, fields: [.fullName: fullName], actor) { () throws(KMSError) in
            try Input.account(name)
            try Input.text(fullName, "full name", 1...100)
            return { connection in
                try AdministratorTable.insert(name, fullName, password, &connection)
                return true
            }
        }
    }

    public func grantRole(
        _ role: Role, to name: String, approval: ApprovalID, by actor: Actor
    ) async throws(KMSError) {
        let intent = Intent.grantRole(role, to: name)
        try await carryOut(
            .grantRole, on: name, fields: [.role: role.rawValue], approval: (intent, approval), by: actor
        ) { (notes) async throws(KMSError) in
            // Nobody makes a role for themselves, whoever approves.
            guard name != actor.name else { throw .approvalBySamePerson }
            let approver = try await self.read { connection in try ApprovalTable.one(approval, &connection) }?.approval
            let now = self.clocks.wall()
            try await self.write { connection in
                guard var roles = try AdministratorRoleTable.roles(of: name, &connection) else {
                    throw KMSError.notFound("administrator \(name)")
                }
                guard roles.insert(role).inserted else { throw KMSError.exists("role \(role.rawValue) of \(name)") }
                guard Role.mayStandTogether(roles) else {
                    throw KMSError.invalidInput("roles (an auditor holds no other role)")
                }
                try AdministratorRoleTable.insert(
                    role, to: name, by: actor.name, approvedBy: approver?.decidedBy ?? "", now: now, &connection)
            }
            notes.fields[.role] = role.rawValue
        }
    }

    public func revokeRole(_ role: Role, from name: String, by actor: Actor) async throws(KMSError) {
        try await carryOut(.revokeRole, on: name, fields: [.role: role.rawValue], by: actor) {
            (notes) async throws(KMSError) in
            try await self.write { connection in
                guard try AdministratorRoleTable.delete(role, from: name, &connection) else {
                    throw KMSError.notFound("role \(role.rawValue) of \(name)")
                }
                try Self.requireGoverned(&connection)
            }
            notes.fields[.role] = role.rawValue
        }
    }

    /// Ends the person's sessions here; on other nodes each operation looks at the row anyway.
    public func disableAdministrator(_ name: String, by actor: Actor) async throws(KMSError) {
        try await changing(.disableAdministrator, name, actor) {
            { connection in
                guard try AdministratorTable.setDisabled(name, true, &connection) else { return false }
                try Self.requireGoverned(&connection)
                return true
            }
        }
        sessions.endAll(of: name)
    }

    public func enableAdministrator(_ name: String, by actor: Actor) async throws(KMSError) {
        try await changing(.enableAdministrator, name, actor) {
            { connection in
                try AdministratorTable.setDisabled(name, false, &connection)
            }
        }
    }

    public func unlockAdministrator(_ name: String, by actor: Actor) async throws(KMSError) {
        try await changing(.unlockAdministrator, name, actor) {
            { connection in
                try AdministratorTable.clearTries(name, &connection)
            }
        }
        throttle.clear(name)
    }

    public func resetPassword(
        of name: String, to hash: PasswordHash, approval: ApprovalID, by actor: Actor
    ) async throws(KMSError) {
        let intent = Intent.resetPassword(of: name)
        try await carryOut(.resetPassword, on: name, approval: (intent, approval), by: actor) {
            (_) async throws(KMSError) in
            guard try await self.write({ connection in try AdministratorTable.setPassword(name, hash, &connection) })
            else { throw .notFound("administrator \(name)") }
            self.sessions.endAll(of: name)
            self.throttle.clear(name)
        }
    }

    public func changePassword(
        of actor: Actor, current: consuming Password, new: consuming Password
    ) async throws(KMSError) {
        let old = PasswordParcel(current)
        let next = PasswordParcel(new)
        try await carryOut(.changePassword, on: actor.name, by: actor) { (_) async throws(KMSError) in
            guard let old = old.take(), let next = next.take() else { throw .internalFault("password parcel") }
            try next.requireAcceptable(forAccount: actor.name)
            _ = try await self.check(actor.name, old)
            let hash = try await self.verifier.hash(next)
            _ = try await self.write { connection in
                try AdministratorTable.setPassword(actor.name, hash, &connection)
            }
            self.sessions.endAll(of: actor.name)
        }
    }

    /// Somebody must be left who can give roles, and somebody else who can approve.
    private static func requireGoverned(_ connection: inout Connection) throws {
        guard try AdministratorRoleTable.holders(of: .conf, &connection) > 0 else {
            throw KMSError.inUse("the last enabled `conf` administrator")
        }
    }
}
