import COpenSSL

/// How a digest becomes a signature.
struct RSASignatureScheme: Sendable, Hashable {
    enum Padding: Sendable, Hashable {
        /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2).
        case pkcs1
        /// RSASSA-PSS (RFC 8017 8.1), MGF1 with the same hash function; our salt is as long as the digest, a foreign one may
        /// have any length.
        case pss
    }

    let padding: Padding
    let digest: DigestAlgorithm

    init(_ padding: Padding, _ digest: DigestAlgorithm) {
        self.padding = padding
        self.digest = digest
    }
}

extension RSA {
    /// Signs one message with a key that is parsed for it alone.
    static func sign(
        _ message: Span<UInt8>, _ digest: DigestAlgorithm, with privateKey: borrowing SecretBytes
    ) throws(PrimitiveError) -> [UInt8] {
        let key = try OpenRSAKey(privateKey)
        return try key.sign(digest: try digest.hash(message), RSASignatureScheme(.pkcs1, digest))
    }

    static func verify(
        _ signature: Span<UInt8>, of message: Span<UInt8>, _ digest: DigestAlgorithm, publicKey: [UInt8]
    ) throws(PrimitiveError) -> Bool {
        let handle = try RSAKeyHandle.publicKey(publicKey)
        return try verify(signature, of: try digest.hash(message), RSASignatureScheme(.pkcs1, digest), handle)
    }

    /// The private operation over a digest. libcrypto checks what the CRT halves give (`OpenRSAKey.sign` says how far that goes); the
    /// signature itself is not verified here.
    static func signature(
        of digest: [UInt8], _ scheme: RSASignatureScheme, _ handle: borrowing RSAKeyHandle
    ) throws(PrimitiveError) -> [UInt8] {
        try signature(of: digest, scheme, length: handle.length, try PreparedContext(.sign, scheme, handle))
    }

    /// The same; `length`: bytes of the modulus.
    static func signature(
        of digest: [UInt8], _ scheme: RSASignatureScheme, length size: Int, _ prepared: PreparedContext
    ) throws(PrimitiveError) -> [UInt8] {
        guard digest.count == scheme.digest.length else { throw .dataLengthInvalid }
        return try unsafe prepared.withCopy { context throws(PrimitiveError) in
            var result = [UInt8](repeating: 0, count: size)
            var length = size
            let done = unsafe digest.withUnsafeBufferPointer { bytes in
                unsafe result.withUnsafeMutableBufferPointer { output in
                    unsafe EVP_PKEY_sign(context, output.baseAddress, &length, bytes.baseAddress, bytes.count)
                }
            }
            guard done == 1, length == size else { throw internalOpenSSLError() }
            return result
        }
    }

    static func verify(
        _ signature: Span<UInt8>, of digest: [UInt8], _ scheme: RSASignatureScheme, _ handle: borrowing RSAKeyHandle
    ) throws(PrimitiveError) -> Bool {
        try verify(signature, of: digest, scheme, try PreparedContext(.verify, scheme, handle))
    }

    static func verify(
        _ signature: Span<UInt8>, of digest: [UInt8], _ scheme: RSASignatureScheme, _ prepared: PreparedContext
    ) throws(PrimitiveError) -> Bool {
        guard digest.count == scheme.digest.length else { throw .dataLengthInvalid }
        return try unsafe prepared.withCopy { context throws(PrimitiveError) in
            let done = unsafe digest.withUnsafeBufferPointer { bytes in
                unsafe signature.withUnsafeBufferPointer { value in
                    unsafe EVP_PKEY_verify(context, value.baseAddress, value.count, bytes.baseAddress, bytes.count)
                }
            }
            if done != 1 { _ = internalOpenSSLError() }
            return done == 1
        }
    }
}

/// A context of libcrypto with its key, its operation and its padding set, for any number of calculations.
///
/// To set one up, libcrypto looks its algorithms up by their names, under locks that all threads share; a copy of one that is set up
/// takes references. Nothing in the original changes after `init`, so threads may copy it at the same time.
@safe final class PreparedContext: @unchecked Sendable {
    enum Purpose: Sendable, Hashable { case sign, verify }

    private let pointer: OpaquePointer

    init(
        _ purpose: Purpose, _ scheme: RSASignatureScheme, _ handle: borrowing RSAKeyHandle
    ) throws(PrimitiveError) {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil) else {
            throw internalOpenSSLError()
        }
        unsafe pointer = context
        let begun =
            switch purpose {
            case .sign: unsafe EVP_PKEY_sign_init(context)
            case .verify: unsafe EVP_PKEY_verify_init(context)
            }
        guard begun == 1 else { throw internalOpenSSLError() }
        let salt = purpose == .sign ? Self.saltOfDigestLength : Self.anySaltLength
        try unsafe Self.set(scheme, saltLength: salt, context)
    }

    deinit { unsafe EVP_PKEY_CTX_free(pointer) }

    /// Lends a copy, for one calculation.
    @unsafe func withCopy<R>(_ body: (OpaquePointer) throws(PrimitiveError) -> R) throws(PrimitiveError) -> R {
        guard let copy = unsafe EVP_PKEY_CTX_dup(pointer) else { throw internalOpenSSLError() }
        defer { unsafe EVP_PKEY_CTX_free(copy) }
        return try unsafe body(copy)
    }

    /// RSA_PSS_SALTLEN_DIGEST and RSA_PSS_SALTLEN_AUTO, macros that Swift does not import as they are written.
    private static let saltOfDigestLength: Int32 = -1
    private static let anySaltLength: Int32 = -2

    @unsafe private static func set(
        _ scheme: RSASignatureScheme, saltLength: Int32, _ context: OpaquePointer
    ) throws(PrimitiveError) {
        // SM3 has no place among the digests of RFC 8017, and MD5 is broken for signatures.
        guard scheme.digest != .sm3, scheme.digest != .md5 else { throw .algorithmNotPermitted }
        let padding = scheme.padding == .pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING
        guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1,
            unsafe EVP_PKEY_CTX_set_signature_md(context, Libcrypto.digest(scheme.digest).pointer) == 1
        else { throw internalOpenSSLError() }
        guard scheme.padding == .pss else { return }
        guard unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(context, saltLength) == 1 else { throw internalOpenSSLError() }
    }
}
