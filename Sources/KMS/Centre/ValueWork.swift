public import HSMBridge
internal import MariaDB
import Synchronization

extension KeyCentre {
    /// Second step, made here: the module's own random value. RSA key pairs take up to seconds.
    @discardableResult
    public func generateValue(_ id: KeyIdentity, by actor: Actor) async throws(KMSError) -> KeyVersion {
        try await giveValue(id, .generateValue, actor) { (version) async throws(KMSError) in
            do throws(ModuleRefusal) {
                if version.attributes.algorithm.isSymmetric {
                    let key = try await self.module.execute(GenerateKey(attributes: version.attributes, identity: id))
                    return NewValue(key: key, publicKey: nil, origin: .generated)
                }
                let pair = try await self.module.execute(GenerateKeyPair(attributes: version.attributes, identity: id))
                return NewValue(key: pair.privateKey, publicKey: pair.publicKey, origin: .generated)
            } catch { throw .module(error.error) }
        }
    }

    /// Opens the entry of full-length components. The custodians' command lines send theirs straight to the module, with the
    /// session of the answer; nobody here ever sees one.
    public func beginComponents(
        _ id: KeyIdentity, count: Int, by actor: Actor
    ) async throws(KMSError) -> ComponentEntry {
        try await carryOut(
            .beginComponents, on: id.description, fields: [.count: String(count)], by: actor
        ) { (_) async throws(KMSError) in
            guard (2...3).contains(count) else { throw .invalidInput("number of components (2 or 3)") }
            let version = try await self.waiting(id)
            let entry: ComponentEntry
            do throws(ModuleRefusal) {
                entry = try await self.module.execute(
                    BeginComponentEntry(attributes: version.attributes, identity: id, components: UInt8(count)))
            } catch { throw .module(error.error) }
            self.desk.withLock { desk in
                if desk.componentEntries.count >= 256 { desk.componentEntries = [:] }
                desk.componentEntries[entry.session] = id
            }
            return entry
        }
    }

    /// Forms the key of the components.
    @discardableResult
    public func finishComponents(
        _ id: KeyIdentity, session: UInt64, by actor: Actor
    ) async throws(KMSError) -> KeyVersion {
        try await giveValue(id, .finishComponents, actor) { (_) async throws(KMSError) in
            guard self.desk.withLock({ $0.componentEntries[session] }) == id else { throw .module(.ceremonyNotOpen) }
            do throws(ModuleRefusal) {
                let key = try await self.module.execute(FinishComponentEntry(session: session))
                self.desk.withLock { $0.componentEntries[session] = nil }
                return NewValue(key: key, publicKey: nil, origin: .components)
            } catch { throw .module(error.error) }
        }
    }

    /// Forgets the components typed so far.
    public func abortComponents(_ id: KeyIdentity, session: UInt64, by actor: Actor) async throws(KMSError) {
        try await carryOut(.abortComponents, on: id.description, by: actor) { (_) async throws(KMSError) in
            guard self.desk.withLock({ $0.componentEntries.removeValue(forKey: session) }) == id else {
                throw .module(.ceremonyNotOpen)
            }
            do throws(ModuleRefusal) { _ = try await self.module.execute(AbortComponentEntry(session: session)) } catch
            {
                throw .module(error.error)
            }
        }
    }

    /// From an X9.143 block (A, B, C or D) under a transport key.
    @discardableResult
    public func importValue(
        _ id: KeyIdentity, block: String, under: KeyIdentity, by actor: Actor
    ) async throws(KMSError) -> KeyVersion {
        try await giveValue(id, .importKeyBlock, under: under, actor) { (version) async throws(KMSError) in
            let transport = try await self.usable(under)
            let command = ImportKeyBlock(
                transportKey: transport.reference, block: block, attributes: version.attributes, identity: id)
            let key = try await self.executeUnder(transport, command)
            return NewValue(key: key, publicKey: nil, origin: .keyBlock)
        }
    }

    /// From an ECB cryptogram with its check value under a transport key.
    @discardableResult
    public func importValue(
        _ id: KeyIdentity, cryptogram: [UInt8], checkValue: KeyCheckValue, under: KeyIdentity, by actor: Actor
    ) async throws(KMSError) -> KeyVersion {
        try await giveValue(id, .importCryptogram, under: under, actor) { (version) async throws(KMSError) in
            guard cryptogram.count == 16 || cryptogram.count == 24 else { throw .invalidInput("cryptogram length") }
            let transport = try await self.usable(under)
            let command = ImportCryptogram(
                transportKey: transport.reference, cryptogram: cryptogram, checkValue: checkValue,
                attributes: version.attributes, identity: id)
            let key = try await self.executeUnder(transport, command)
            return NewValue(key: key, publicKey: nil, origin: .cryptogram)
        }
    }

