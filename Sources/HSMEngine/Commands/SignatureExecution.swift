import HSMBridge

extension HashAlgorithm {
    var primitive: DigestAlgorithm {
        switch self {
        case .md5: .md5
        case .sha1: .sha1
        case .sha224: .sha224
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        case .sm3: .sm3
        }
    }
}

extension SignaturePadding {
    fileprivate var primitive: RSASignatureScheme.Padding { self == .pss ? .pss : .pkcs1 }
}

extension SignatureInput {
    /// Hash functions whose collisions can be made are good for checking old signatures and for nothing new.
    private static let checkedOnly: Set<HashAlgorithm> = [.sha1]
    private static let neverSigned: Set<HashAlgorithm> = [.md5, .sm3]

    /// The digest and how it is padded.
    fileprivate func prepared(forNew isNew: Bool) throws(ModuleRefusal) -> ([UInt8], RSASignatureScheme) {
        guard let hash else {
            guard padding == .pkcs1, let info = DigestInfo(parsing: message) else {
                throw ModuleRefusal(.parameterInvalid)
            }
            guard !isNew || info.algorithm != .sha1 else { throw ModuleRefusal(.algorithmNotPermitted) }
            return (info.digest, RSASignatureScheme(.pkcs1, info.algorithm))
        }
        guard !Self.neverSigned.contains(hash), !isNew || !Self.checkedOnly.contains(hash) else {
            throw ModuleRefusal(.algorithmNotPermitted)
        }
        let digest = try primitive { () throws(PrimitiveError) in try hash.primitive.hash(message) }
        return (digest, RSASignatureScheme(padding.primitive, hash.primitive))
    }
}

extension HSMBridge.Hash: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Octets {
        Octets(bytes: try primitive { () throws(PrimitiveError) in try algorithm.primitive.hash(data) })
    }
}

extension CreateSignature: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Octets {
        let key = try execution.key(key).rsa(for: .sign)
        let (digest, scheme) = try input.prepared(forNew: true)
        return Octets(bytes: try primitive { () throws(PrimitiveError) in try key.sign(digest: digest, scheme) })
    }
}

extension VerifySignature: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Verdict {
        let key = try execution.key(key).rsa(for: .verifySignature)
        let (digest, scheme) = try input.prepared(forNew: false)
        let signature = signature
        let isRight = try primitive { () throws(PrimitiveError) in
            try key.verify(signature.span, of: digest, scheme)
        }
        return isRight ? .match : .mismatch
    }
}

/// For audit checkpoints: PKCS#1 v1.5 with SHA-256.
extension Sign: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> HSMBridge.MACValue {
        let input = SignatureInput(hash: .sha256, padding: .pkcs1, message: message)
        let signature = try CreateSignature(key: key, input: input).execute(in: &execution)
        return HSMBridge.MACValue(bytes: signature.bytes)
    }
}

extension ProtectPublicKey: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let keyring = try execution.keyring()
        let handle = try primitive { () throws(PrimitiveError) in
            try RSAKeyHandle.publicKey(try RSA.publicKey(modulus: modulus, exponent: exponent))
        }
        // An even number is no modulus, and no exponent; 1 would verify everything.
        guard let last = modulus.last, last & 1 == 1, let low = exponent.last, low & 1 == 1, exponent != [1],
            exponent.count <= Self.longestExponent, handle.bits % 8 == 0
        else { throw ModuleRefusal(.parameterInvalid) }
        let attributes = KeyAttributes(
            usage: .signature, algorithm: .rsa(bits: handle.bits), mode: .verify, exportability: exportability)
        let body = try primitive { () throws(PrimitiveError) in
            let der = try handle.publicPKCS1()
            return try SecretBytes(copying: der.span)
        }
        return try NewKey(attributes: attributes, identity: identity, key: body).wrapped(by: keyring)
    }

    /// libcrypto takes no longer one with a modulus above 3,072 bits.
    private static let longestExponent = 8

    func journalFields() -> [JournalField] { [JournalField("key", identity), JournalField("alg", "rsa public")] }
    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}
