import COpenSSL

// Signatures: PKCS#1 v1.5 (RFC 8017 8.2) with SHA-256 or SHA-1.
extension RSA {
    /// The signature is verified before it is released: a calculation disturbed in one of the two CRT halves would give the
    /// private key away to whoever sees it (Boneh, DeMillo, Lipton 1997).
    static func sign(
        _ message: Span<UInt8>, _ digest: DigestAlgorithm, with privateKey: borrowing SecretBytes
    ) throws(PrimitiveError) -> [UInt8] {
        let handle = try RSAKeyHandle.privateKey(privateKey)
        let signature = try signature(of: message, digest, handle)
        let publicHalf = try RSAKeyHandle.publicKey(try handle.publicDER())
        guard verify(signature.span, of: message, digest, publicHalf) else { throw .resultInconsistent }
        return signature
    }

    static func verify(
        _ signature: Span<UInt8>, of message: Span<UInt8>, _ digest: DigestAlgorithm, publicKey: [UInt8]
    ) throws(PrimitiveError) -> Bool {
        guard digest != .sm3 else { throw .algorithmNotPermitted }
        let handle = try RSAKeyHandle.publicKey(publicKey)
        return verify(signature, of: message, digest, handle)
    }

    static func signature(
        of message: Span<UInt8>, _ digest: DigestAlgorithm, _ handle: borrowing RSAKeyHandle
    ) throws(PrimitiveError) -> [UInt8] {
        guard let name = name(of: digest) else { throw .algorithmNotPermitted }
        guard let context = unsafe EVP_MD_CTX_new() else { throw internalOpenSSLError() }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit_ex(context, nil, name, nil, nil, handle.pointer, nil) == 1 else {
            throw internalOpenSSLError()
        }
        var result = [UInt8](repeating: 0, count: handle.length)
        var length = result.count
        let done = unsafe message.withUnsafeBufferPointer { bytes in
            unsafe result.withUnsafeMutableBufferPointer { output in
                unsafe EVP_DigestSign(context, output.baseAddress, &length, bytes.baseAddress, bytes.count)
            }
        }
        guard done == 1, length == result.count else { throw internalOpenSSLError() }
        return result
    }

    static func verify(
        _ signature: Span<UInt8>, of message: Span<UInt8>, _ digest: DigestAlgorithm, _ handle: borrowing RSAKeyHandle
    ) -> Bool {
        guard let name = name(of: digest), let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit_ex(context, nil, name, nil, nil, handle.pointer, nil) == 1 else {
            _ = internalOpenSSLError()
            return false
        }
        let done = unsafe message.withUnsafeBufferPointer { bytes in
            unsafe signature.withUnsafeBufferPointer { value in
                unsafe EVP_DigestVerify(context, value.baseAddress, value.count, bytes.baseAddress, bytes.count)
            }
        }
        if done != 1 { _ = internalOpenSSLError() }
        return done == 1
    }

    private static func name(of digest: DigestAlgorithm) -> String? {
        switch digest {
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        case .sm3: nil
        }
    }
}
