import CMemcheck

@testable import HSMEngine
@testable import KMS

extension Check {
    /// Everything that compares a secret with what somebody claims it to be, and the hash of a token that is looked up by it.
    static let comparisons = [
        Check(name: "ConstantTime.equal, 16 bytes") {
            let (mine, claimed) = unsafe (Marked(16, secret: true), Marked(16, secret: false))
            tell(unsafe ConstantTime.equal(mine.base, claimed.base, 16))
            unsafe mine.free()
            unsafe claimed.free()
        },
        Check(name: "SecretBytes.isEqual: key check values, components") {
            let one = try SecretBytes(count: 24)
            let other = try SecretBytes(count: 24)
            unsafe one.withUnsafePointer { unsafe kmsd_mark_secret($0, 24) }
            tell(one.isEqual(to: other))
            unsafe one.withUnsafePointer { unsafe kmsd_mark_public($0, 24) }
        },
        Check(name: "MACValue.matches: MACs and TACs, 4, 8 and 16 bytes") {
            for count in [4, 8, 16] {
                let (mine, claimed) = unsafe (Marked(16, secret: true), Marked(count, secret: false))
                let left = unsafe mine.base.load(as: Block8.self)
                let right = unsafe mine.base.load(fromByteOffset: 8, as: Block8.self)
                let value = MACValue(Block16(left: left, right: right), count: count)
                tell(value.matches(unsafe Span(_unsafeElements: claimed.span)))
                unsafe mine.free()
                unsafe claimed.free()
            }
        },
        Check(name: "ServiceToken.areEqual: digests of clients' tokens") {
            let mine = unsafe Marked(32, secret: true)
            let stored = unsafe Array(mine.span)
            tell(ServiceToken.areEqual(stored, [UInt8](repeating: 0xA5, count: 32)))
            unsafe mine.free()
        },
        Check(name: "SHA-256 of a client's token") {
            let token = unsafe Marked(48, secret: true)
            let digest = SHA256.hash(unsafe Array(token.span))
            unsafe digest.withUnsafeBufferPointer { unsafe kmsd_mark_public($0.baseAddress, $0.count) }
            unsafe token.free()
        },
    ]

    /// What must not be in the module: if memcheck does not catch these, its silence above says nothing.
    static let leaks = [
        Check(name: "a comparison that stops at the first difference", mustBeCaught: true) {
            let (mine, claimed) = unsafe (Marked(16, secret: true), Marked(16, secret: false))
            tell(unsafe stopsEarly(mine.span, claimed.span))
            unsafe mine.free()
            unsafe claimed.free()
        },
        Check(name: "a table looked up by a secret", mustBeCaught: true) {
            let (secret, table) = unsafe (Marked(1, secret: true), Marked(256, secret: false))
            let place = unsafe Int(secret.base.load(as: UInt8.self))
            tell(unsafe table.base.load(fromByteOffset: place, as: UInt8.self) == 7)
            unsafe secret.free()
            unsafe table.free()
        },
    ]

    @inline(never)
    @unsafe private static func stopsEarly(
        _ one: UnsafeBufferPointer<UInt8>, _ other: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        for index in 0..<min(one.count, other.count) where unsafe one[index] != other[index] { return false }
        return true
    }
}
