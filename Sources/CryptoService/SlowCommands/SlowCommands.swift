import CryptoClient
import HSMBridge
import KMS
import NIOCore

/// Commands that make, take or give keys, and the module's status: over a connection of their own, on its threads.
struct SlowCommands: Sendable {
    /// Version 0.1 in the four digits of the field, then the form `E000`.
    static let firmware = "0001-E000"

    let module: any SecurityModule
    let rsa: RSAModules
    let counts: RequestCounts
    let failedChecks: FailedChecks
    let monitoring: Monitoring

    /// Answers one request, whatever happens.
    func answer(_ request: HostRequest, _ access: KeyAccess, origin: String) async -> HostAnswer {
        let operation = HostRules.operation(of: request)
        var used = KeyAccess.unnamed
        var answer: HostAnswer
        do throws(Refusal) {
            switch request {
            case .diagnostics: answer = try await diagnostics(access)
            case .generateKey(let generate): answer = .key(try await self.generate(generate, access))
            case .importKey(let importing): answer = .key(try await take(importing, access, origin))
            case .exportKey(let export): answer = .key(try await give(export, access, &used))
            case .diversifyKey(let diversify): answer = .key(try await self.diversify(diversify, access, &used))
            case .generateKeyPair(let pair): answer = .reply(try await generate(pair, access))
            case .importPublicKey(let key): answer = .reply(try await take(key, access))
            case .status(let status): answer = .reply(try self.status(status, access))
            case .loading: answer = .reply(try await loading(access))
            case .volumes: answer = .reply(try await volumes(access))
            case .healthCounts: answer = .reply(try await healthCounts(access))
            case .health: answer = .reply(try await health(access))
            case .formKey(let form): answer = .key(try await self.form(form, access))
            case .translateScheme(let translate): answer = .reply(try await self.translate(translate, access, &used))
            case .translateLMK(let translate): answer = .reply(try await self.translate(translate, access, &used))
            default: answer = .refused(.commandNotLicensed)
            }
        } catch {
            answer = .refused(error.code)
        }
        if let operation {
            counts.count(
                client: access.client, key: used, operation: operation, succeeded: answer.isSuccess ? 1 : 0,
                failed: answer.isSuccess ? 0 : 1)
        }
        return answer
    }

    private func diagnostics(_ access: KeyAccess) async throws(Refusal) -> HostAnswer {
        try access.requireClient()
        let status = try await execute(GetStatus())
        guard status.state == .operational, let checkValue = status.lmkCheckValue else { throw .module(.sealed) }
        return .diagnostics(DiagnosticsReply(lmkCheckValue: checkValue.description, firmware: Self.firmware))
    }

    /// A0. The key is nobody's row: it goes to the host, under a name that says so.
    private func generate(_ request: GenerateKeyRequest, _ access: KeyAccess) async throws(Refusal) -> KeyReply {
        try HostRules.check(request.keyType, request.scheme, .keyBlock)
        guard let wanted = request.attributes else { throw .host(.keyUsage) }
        let attributes = try wanted.module()
        try access.requireGrant(.generateKey)
        var transport: GrantedKey?
        if let copy = request.transport {
            guard copy.scheme == .transportBlock else { throw .host(.keyScheme) }
            transport = try access.key(copy.key, for: .generateKey)
        }
        let identity = try HostKeyIdentity.make(client: access.client, version: wanted.version)
        // Version c1 to c9: a component, which only A4 uses, and which does not travel.
        let component = wanted.component
        guard component == 0 || transport == nil else { throw .host(.keyVersion) }
        let key = try await execute(GenerateKey(attributes: attributes, identity: identity, component: component))
        guard let transport else { return try reply(key) }
        let copy = try await execute(
            ExportKeyBlock(transportKey: transport.reference, key: .block(key.block, expected: identity)))
        return try reply(key, copy: copy)
    }

