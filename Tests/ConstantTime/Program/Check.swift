import CMemcheck

/// One calculation on bytes that memcheck takes for undefined, and what it must report.
struct Check: Sendable {
    let name: String
    /// A check of the harness itself: memcheck must find something here.
    var mustBeCaught = false
    let run: @Sendable () throws -> Void

    /// True where memcheck saw what was expected.
    func isAsExpected() throws -> Bool {
        let before = kmsd_reports()
        try run()
        let reports = kmsd_reports() - before
        let isRight = mustBeCaught ? reports > 0 : reports == 0
        let verdict = isRight ? "ok   " : "WRONG"
        let says = reports == 0 ? "nothing depends on the secret" : "\(reports) reports"
        print("\(verdict) \(name): \(says)\(mustBeCaught ? " (must be caught)" : "")")
        return isRight
    }
}

/// Memory of a check: bytes that mean nothing, secret or public, at a place aligned as vectors want it.
@unsafe struct Marked {
    let base: UnsafeMutableRawPointer
    let count: Int

    init(_ count: Int, secret: Bool) {
        unsafe self.count = count
        unsafe base = .allocate(byteCount: count, alignment: 64)
        for index in 0..<count {
            unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: 17 &* index &+ 5), toByteOffset: index, as: UInt8.self)
        }
        if secret { unsafe kmsd_mark_secret(base, count) }
    }

    func free() {
        unsafe kmsd_mark_public(base, count)
        unsafe base.deallocate()
    }

    var span: UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: base.assumingMemoryBound(to: UInt8.self), count: count)
    }
}

/// A verdict is told to whoever asked: it is public once it is there.
@inline(never)
func tell(_ verdict: Bool) {
    var verdict = verdict
    unsafe withUnsafeMutablePointer(to: &verdict) { unsafe kmsd_mark_public($0, 1) }
}
