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

    @unsafe private static let allocate: CRYPTO_malloc_fn = { count, _, _ in
        let isSecret = unsafe pthread_getspecific(LibcryptoMemory.threadMark) != nil
        let length = count + LibcryptoMemory.headSize
        guard let base = unsafe isSecret ? try? SecretMemory.shared.allocate(length) : malloc(length) else {
            return nil
        }
        unsafe base.storeBytes(of: Head(length: length, isSecret: isSecret ? 1 : 0), as: Head.self)
        return unsafe base + LibcryptoMemory.headSize
    }

    @unsafe private static let release: CRYPTO_free_fn = { piece, _, _ in
        guard let piece = unsafe piece else { return }
        let base = unsafe piece - LibcryptoMemory.headSize
        let head = unsafe base.load(as: Head.self)
        if head.isSecret == 1 { unsafe SecretMemory.shared.release(base, head.length) } else { unsafe free(base) }
    }

    @unsafe private static let reallocate: CRYPTO_realloc_fn = { piece, count, file, line in
        guard let piece = unsafe piece else { return unsafe LibcryptoMemory.allocate(count, file, line) }
        let base = unsafe piece - LibcryptoMemory.headSize
        let head = unsafe base.load(as: Head.self)
        guard head.isSecret == 1 else {
            let length = count + LibcryptoMemory.headSize
            guard let moved = unsafe realloc(base, length) else { return nil }
            unsafe moved.storeBytes(of: Head(length: length, isSecret: 0), as: Head.self)
            return unsafe moved + LibcryptoMemory.headSize
        }
        let fresh = unsafe LibcryptoMemory.withSecretAllocation { unsafe LibcryptoMemory.allocate(count, file, line) }
        guard let fresh = unsafe fresh else { return nil }
        unsafe memcpy(fresh, piece, min(count, head.length - LibcryptoMemory.headSize))
        unsafe LibcryptoMemory.release(piece, file, line)
        return unsafe fresh
    }
}