    /// Gives a key under a transport key, by two people. There is no other way out.
    public func exportKey(
        _ id: KeyIdentity, under: KeyIdentity, approval: ApprovalID, by actor: Actor
    ) async throws(KMSError) -> WrappedKey {
        try await carryOut(
            .exportKey, on: id.description, fields: [.transportKey: under.description],
            approval: (.exportKey(id, under: under), approval), by: actor
        ) { (notes) async throws(KMSError) in
            let key = try await self.usable(id)
            let transport = try await self.usable(under)
            notes.checkValue = key.checkValue
            notes.fields[.transportKey] = under.description
            guard key.attributes.exportability != .nonExportable else { throw .module(.notExportable) }
            try await self.requireGenuine(key)
            let exported = try await self.executeUnder(
                transport, ExportKeyBlock(transportKey: transport.reference, key: key.reference))
            let now = self.clocks.wall()
            try await self.write { connection in
                try KeyTransportTable.insert(id, under: under, direction: "out", now: now, &connection)
            }
            return exported
        }
    }

    // MARK: -

    /// Puts a value into a version that waits for one: made by `make`, checked against the row, stored by compare-and-set.
    private func giveValue(
        _ id: KeyIdentity, _ operation: Operation, under: KeyIdentity? = nil, _ actor: Actor,
        _ make: (KeyVersion) async throws(KMSError) -> NewValue
    ) async throws(KMSError) -> KeyVersion {
        var fields: [AuditField: String] = [:]
        fields[.transportKey] = under?.description
        return try await carryOut(operation, on: id.description, fields: fields, by: actor) {
            (notes) async throws(KMSError) in
            let value = try await make(try await self.waiting(id))
            let waiting = try await self.waiting(id)
            try Self.requireBound(value.key, to: waiting)
            try await self.store(id, value, under: under, by: actor)
            notes.checkValue = value.key.checkValue
            var version = try await self.read { connection in try Self.require(id, &connection) }
            let alike = try await self.read { connection in
                try KeyVersionTable.withCheckValue(value.key.checkValue, &connection)
            }
            version.sameValueAs = alike.filter {
                $0.identity != id && $0.attributes.algorithm == version.attributes.algorithm
            }.map(\.identity)
            if !version.sameValueAs.isEmpty {
                notes.fields[.sameValue] = version.sameValueAs.map(\.description).joined(separator: " ")
            }
            return version
        }
    }

    private func store(
        _ id: KeyIdentity, _ value: NewValue, under: KeyIdentity?, by actor: Actor
    ) async throws(KMSError) {
        let now = clocks.wall()
        let isStored: Bool
        do throws(KMSError) {
            isStored = try await change { connection in
                guard try KeyVersionTable.setValue(id, value, by: actor.name, now: now, &connection) else {
                    return false
                }
                if let under {
                    try KeyTransportTable.insert(id, under: under, direction: "in", now: now, &connection)
                }
                return true
            }
        } catch {
            // The answer to COMMIT was lost: the row tells whether the block is in.
            guard error == .databaseOutcomeUnknown else { throw error }
            isStored = try await read { connection in try Self.require(id, &connection) }.block == value.key.block
        }
        if !isStored { throw .keyHasValue(id.description) }
    }

    private func waiting(_ id: KeyIdentity) async throws(KMSError) -> KeyVersion {
        let version = try await read { connection in try Self.require(id, &connection) }
        guard version.state != .destroyed else { throw .keyStateForbids(id.description, .destroyed) }
        guard version.state == .created, version.block == nil else { throw .keyHasValue(id.description) }
        return version
    }

    /// The block's own header must name the row that it goes into.
    private static func requireBound(_ key: WrappedKey, to version: KeyVersion) throws(KMSError) {
        let header: KeyBlockHeader
        do throws(KeyBlockHeaderError) { header = try KeyBlockHeader(parsing: key.block) } catch {
            throw .storedKeyRefused(version.identity.description, .keyBlockMalformed)
        }
        guard header.optionalBlock(LMKBlockField.identity) == version.identity.description else {
            throw .storedKeyRefused(version.identity.description, .keyIdentityMismatch)
        }
        guard header.usage == version.attributes.usage, header.mode == version.attributes.mode,
            header.exportability == version.attributes.exportability,
            header.algorithmCharacter == version.attributes.algorithm.headerCharacter,
            header.levels ?? 0 == version.attributes.levels
        else { throw .storedKeyRefused(version.identity.description, .attributesContradict) }
    }
}

// MARK: - Stored keys that are used

extension KeyCentre {
    /// A key as it stands in its row now, fit to protect.
    func usable(_ id: KeyIdentity) async throws(KMSError) -> StoredKey {
        let version = try await read { connection in try Self.require(id, &connection) }
        guard let stored = version.stored else {
            throw version.state == .created
                ? .keyHasNoValue(id.description) : .keyStateForbids(id.description, version.state)
        }
        try stored.requireUsable(protecting: true, now: clocks.wall())
        return stored
    }

    /// Opens the block as this row's key, so that a refusal afterwards is about something else.
    func requireGenuine(_ key: StoredKey) async throws(KMSError) {
        do throws(ModuleRefusal) { _ = try await module.execute(InspectKey(key: key.reference)) } catch {
            throw .of(error, stored: key.identity.description)
        }
    }

    private func executeUnder<Command: ModuleCommand>(
        _ transport: StoredKey, _ command: Command
    ) async throws(KMSError) -> Command.Reply {
        // Told apart from a refused import block: whose block was it?
        try await requireGenuine(transport)
        do throws(ModuleRefusal) { return try await module.execute(command) } catch { throw .module(error.error) }
    }
}
