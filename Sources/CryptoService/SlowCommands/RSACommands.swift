import CryptoClient
import HSMBridge
import KMS
import NIOCore

extension HostRules {
    /// Data of GM above this goes with the batches: a fifth of a millisecond would be felt on the way of single commands.
    static let longHash = 4_096

    static func algorithm(of request: HashRequest) throws(Refusal) -> HashAlgorithm {
        guard let algorithm = request.hash.module else { throw .host(.hashIdentifier) }
        return algorithm
    }
}

extension HostRules {
    /// Refuses what EW and EY cannot have signed or checked; the code of each identifier says which of them does not serve.
    static func check(_ method: SignatureMethod, isNew: Bool) throws(Refusal) {
        switch method.hash {
        case .md5, .sm3: throw .host(.hashIdentifier)
        case .sha1 where isNew: throw .host(.hashIdentifier)
        case .none where method.padding == .pss: throw .host(.padModeIdentifier)
        default: break
        }
    }
}

extension HostHash {
    /// Nil for `none`.
    var module: HashAlgorithm? {
        switch self {
        case .sha1: .sha1
        case .md5: .md5
        case .none: nil
        case .sha224: .sha224
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        case .sm3: .sm3
        }
    }
}

extension SlowCommands {
    /// EI. Nothing here deciphers with RSA, so no key is made for that alone.
    func generate(_ request: GenerateKeyPairRequest, _ access: KeyAccess) async throws(Refusal) -> KeyPairReply {
        let mode: ModeOfUse
        switch request.use {
        case .signature: mode = .sign
        case .both: mode = .signAndDecrypt
        case .keyManagement, .card, .dataDecryption, .pinDecryption: throw .host(.keyTypeCode)
        }
        guard (2_048...4_096).contains(request.bits), request.bits % 8 == 0 else { throw .host(.publicKeyLength) }
        let exponent = request.exponent ?? [1, 0, 1]
        guard exponent == [1, 0, 1] || exponent == [3] else { throw .host(.inputData) }
        guard request.options?.optionalBlocks.isEmpty ?? true else { throw .host(.optionalBlock) }
        // A private key never leaves: no transport key of ours is as strong as it needs, and nobody asked.
        guard (request.options?.exportability ?? "N") == "N" else { throw .host(.exportability) }
        try access.requireGrant(.generateKeyPair)
        let identity = try HostKeyIdentity.make(client: access.client, version: request.options?.version)
        let attributes = KeyAttributes(
            usage: .signature, algorithm: .rsa(bits: request.bits), mode: mode, exportability: .nonExportable)
        let pair = try await execute(
            GenerateKeyPair(
                attributes: attributes, identity: identity, exponent: exponent.reduce(0) { $0 << 8 | UInt32($1) }),
            on: rsa.keyPairs)
        do throws(FieldError) {
            return KeyPairReply(
                publicKey: try HostPublicKey(subjectPublicKeyInfo: pair.publicKey, encoding: request.encoding),
                privateKey: try .lmkBlock(pair.privateKey.block))
        } catch { throw .host(.internalError) }
    }

    /// EO.
    func take(_ request: ImportPublicKeyRequest, _ access: KeyAccess) async throws(Refusal) -> PublicKeyReply {
        // Without attributes it is the form of the variant scheme, whose MAC of four bytes we do not make.
        guard let attributes = request.attributes else { throw .host(.lmkScheme) }
        guard attributes.modeOfUse == String(ModeOfUse.verify.rawValue) else { throw .host(.modeOfUse) }
        guard let letter = attributes.exportability.first, let exportability = Exportability(rawValue: letter) else {
            throw .host(.exportability)
        }
        guard attributes.optionalBlocks.isEmpty else { throw .host(.optionalBlock) }
        guard (1_024...4_096).contains(request.publicKey.bits) else { throw .host(.publicKeyLength) }
        try access.requireGrant(.importPublicKey)
        let key = try await execute(
            ProtectPublicKey(
                modulus: request.publicKey.modulus, exponent: request.publicKey.exponent, exportability: exportability,
                identity: try HostKeyIdentity.make(client: access.client, version: attributes.version)),
            on: rsa.publicKeys)
        do throws(FieldError) { return PublicKeyReply(key: try .lmkBlock(key.block)) } catch {
            throw .host(.internalError)
        }
    }

    private func execute<Command: ModuleCommand>(
        _ command: Command, on module: any SecurityModule
    ) async throws(Refusal) -> Command.Reply {
        do throws(ModuleRefusal) { return try await module.execute(command) } catch { throw .module(error.error) }
    }
}
