import COpenSSL
import HSMBridge

// RSA as EMV uses it: numbers of the modulus' length, no padding, and public keys as modulus and exponent.
extension RSA {
    /// The private operation on a number below the modulus, of its length in bytes (EMV book 2, B2.1.2: self-certificates).
    /// Verified before release like a signature.
    static func applyPrivate(
        _ block: Span<UInt8>, with privateKey: borrowing SecretBytes
    ) throws(PrimitiveError) -> [UInt8] {
        let handle = try RSAKeyHandle.privateKey(privateKey)
        guard block.count == handle.length else { throw .dataLengthInvalid }
        let result = try unsafe withContext(handle) { context throws(PrimitiveError) in
            guard unsafe EVP_PKEY_sign_init(context) == 1 else { throw internalOpenSSLError() }
            return try unsafe calculate(context, block, EVP_PKEY_sign)
        }
        let back = try applyPublic(result.span, publicKey: try handle.publicDER())
        guard ConstantTime.equal(back.span, block) else { throw .resultInconsistent }
        return result
    }

    /// The public operation: recovers what a certificate holds.
    static func applyPublic(_ block: Span<UInt8>, publicKey: [UInt8]) throws(PrimitiveError) -> [UInt8] {
        let handle = try RSAKeyHandle.publicKey(publicKey)
        guard block.count == handle.length else { throw .dataLengthInvalid }
        return try unsafe withContext(handle) { context throws(PrimitiveError) in
            guard unsafe EVP_PKEY_encrypt_init(context) == 1 else { throw internalOpenSSLError() }
            return try unsafe calculate(context, block, EVP_PKEY_encrypt)
        }
    }

    private typealias Operation = (
        OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, UnsafePointer<UInt8>?, Int
    ) -> Int32

    @unsafe private static func calculate(
        _ context: OpaquePointer, _ block: Span<UInt8>, _ operation: Operation
    ) throws(PrimitiveError) -> [UInt8] {
        guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 else { throw internalOpenSSLError() }
        var result = [UInt8](repeating: 0, count: block.count)
        var length = result.count
        let done = unsafe block.withUnsafeBufferPointer { bytes in
            unsafe result.withUnsafeMutableBufferPointer { output in
                unsafe operation(context, output.baseAddress, &length, bytes.baseAddress, bytes.count)
            }
        }
        guard done == 1, length == result.count else {
            // A number that is not below the modulus is the caller's mistake.
            _ = internalOpenSSLError()
            throw .parameterInvalid
        }
        return result
    }

    /// Big-endian, without leading zeros.
    static func components(
        ofPublicKey der: [UInt8]
    ) throws(PrimitiveError) -> (modulus: [UInt8], exponent: [UInt8]) {
        let handle = try RSAKeyHandle.publicKey(der)
        return (try number(OSSL_PKEY_PARAM_RSA_N, handle), try number(OSSL_PKEY_PARAM_RSA_E, handle))
    }

    private static func number(_ name: String, _ handle: borrowing RSAKeyHandle) throws(PrimitiveError) -> [UInt8] {
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(handle.pointer, name, &number) == 1 else { throw internalOpenSSLError() }
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: unsafe Int(BN_num_bits(number) + 7) / 8)
        _ = unsafe bytes.withUnsafeMutableBufferPointer { unsafe BN_bn2bin(number, $0.baseAddress) }
        return bytes
    }

    /// SubjectPublicKeyInfo DER from a scheme's or issuer's numbers, big-endian.
    static func publicKey(modulus: [UInt8], exponent: [UInt8]) throws(PrimitiveError) -> [UInt8] {
        guard let builder = unsafe OSSL_PARAM_BLD_new() else { throw internalOpenSSLError() }
        defer { unsafe OSSL_PARAM_BLD_free(builder) }
        let n = unsafe BN_bin2bn(modulus, Int32(modulus.count), nil)
        defer { unsafe BN_free(n) }
        let e = unsafe BN_bin2bn(exponent, Int32(exponent.count), nil)
        defer { unsafe BN_free(e) }
        // The builder keeps the names by pointer, so they must be static: a Swift string would be gone.
        guard unsafe OSSL_PARAM_BLD_push_BN(builder, Self.name("n"), n) == 1,
            unsafe OSSL_PARAM_BLD_push_BN(builder, Self.name("e"), e) == 1,
            let parameters = unsafe OSSL_PARAM_BLD_to_param(builder)
        else { throw internalOpenSSLError() }
        defer { unsafe OSSL_PARAM_free(parameters) }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { throw internalOpenSSLError() }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_fromdata_init(context) == 1,
            unsafe EVP_PKEY_fromdata(context, &key, publicKeySelection, parameters) == 1, let made = unsafe key
        else { throw internalOpenSSLError() }
        let handle = unsafe RSAKeyHandle(owning: made)
        guard lengths.contains(handle.bits) else { throw .keyLengthInvalid }
        return try handle.publicDER()
    }

    /// EVP_PKEY_PUBLIC_KEY, a macro that Swift does not import: all parameters (84) and the public key (02).
    private static let publicKeySelection: Int32 = 0x86

    private static func name(_ text: StaticString) -> UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    /// A check value for a public key, ours: the left of SHA-256 over its DER.
    static func checkValue(ofPublicKey der: [UInt8]) throws(PrimitiveError) -> KeyCheckValue {
        let digest = try DigestAlgorithm.sha256.hash(der)
        return KeyCheckValue(digest[0], digest[1], digest[2])
    }
}
