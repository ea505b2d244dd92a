import COpenSSL

/// Comparison whose duration does not depend on where two values differ: for MACs, check values, PINs, tokens.
///
/// A comparison that stops at the first difference tells a forger how many bytes of his guess were right.
enum ConstantTime {
    static func equal(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        return unsafe a.withUnsafeBufferPointer { left in
            unsafe b.withUnsafeBufferPointer { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                return unsafe equal(first, second, left.count)
            }
        }
    }

    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool { equal(a.span, b.span) }

    @unsafe static func equal(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
        unsafe CRYPTO_memcmp(a, b, count) == 0
    }
}
