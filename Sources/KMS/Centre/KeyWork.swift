public import HSMBridge
internal import MariaDB

extension KeyCentre {
    /// First step: what the key is for. Its version 01 waits for a value.
    public func createKey(
        _ name: KeyName, attributes: KeyAttributes, validity: Validity, description: String, by actor: Actor
    ) async throws(KMSError) -> KeyIdentity {
        guard let first = name.version(1) else { throw .invalidInput("version") }
        try await changing(.createKey, first.description, fields: Self.fields(attributes, validity), actor) {
            () throws(KMSError) in
            try Input.text(description, "description", 0...500)
            guard validity.isOrdered else { throw .invalidInput("validity (the end is not after the beginning)") }
            let key = ApplicationKey(name: name, attributes: attributes, validity: validity, description: description)
            let now = self.clocks.wall()
            return { connection in
                try ApplicationKeyTable.insert(key, &connection)
                try KeyVersionTable.insert(first, validity, now: now, &connection)
                return true
            }
        }
        return first
    }

    /// The next version, waiting for its value. Without a validity of its own it has the key's.
    public func createVersion(
        of name: KeyName, validity: Validity?, by actor: Actor
    ) async throws(KMSError) -> KeyIdentity {
        try await carryOut(.createVersion, on: name.description, by: actor) { (notes) async throws(KMSError) in
            if let validity, !validity.isOrdered {
                throw .invalidInput("validity (the end is not after the beginning)")
            }
            let now = self.clocks.wall()
            let made = try await self.change { connection in
                guard let key = try ApplicationKeyTable.one(name, &connection) else {
                    throw KMSError.notFound("key \(name)")
                }
                let last = try KeyVersionTable.lastVersion(of: name, &connection)
                guard let next = name.version(last + 1) else {
                    throw KMSError.invalidInput("a key has 99 versions at most")
                }
                try KeyVersionTable.insert(next, validity ?? key.validity, now: now, &connection)
                return next
            }
            notes.fields[.version] = made.versionText
            return made
        }
    }

    /// Only while no version ever had a value; else the tombstones stay.
    public func deleteKey(_ name: KeyName, by actor: Actor) async throws(KMSError) {
        try await changing(.deleteKey, name.description, actor) {
            { connection in
                let versions = try KeyVersionTable.versions(of: name, &connection)
                if let valued = versions.first(where: { $0.checkValue != nil }) {
                    throw KMSError.keyHasValue(valued.identity.description)
                }
                try KeyVersionTable.deleteUnvalued(name, &connection)
                return try ApplicationKeyTable.delete(name, &connection)
            }
        }
    }

    public func keys(by actor: Actor) async throws(KMSError) -> [ApplicationKey] {
        try await authorise(.read, by: actor)
        return try await read { connection in try ApplicationKeyTable.all(&connection) }
    }

    public func versions(by actor: Actor) async throws(KMSError) -> [KeyVersion] {
        try await authorise(.read, by: actor)
        return try await read { connection in try KeyVersionTable.all(&connection) }
    }

    // MARK: - Life

    public func suspend(_ id: KeyIdentity, by actor: Actor) async throws(KMSError) {
        try await move(id, to: .suspended, .suspendKey, nil, actor)
    }

    public func resume(_ id: KeyIdentity, by actor: Actor) async throws(KMSError) {
        try await move(id, to: .active, .resumeKey, nil, actor)
    }

    public func retire(_ id: KeyIdentity, by actor: Actor) async throws(KMSError) {
        try await move(id, to: .retired, .retireKey, nil, actor)
    }

    /// Takes the value away for good; the tombstone keeps the check value.
    public func destroy(_ id: KeyIdentity, approval: ApprovalID, by actor: Actor) async throws(KMSError) {
        try await move(id, to: .destroyed, .destroyKey, (.destroyKey(id), approval), actor)
    }

    /// Marks a key and everything that travelled under it, in or out, directly or by way of others.
    public func compromise(
        _ id: KeyIdentity, approval: ApprovalID, by actor: Actor
    ) async throws(KMSError) -> [KeyIdentity] {
        try await carryOut(
            .compromiseKey, on: id.description, approval: (.compromiseKey(id), approval), by: actor
        ) { (notes) async throws(KMSError) in
            let now = self.clocks.wall()
            let marked = try await self.change { connection in
                let first = try Self.require(id, &connection)
                guard first.state.mayBecome(.compromised) else {
                    throw KMSError.moveNotAllowed(from: first.state, to: .compromised)
                }
                var marked: [KeyVersion] = []
                for identity in [id] + (try KeyTransportTable.under(id, &connection)) {
                    guard let version = try KeyVersionTable.one(identity, &connection),
                        version.state.mayBecome(.compromised)
                    else { continue }
                    guard
                        try KeyVersionTable.move(
                            identity, from: version.state, to: .compromised, now: now, &connection)
                    else { throw KMSError.busy }
                    marked.append(version)
                }
                return marked
            }
            notes.checkValue = marked.first?.checkValue
            notes.fields[.count] = String(marked.count)
            notes.further = marked.dropFirst().map { ($0.identity.description, $0.checkValue) }
            return marked.map(\.identity)
        }
    }

    private func move(
        _ id: KeyIdentity, to state: KeyState, _ operation: Operation, _ approval: (Intent, ApprovalID)?, _ actor: Actor
    ) async throws(KMSError) {
        try await carryOut(
            operation, on: id.description, fields: [.state: state.rawValue], approval: approval, by: actor
        ) { (notes) async throws(KMSError) in
            let now = self.clocks.wall()
            let before = try await self.change { connection in
                let version = try Self.require(id, &connection)
                // `created` becomes active by getting a value, and by nothing else.
                guard version.state.mayBecome(state), version.state != .created || state == .destroyed else {
                    throw KMSError.moveNotAllowed(from: version.state, to: state)
                }
                guard try KeyVersionTable.move(id, from: version.state, to: state, now: now, &connection) else {
                    throw KMSError.busy
                }
                return version
            }
            notes.checkValue = before.checkValue
            notes.fields[.fromState] = before.state.rawValue
            notes.fields[.state] = state.rawValue
        }
    }

    // MARK: -

    static func require(_ id: KeyIdentity, _ connection: inout Connection) throws -> KeyVersion {
        guard let version = try KeyVersionTable.one(id, &connection) else { throw KMSError.notFound("key \(id)") }
        return version
    }

    static func fields(_ attributes: KeyAttributes, _ validity: Validity = .unlimited) -> [AuditField: String] {
        var fields: [AuditField: String] = [
            .usage: attributes.usage.rawValue, .algorithm: attributes.algorithm.name,
            .mode: String(attributes.mode.rawValue), .exportability: String(attributes.exportability.rawValue),
        ]
        if attributes.levels > 0 { fields[.levels] = String(attributes.levels) }
        fields[.validFrom] = validity.from?.text
        fields[.validUntil] = validity.until?.text
        return fields
    }
}