    /// A6.
    private func take(
        _ request: ImportKeyRequest, _ access: KeyAccess, _ origin: String
    ) async throws(Refusal) -> KeyReply {
        try HostRules.check(request.keyType, request.scheme, .keyBlock)
        switch request.key.form {
        case .transportBlock, .doubleX917, .tripleX917: break
        default: throw .host(.keyScheme)
        }
        try access.requireGrant(.importKey)
        let transport = try access.key(request.transportKey, for: .importKey)
        let text = String(buffer: request.key.text)
        guard request.key.form == .transportBlock else {
            guard let attributes = try request.attributes?.module() else { throw .host(.keyUsage) }
            guard let given = request.checkValue, let checkValue = KeyCheckValue(given) else {
                throw .host(.checkValueLength)
            }
            guard let cryptogram = Hex.decode(text) else { throw .host(.inputData) }
            let command = ImportCryptogram(
                transportKey: transport.reference, cryptogram: cryptogram, checkValue: checkValue,
                attributes: attributes,
                identity: try HostKeyIdentity.make(client: access.client, version: request.attributes?.version))
            do throws(Refusal) { return try reply(await execute(command)) } catch {
                if case .module(.checkValueMismatch) = error {
                    // Blocks tried until one gives a key with a value known before: as worth a line as a wrong MAC.
                    failedChecks.record(
                        client: access.client, key: transport.name, operation: .importKey, code: error.code.rawValue,
                        origin: origin)
                }
                throw error
            }
        }
        guard let header = try? KeyBlockHeader(parsing: text) else { throw .host(.keyBlockFormat) }
        let identity = try HostKeyIdentity.make(
            client: access.client, version: request.attributes?.version ?? header.keyVersionText)
        let candidates: [KeyAttributes]
        if let given = request.attributes {
            candidates = [try given.module()]
        } else {
            candidates = try header.attributes()
        }
        var refusal = Refusal.host(.algorithm)
        for attributes in candidates {
            do throws(Refusal) {
                return try reply(
                    await execute(
                        ImportKeyBlock(
                            transportKey: transport.reference, block: text, attributes: attributes, identity: identity))
                )
            } catch {
                refusal = error
                // A header says "TDES" and not how long; the next length may be it.
                guard case .module(.attributesContradict) = error else { throw error }
            }
        }
        throw refusal
    }

    /// A8.
    private func give(
        _ request: ExportKeyRequest, _ access: KeyAccess, _ used: inout String
    ) async throws(Refusal) -> KeyReply {
        try HostRules.check(request.keyType, request.scheme, .transportBlock)
        let key = try access.key(request.key, for: .exportKey)
        used = key.name
        let transport = try access.key(request.transportKey, for: .exportKey)
        let block = try await execute(ExportKeyBlock(transportKey: transport.reference, key: key.reference))
        if let wanted = request.exportability {
            // The module decides what a block says; one that says something else than asked is not given away.
            let header = try? KeyBlockHeader(parsing: block.block)
            guard let header, String(header.exportabilityCharacter) == wanted else { throw .host(.exportability) }
        }
        return try transportReply(block)
    }

    /// YD.
    private func diversify(
        _ request: DiversifyKeyRequest, _ access: KeyAccess, _ used: inout String
    ) async throws(Refusal) -> KeyReply {
        let (key, transport) = try diversificationKeys(request.key.master, request.transportKey, access, &used)
        let factors = request.key.path.factors.map(\.rawValue)
        let block = try await execute(
            DiversifyKey(key: DerivedKey(key.reference, factors: factors), transportKey: transport?.reference))
        if let wanted = request.attributes {
            guard let header = try? KeyBlockHeader(parsing: block.block) else { throw .host(.internalError) }
            try wanted.requireSame(as: header)
        }
        return transport == nil ? try reply(block) : try transportReply(block)
    }

    /// The master that a card's key comes from, and the key that it goes under: both must be granted.
    func diversificationKeys(
        _ master: HostKeyReference, _ transportKey: HostKeyReference?, _ access: KeyAccess, _ used: inout String
    ) throws(Refusal) -> (master: GrantedKey, transport: GrantedKey?) {
        let key = try access.key(master, for: .diversify)
        used = key.name
        guard let transportKey else { return (key, nil) }
        return (key, try access.key(transportKey, for: .diversify))
    }

    // MARK: Pieces

    func execute<Command: ModuleCommand>(_ command: Command) async throws(Refusal) -> Command.Reply {
        do throws(ModuleRefusal) { return try await module.execute(command) } catch { throw .module(error.error) }
    }

    func reply(_ key: WrappedKey, copy: WrappedKey? = nil) throws(Refusal) -> KeyReply {
        do throws(FieldError) {
            var under: HostKeyReference?
            if let copy { under = try .transportBlock(copy.block) }
            return KeyReply(
                key: try .lmkBlock(key.block), keyUnderTransport: under, checkValue: key.checkValue.description)
        } catch { throw .host(.internalError) }
    }

    func transportReply(_ key: WrappedKey) throws(Refusal) -> KeyReply {
        do throws(FieldError) {
            return KeyReply(key: try .transportBlock(key.block), checkValue: key.checkValue.description)
        } catch { throw .host(.internalError) }
    }
}
