import CLinux
import COpenSSL
import Glibc

/// libcrypto's allocator, so that the contexts which hold expanded AES and SM4 keys lie in secret memory as well.
///
/// libcrypto takes another allocator only before its own first allocation, so this is installed by whatever of the module
/// touches libcrypto first. Where somebody else in the process was earlier, contexts stay on the ordinary heap (wiped by
/// libcrypto when freed) and `isInstalled` says so. Only what is allocated inside `withSecretAllocation` goes to secret memory.
enum LibcryptoMemory {
    static let isInstalled = unsafe CRYPTO_set_mem_functions(allocate, reallocate, release) == 1

    /// Runs `body`; what libcrypto allocates in it on this thread comes from secret memory.
    static func withSecretAllocation<R: ~Copyable>(_ body: () -> R) -> R {
        guard isInstalled else { return body() }
        unsafe pthread_setspecific(threadMark, UnsafeRawPointer(bitPattern: 1))
        defer { pthread_setspecific(threadMark, nil) }
        return body()
    }

    /// Set on a thread while it allocates secretly.
    private static let threadMark: pthread_key_t = {
        var key = pthread_key_t()
        let made = unsafe pthread_key_create(&key, nil)
        precondition(made == 0, "no thread-specific key left")
        return key
    }()

    /// Before every piece, so that it can be released: its length (16 included) and where it came from. 16 bytes keep the
    /// alignment that the vector instructions of AES need.
    private struct Head: BitwiseCopyable {
        var length: Int
        var isSecret: Int
    }

    private static let headSize = 16

    @unsafe private static let allocate: CRYPTO_malloc_fn = { count, _, _ in unsafe LibcryptoMemory.piece(count) }
    @unsafe private static let release: CRYPTO_free_fn = { piece, _, _ in unsafe LibcryptoMemory.release(piece) }
    @unsafe private static let reallocate: CRYPTO_realloc_fn = { piece, count, _, _ in
        unsafe LibcryptoMemory.moved(piece, count)
    }

    // MARK: Pieces

    /// A piece of memory; secret where this thread allocates secretly.
    static func piece(_ count: Int) -> UnsafeMutableRawPointer? {
        unsafe piece(count, isSecret: pthread_getspecific(threadMark) != nil)
    }

    private static func piece(_ count: Int, isSecret: Bool) -> UnsafeMutableRawPointer? {
        let (length, isTooLong) = count.addingReportingOverflow(headSize)
        guard !isTooLong, let base = unsafe isSecret ? try? SecretMemory.shared.allocate(length) : malloc(length) else {
            return nil
        }
        unsafe base.storeBytes(of: Head(length: length, isSecret: isSecret ? 1 : 0), as: Head.self)
        return unsafe base + headSize
    }

    /// Wiped before it is given back, also on the ordinary heap: not all that libcrypto frees there has it wiped itself, the DER of a
    /// private key for one.
    static func release(_ piece: UnsafeMutableRawPointer?) {
        guard let piece = unsafe piece else { return }
        let base = unsafe piece - headSize
        let head = unsafe base.load(as: Head.self)
        if head.isSecret == 1 { return unsafe SecretMemory.shared.release(base, head.length) }
        unsafe kmsd_wipe(base, head.length)
        unsafe free(base)
    }

    /// The content in a piece of another length, of the same kind as before. Never by `realloc`, which leaves the old place as it is.
    static func moved(_ piece: UnsafeMutableRawPointer?, _ count: Int) -> UnsafeMutableRawPointer? {
        guard let piece = unsafe piece else { return unsafe LibcryptoMemory.piece(count) }
        let head = unsafe (piece - headSize).load(as: Head.self)
        guard let fresh = unsafe LibcryptoMemory.piece(count, isSecret: head.isSecret == 1) else { return nil }
        unsafe memcpy(fresh, piece, min(count, head.length - headSize))
        unsafe release(piece)
        return unsafe fresh
    }
}
