import COpenSSL

/// A libcrypto key object, owned. Private numbers lie in libcrypto's secure heap (locked, guarded, wiped on free), see
/// `secureHeap`.
@safe struct RSAKeyHandle: ~Copyable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// PKCS#1 or PKCS#8 DER, the whole of it.
    static func privateKey(_ der: borrowing SecretBytes) throws(PrimitiveError) -> RSAKeyHandle {
        _ = secureHeap
        let count = der.count
        let key = unsafe der.withUnsafePointer { bytes -> OpaquePointer? in
            let start = unsafe UnsafePointer(bytes.assumingMemoryBound(to: UInt8.self))
            var next: UnsafePointer<UInt8>? = unsafe start
            guard let key = unsafe d2i_AutoPrivateKey(nil, &next, count) else { return nil }
            guard unsafe next == start + count else {
                unsafe EVP_PKEY_free(key)
                return nil
            }
            return unsafe key
        }
        return try unsafe checked(key)
    }

    /// SubjectPublicKeyInfo DER, the whole of it.
    static func publicKey(_ der: [UInt8]) throws(PrimitiveError) -> RSAKeyHandle {
        let key = unsafe der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var next = bytes.baseAddress
            guard let key = unsafe d2i_PUBKEY(nil, &next, bytes.count) else { return nil }
            guard unsafe next == bytes.baseAddress.map({ unsafe $0 + bytes.count }) else {
                unsafe EVP_PKEY_free(key)
                return nil
            }
            return unsafe key
        }
        return try unsafe checked(key)
    }

    /// PKCS#1 DER (RSAPublicKey: modulus, exponent), the whole of it.
    static func publicKeyPKCS1(_ der: borrowing SecretBytes) throws(PrimitiveError) -> RSAKeyHandle {
        _ = LibcryptoMemory.isInstalled
        let count = der.count
        let key = unsafe der.withUnsafePointer { bytes -> OpaquePointer? in
            let start = unsafe UnsafePointer(bytes.assumingMemoryBound(to: UInt8.self))
            var next: UnsafePointer<UInt8>? = unsafe start
            guard let key = unsafe d2i_PublicKey(EVP_PKEY_RSA, nil, &next, count) else { return nil }
            guard unsafe next == start + count else {
                unsafe EVP_PKEY_free(key)
                return nil
            }
            return unsafe key
        }
        return try unsafe checked(key)
    }

    /// RSA of a length that we use, else `.parameterInvalid`.
    private static func checked(_ key: OpaquePointer?) throws(PrimitiveError) -> RSAKeyHandle {
        guard let key = unsafe key else { throw internalOpenSSLError() }
        let handle = unsafe RSAKeyHandle(owning: key)
        guard unsafe EVP_PKEY_get_base_id(handle.pointer) == EVP_PKEY_RSA, RSA.lengths.contains(handle.bits) else {
            throw .parameterInvalid
        }
        return handle
    }

    /// Bits of the modulus.
    var bits: Int { unsafe Int(EVP_PKEY_get_bits(pointer)) }

    /// Bytes of the modulus.
    var length: Int { unsafe Int(EVP_PKEY_get_size(pointer)) }

    /// SubjectPublicKeyInfo DER.
    func publicDER() throws(PrimitiveError) -> [UInt8] {
        let count = unsafe Int(i2d_PUBKEY(pointer, nil))
        guard count > 0 else { throw internalOpenSSLError() }
        var der = [UInt8](repeating: 0, count: count)
        let written = unsafe der.withUnsafeMutableBufferPointer { bytes in
            var next = bytes.baseAddress
            return unsafe Int(i2d_PUBKEY(pointer, &next))
        }
        guard written == count else { throw internalOpenSSLError() }
        return der
    }

    /// PKCS#1 DER of the public key (RSAPublicKey).
    func publicPKCS1() throws(PrimitiveError) -> [UInt8] {
        let count = unsafe Int(i2d_PublicKey(pointer, nil))
        guard count > 0 else { throw internalOpenSSLError() }
        var der = [UInt8](repeating: 0, count: count)
        let written = unsafe der.withUnsafeMutableBufferPointer { bytes in
            var next = bytes.baseAddress
            return unsafe Int(i2d_PublicKey(pointer, &next))
        }
        guard written == count else { throw internalOpenSSLError() }
        return der
    }

    /// PKCS#1 DER, straight into secret memory.
    func privateDER() throws(PrimitiveError) -> SecretBytes {
        let count = unsafe Int(i2d_PrivateKey(pointer, nil))
        guard count > 0 else { throw internalOpenSSLError() }
        let der = try SecretBytes(count: count)
        let written = unsafe der.withUnsafePointer { bytes in
            var next: UnsafeMutablePointer<UInt8>? = unsafe bytes.assumingMemoryBound(to: UInt8.self)
            return unsafe Int(i2d_PrivateKey(pointer, &next))
        }
        guard written == count else { throw internalOpenSSLError() }
        return der
    }

    /// Where libcrypto puts private numbers: made once, before the first private key exists. 0 = none, 1 = locked,
    /// 2 = made but not locked.
    static let secureHeap: Int32 = {
        _ = LibcryptoMemory.isInstalled
        return CRYPTO_secure_malloc_init(512 << 10, 64)
    }()
}
