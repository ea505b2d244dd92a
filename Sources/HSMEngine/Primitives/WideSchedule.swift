import COpenSSL
import HSMBridge
import Synchronization

/// One libcrypto context with the expanded schedule of a 16-byte block cipher.
///
/// ECB, whole blocks, no padding: every mode is built on it in one place, and the context keeps no state between calls.
@safe struct BlockEncryptor: @unchecked Sendable {
    fileprivate let context: OpaquePointer

    @inline(__always)
    func encrypt(_ block: inout Block16) throws(PrimitiveError) { try update(&block) }

    @inline(__always)
    fileprivate func update(_ block: inout Block16) throws(PrimitiveError) {
        let done = unsafe withUnsafeMutableBytes(of: &block) { bytes in
            let pointer = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            var written: Int32 = 0
            return unsafe EVP_CipherUpdate(context, pointer, &written, pointer, 16)
        }
        guard done == 1 else { throw internalOpenSSLError() }
    }

    fileprivate init(_ key: borrowing SecretBytes, _ algorithm: KeyAlgorithm, encrypting: Bool) throws(PrimitiveError) {
        guard let cipher = Libcrypto.blockCipher(algorithm) else { throw .algorithmNotPermitted }
        let made = unsafe LibcryptoMemory.withSecretAllocation { unsafe Self.makeContext(key, cipher, encrypting) }
        guard let made = unsafe made else { throw internalOpenSSLError() }
        unsafe context = made
    }

    private static func makeContext(
        _ key: borrowing SecretBytes, _ cipher: Libcrypto.Cipher, _ encrypting: Bool
    ) -> OpaquePointer? {
        guard let fresh = unsafe EVP_CIPHER_CTX_new() else { return nil }
        let done = unsafe key.withUnsafePointer { bytes in
            unsafe EVP_CipherInit_ex2(fresh, cipher.pointer, bytes, nil, encrypting ? 1 : 0, nil)
        }
        guard done == 1, unsafe EVP_CIPHER_CTX_set_padding(fresh, 0) == 1 else {
            unsafe EVP_CIPHER_CTX_free(fresh)
            return nil
        }
        return unsafe fresh
    }

    fileprivate func free() { unsafe EVP_CIPHER_CTX_free(context) }
}

/// The deciphering twin.
struct BlockDecryptor {
    fileprivate let context: BlockEncryptor

    func decrypt(_ block: inout Block16) throws(PrimitiveError) { try context.update(&block) }
}

/// An AES or SM4 key ready for use.
///
/// A libcrypto context must not be used by two threads at once, so the key keeps a few and lends one to each caller. The
/// contexts lie where `LibcryptoMemory` puts them, and libcrypto clears them when they are freed.
final class WideSchedule: Sendable {
    let algorithm: KeyAlgorithm
    private let key: SecretBytes
    private let contexts: Mutex<[BlockEncryptor]>
    private let subkeys: SecretBytes

    init(_ key: borrowing SecretBytes, algorithm: KeyAlgorithm) throws(PrimitiveError) {
        guard Libcrypto.blockCipher(algorithm) != nil else { throw .algorithmNotPermitted }
        guard key.count * 8 == algorithm.bits else { throw .keyLengthInvalid }
        let copy = try SecretBytes(copying: key)
        var subkeys = try SecretBytes(count: 32)
        let first = try BlockEncryptor(copy, algorithm, encrypting: true)
        do throws(PrimitiveError) {
            var block = Block16.zero
            try first.encrypt(&block)
            subkeys.withMutableBytes { span in
                unsafe span.withUnsafeMutableBytes { bytes in
                    unsafe bytes.storeBytes(of: block.doubled, as: Block16.self)
                    unsafe bytes.storeBytes(of: block.doubled.doubled, toByteOffset: 16, as: Block16.self)
                }
            }
        } catch {
            first.free()
            throw error
        }
        self.algorithm = algorithm
        self.key = copy
        self.subkeys = subkeys
        contexts = Mutex([first])
    }

    deinit {
        contexts.withLock { for context in $0 { context.free() } }
    }

    /// Lends a context that nobody else uses meanwhile.
    func withEncryptor<R>(_ body: (BlockEncryptor) throws(PrimitiveError) -> R) throws(PrimitiveError) -> R {
        let lent: BlockEncryptor
        if let spare = contexts.withLock({ $0.popLast() }) {
            lent = spare
        } else {
            lent = try BlockEncryptor(key, algorithm, encrypting: true)
        }
        defer { contexts.withLock { $0.append(lent) } }
        return try body(lent)
    }

    /// Deciphering is rare (transport keys): a context of its own, freed afterwards.
    func withDecryptor(_ body: (BlockDecryptor) throws(PrimitiveError) -> Void) throws(PrimitiveError) {
        let context = try BlockEncryptor(key, algorithm, encrypting: false)
        defer { context.free() }
        try body(BlockDecryptor(context: context))
    }

    /// The CMAC subkey for a whole (K1) or a padded (K2) last block.
    func subkey(whole: Bool) -> Block16 {
        subkeys.withBytes { span in
            unsafe span.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: whole ? 0 : 16, as: Block16.self) }
        }
    }

    /// Runs `body` with a one-time key that is known here only as a block (diversified and session keys).
    static func withTransient<R>(
        _ key: Block16, _ algorithm: KeyAlgorithm, _ body: (BlockEncryptor) throws(PrimitiveError) -> R
    ) throws(PrimitiveError) -> R {
        var secret = try SecretBytes(count: 16)
        secret.withMutableBytes { span in
            unsafe span.withUnsafeMutableBytes { unsafe $0.storeBytes(of: key, as: Block16.self) }
        }
        let context = try BlockEncryptor(secret, algorithm, encrypting: true)
        defer { context.free() }
        return try body(context)
    }
}
