import COpenSSL
import HSMBridge

/// Algorithms of libcrypto, each fetched once: a fetch takes locks and property queries, 0.3 µs and more.
enum Libcrypto {
    /// A fetched algorithm; libcrypto's objects of this kind are immutable and reference counted.
    @safe struct Cipher: @unchecked Sendable {
        let pointer: OpaquePointer?
        fileprivate init(_ name: String) {
            _ = LibcryptoMemory.isInstalled
            unsafe pointer = EVP_CIPHER_fetch(nil, name, nil)
        }
    }

    @safe struct Digest: @unchecked Sendable {
        let pointer: OpaquePointer?
        fileprivate init(_ name: String) {
            _ = LibcryptoMemory.isInstalled
            unsafe pointer = EVP_MD_fetch(nil, name, nil)
        }
    }

    private static let aes128 = Cipher("AES-128-ECB")
    private static let aes192 = Cipher("AES-192-ECB")
    private static let aes256 = Cipher("AES-256-ECB")
    private static let sm4 = Cipher("SM4-ECB")
    private static let md5 = Digest("MD5")
    private static let sha1 = Digest("SHA1")
    private static let sha224 = Digest("SHA224")
    private static let sha256 = Digest("SHA256")
    private static let sha384 = Digest("SHA384")
    private static let sha512 = Digest("SHA512")
    private static let sm3 = Digest("SM3")

    /// The ECB form of a 16-byte block cipher; nil for the others.
    static func blockCipher(_ algorithm: KeyAlgorithm) -> Cipher? {
        switch algorithm {
        case .aes128: aes128
        case .aes192: aes192
        case .aes256: aes256
        case .sm4: sm4
        case .des, .tripleDES2, .tripleDES3, .rsa: nil
        }
    }

    static func digest(_ algorithm: DigestAlgorithm) -> Digest {
        switch algorithm {
        case .md5: md5
        case .sha1: sha1
        case .sha224: sha224
        case .sha256: sha256
        case .sha384: sha384
        case .sha512: sha512
        case .sm3: sm3
        }
    }
}

/// The error for a refused libcrypto call: the first entry of this thread's queue, and the whole queue drained.
///
/// An entry left behind would be taken for the reason of some later, unrelated failure on the same thread.
func internalOpenSSLError() -> PrimitiveError {
    let first = ERR_get_error()
    while ERR_get_error() != 0 {}
    // ERR_R_MALLOC_FAILURE, a macro that Swift does not import: secret memory is what runs out here.
    if first & 0x7F_FFFF == 0xC_0100 { return .secretMemoryExhausted }
    return .libcrypto(code: UInt(first))
}
