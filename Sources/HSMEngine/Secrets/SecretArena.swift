import CLinux

/// One mapping of locked memory between two unreadable guard pages, split into pages by `SecretMemory`.
///
/// The pages come from `memfd_secret` (Linux 5.14: gone from the kernel's own map, so neither `/proc/PID/mem`, ptrace nor a
/// core file shows them, to root either). Where the kernel does not offer it: anonymous memory, mlock, MADV_DONTDUMP.
/// MADV_DONTFORK either way, so that a child process never has them. Lives until the process ends.
@safe struct SecretArena: @unchecked Sendable {
    static let pageSize = 4_096

    let base: UnsafeMutableRawPointer
    let length: Int
    /// Backed by `memfd_secret`.
    let isHidden: Bool

    /// Nil where the kernel gives no (locked) memory: RLIMIT_MEMLOCK reached or no memory left.
    init?(length: Int, allowHidden: Bool = true) {
        precondition(length > 0 && length % Self.pageSize == 0, "an arena is whole pages")
        let guarded = length + 2 * Self.pageSize
        let reservation = unsafe mmap(nil, guarded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let reserved = unsafe reservation, UInt(bitPattern: reserved) != UInt.max else { return nil }
        let inside = unsafe reserved + Self.pageSize
        let isHidden = unsafe allowHidden && Self.mapHidden(at: inside, length: length)
        guard unsafe isHidden || Self.mapLocked(at: inside, length: length) else {
            unsafe munmap(reserved, guarded)
            return nil
        }
        // Touch every page now: running out of memory must show here and not as SIGBUS in the middle of a calculation.
        unsafe memset(inside, 0, length)
        unsafe base = inside
        self.length = length
        self.isHidden = isHidden
    }

    private static func mapHidden(at address: UnsafeMutableRawPointer, length: Int) -> Bool {
        let file = kmsd_memfd_secret()
        guard file >= 0 else { return false }
        defer { close(file) }
        guard ftruncate(file, length) == 0 else { return false }
        let mapped = unsafe mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0)
        guard unsafe mapped == address else { return false }
        return unsafe madvise(address, length, MADV_DONTFORK) == 0
    }

    private static func mapLocked(at address: UnsafeMutableRawPointer, length: Int) -> Bool {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
        guard unsafe mmap(address, length, PROT_READ | PROT_WRITE, flags, -1, 0) == address else { return false }
        return unsafe mlock(address, length) == 0 && madvise(address, length, MADV_DONTDUMP) == 0
            && madvise(address, length, MADV_DONTFORK) == 0
    }
}
