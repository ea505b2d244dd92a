import CLinux
import COpenSSL
import Synchronization

/// Random bytes for keys, components and challenges: the kernel's generator xor libcrypto's private one, so that either alone
/// would do, each watched by its own health tests. A fault stops all key generation until `restart` passes.
@safe final class SecureRandom: Sendable {
    /// Fills memory with random bytes; false if the source fails.
    typealias Source = @Sendable (UnsafeMutableRawBufferPointer) -> Bool

    static let shared = unsafe SecureRandom([kernel, library])

    private struct State {
        var tests: [RandomHealthTest]
        var isStarted = false
        var hasFailed = false
    }

    private let sources: [Source]
    private let state: Mutex<State>

    /// Tests give sources of their own.
    @unsafe init(_ sources: [Source]) {
        unsafe self.sources = unsafe sources
        state = Mutex(State(tests: unsafe Array(repeating: RandomHealthTest(), count: sources.count)))
    }

    /// Fills the span with random bytes.
    func fill(_ span: inout MutableSpan<UInt8>) throws(PrimitiveError) {
        let isFine = unsafe span.withUnsafeMutableBytes { target in
            state.withLock { state in unsafe fill(target, &state) }
        }
        guard isFine else { throw .randomFault }
    }

    /// Forgets a fault and runs the start-up tests again.
    func restart() throws(PrimitiveError) {
        let isFine = state.withLock { state in
            state = State(tests: unsafe Array(repeating: RandomHealthTest(), count: sources.count))
            return start(&state)
        }
        guard isFine else { throw .randomFault }
    }

    var isHealthy: Bool { state.withLock { !$0.hasFailed } }

    private func fill(_ target: UnsafeMutableRawBufferPointer, _ state: inout State) -> Bool {
        guard start(&state), !state.hasFailed else { return false }
        unsafe kmsd_wipe(target.baseAddress, target.count)
        guard unsafe draw(target, &state) else {
            unsafe kmsd_wipe(target.baseAddress, target.count)
            state.hasFailed = true
            return false
        }
        return true
    }

    /// Draws the start-up bytes once and throws them away.
    private func start(_ state: inout State) -> Bool {
        if state.isStarted { return true }
        let isFine = unsafe withUnsafeTemporaryAllocation(
            byteCount: RandomHealthTest.startUpLength, alignment: 8
        ) { memory in
            unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
            return unsafe draw(memory, &state)
        }
        state.isStarted = isFine
        state.hasFailed = !isFine
        return isFine
    }

    /// Xors every source into the target, in pieces; each source's own bytes pass its own tests.
    private func draw(_ target: UnsafeMutableRawBufferPointer, _ state: inout State) -> Bool {
        let pieceLength = 256
        return unsafe withUnsafeTemporaryAllocation(byteCount: pieceLength, alignment: 8) { whole in
            defer { unsafe kmsd_wipe(whole.baseAddress, whole.count) }
            for offset in stride(from: 0, to: target.count, by: pieceLength) {
                let count = min(pieceLength, target.count - offset)
                let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[..<count])
                for index in unsafe sources.indices {
                    guard unsafe sources[index](piece) else { return false }
                    for position in 0..<count {
                        guard state.tests[index].take(unsafe piece[position]) else { return false }
                        unsafe target[offset + position] ^= piece[position]
                    }
                }
            }
            return true
        }
    }

    /// getrandom(2); glibc's wrapper takes at most 256 bytes, which is one piece of `draw`.
    @unsafe private static let kernel: Source = { target in
        guard let start = target.baseAddress else { return true }
        return unsafe getentropy(start, target.count) == 0
    }

    @unsafe private static let library: Source = { target in
        _ = LibcryptoMemory.isInstalled
        return unsafe RAND_priv_bytes(target.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(target.count)) == 1
    }
}

extension SecureRandom {
    /// A random secret from the module's generator.
    static func secret(count: Int) throws(PrimitiveError) -> SecretBytes {
        var secret = try SecretBytes(count: count)
        try secret.withMutableBytes { span throws(PrimitiveError) in try shared.fill(&span) }
        return secret
    }

    /// Random bytes that are no secret: challenges, padding, identifiers.
    static func bytes(count: Int) throws(PrimitiveError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        try shared.fill(&span)
        return bytes
    }

    static func fill(_ span: inout MutableSpan<UInt8>) throws(PrimitiveError) { try shared.fill(&span) }
    static func restart() throws(PrimitiveError) { try shared.restart() }
    static var isHealthy: Bool { shared.isHealthy }
}
