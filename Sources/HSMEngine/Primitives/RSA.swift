import COpenSSL
import HSMBridge

/// A key pair: the private key as PKCS#1 DER in secret memory, the public key as SubjectPublicKeyInfo DER.
struct RSAKeyPair: ~Copyable {
    let privateKey: SecretBytes
    let publicKey: [UInt8]
    /// Of the modulus.
    let bits: Int
}

/// The public exponents that card schemes take (EMV book 2, B2.1).
enum RSAExponent: UInt, Sendable {
    case three = 3
    /// 65537.
    case f4 = 65_537
}

/// RSA keys and signatures. Slow (generation: up to seconds): never on the threads of the hot path.
enum RSA {
    /// Lengths of a modulus in bits that we use.
    static let lengths = 1_024...4_096
    /// Those of new keys: a modulus below 2,048 bits serves for checking what others signed long ago (SP 800-131A).
    static let newLengths = 2_048...4_096

    /// A new pair, whose halves were tried on each other; a pair that fails is forgotten.
    static func generate(bits: Int, exponent: RSAExponent = .f4) throws(PrimitiveError) -> RSAKeyPair {
        guard lengths.contains(bits), bits % 8 == 0 else { throw .keyLengthInvalid }
        guard SecureRandom.isHealthy else { throw .randomFault }
        let handle = try makeKey(bits: bits, exponent: exponent)
        guard handle.bits == bits else { throw .resultInconsistent }
        try checkPair(handle)
        return RSAKeyPair(privateKey: try handle.privateDER(), publicKey: try handle.publicDER(), bits: bits)
    }

    /// A private key from elsewhere, as PKCS#1 or PKCS#8 DER; its numbers must be primes that belong together.
    static func load(_ der: borrowing SecretBytes) throws(PrimitiveError) -> RSAKeyPair {
        let handle = try RSAKeyHandle.privateKey(der)
        try unsafe withContext(handle) { context throws(PrimitiveError) in
            guard unsafe EVP_PKEY_check(context) == 1 else {
                _ = internalOpenSSLError()
                throw .resultInconsistent
            }
        }
        return RSAKeyPair(privateKey: try handle.privateDER(), publicKey: try handle.publicDER(), bits: handle.bits)
    }

    static func bits(ofPrivateKey der: borrowing SecretBytes) throws(PrimitiveError) -> Int {
        try bits { () throws(PrimitiveError) in try RSAKeyHandle.privateKey(der) }
    }

    static func bits(ofPublicKeyPKCS1 der: borrowing SecretBytes) throws(PrimitiveError) -> Int {
        try bits { () throws(PrimitiveError) in try RSAKeyHandle.publicKeyPKCS1(der) }
    }

    private static func bits(_ parse: () throws(PrimitiveError) -> RSAKeyHandle) throws(PrimitiveError) -> Int {
        do throws(PrimitiveError) {
            return try parse().bits
        } catch .libcrypto {
            throw .keyLengthInvalid
        } catch .parameterInvalid {
            throw .keyLengthInvalid
        }
    }

    private static func makeKey(bits: Int, exponent: RSAExponent) throws(PrimitiveError) -> RSAKeyHandle {
        _ = RSAKeyHandle.secureHeap
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { throw internalOpenSSLError() }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard let number = unsafe BN_new() else { throw internalOpenSSLError() }
        defer { unsafe BN_free(number) }
        var key: OpaquePointer?
        guard unsafe BN_set_word(number, exponent.rawValue) == 1,
            unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1,
            unsafe EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, number) == 1,
            unsafe EVP_PKEY_generate(context, &key) == 1, let made = unsafe key
        else { throw internalOpenSSLError() }
        return unsafe RSAKeyHandle(owning: made)
    }

    /// Pair-wise consistency: libcrypto's own check, and a signature of a fixed message that must verify.
    static func checkPair(_ handle: borrowing RSAKeyHandle) throws(PrimitiveError) {
        try unsafe withContext(handle) { context throws(PrimitiveError) in
            guard unsafe EVP_PKEY_pairwise_check(context) == 1 else {
                _ = internalOpenSSLError()
                throw .resultInconsistent
            }
        }
        let digest = try DigestAlgorithm.sha256.hash(Array("pair-wise consistency".utf8))
        let scheme = RSASignatureScheme(.pkcs1, .sha256)
        let signature = try signature(of: digest, scheme, handle)
        let publicHalf = try RSAKeyHandle.publicKey(try handle.publicDER())
        guard try verify(signature.span, of: digest, scheme, publicHalf) else { throw .resultInconsistent }
    }

    static func withContext<R>(
        _ handle: borrowing RSAKeyHandle, _ body: (OpaquePointer) throws(PrimitiveError) -> R
    ) throws(PrimitiveError) -> R {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil) else {
            throw internalOpenSSLError()
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return try unsafe body(context)
    }
}
