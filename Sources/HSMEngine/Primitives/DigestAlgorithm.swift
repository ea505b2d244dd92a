import COpenSSL

/// Hash functions in use. SHA-1 for EMV certificates, whose format fixes it, and for checking old signatures; MD5 for nothing
/// but the hash command of the field.
enum DigestAlgorithm: Sendable, CaseIterable {
    case md5
    case sha1
    case sha224
    case sha256
    case sha384
    case sha512
    case sm3

    /// Bytes.
    var length: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha224: 28
        case .sha256, .sm3: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    func hash(_ data: Span<UInt8>) throws(PrimitiveError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: length)
        let algorithm = Libcrypto.digest(self)
        let done = unsafe data.withUnsafeBytes { bytes in
            unsafe result.withUnsafeMutableBufferPointer { buffer in
                unsafe EVP_Digest(bytes.baseAddress, bytes.count, buffer.baseAddress, nil, algorithm.pointer, nil)
            }
        }
        guard done == 1 else { throw internalOpenSSLError() }
        return result
    }

    func hash(_ data: [UInt8]) throws(PrimitiveError) -> [UInt8] { try hash(data.span) }
}
