import COpenSSL

/// Hash functions in use. SHA-1 for EMV certificates alone, whose format fixes it.
enum DigestAlgorithm: Sendable, CaseIterable {
    case sha1
    case sha256
    case sm3

    var length: Int { self == .sha1 ? 20 : 32 }

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
