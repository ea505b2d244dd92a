import CLinux
import Synchronization

/// The allocator of secret memory: arenas cut into pages, each page given to one size class.
///
/// Book-keeping lies outside the arenas, so that a secret written past its end cannot corrupt it. Pieces are zero whenever they
/// are free: wiped on release, and arenas start as zeros.
final class SecretMemory: Sendable {
    static let shared = SecretMemory()

    /// Sizes of pieces in bytes; the largest holds an RSA 4096 private key in DER.
    static let sizes = [32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192]
    static let maximumSize = 8_192

    struct Statistics: Sendable {
        var arenas = 0
        /// Of handed-out pieces, in whole pieces.
        var bytesInUse = 0
        var limit = 0
        /// Every arena so far is backed by `memfd_secret`.
        var isHidden = true
    }

    @safe private struct State: @unchecked Sendable {
        var arenas: [SecretArena] = []
        /// Bytes of the last arena that are in no size class yet start here.
        var unusedOffset = 0
        var free: [[UnsafeMutableRawPointer]] = unsafe Array(repeating: [], count: SecretMemory.sizes.count)
        var statistics = Statistics()
    }

    private let arenaLength: Int
    private let allowHidden: Bool
    private let state = Mutex(State())

    /// `limit`: bytes of all arenas together. The default fits RLIMIT_MEMLOCK's usual 8 MiB with room for other locked pages.
    init(limit: Int = 6 << 20, arenaLength: Int = 256 << 10, allowHidden: Bool = true) {
        self.arenaLength = arenaLength
        self.allowHidden = allowHidden
        setLimit(limit)
    }

    func setLimit(_ bytes: Int) { state.withLock { $0.statistics.limit = bytes } }

    var statistics: Statistics { state.withLock { $0.statistics } }

    /// A piece of at least `count` zero bytes.
    @unsafe func allocate(_ count: Int) throws(PrimitiveError) -> UnsafeMutableRawPointer {
        guard let index = Self.sizes.firstIndex(where: { $0 >= count }) else { throw .secretMemoryExhausted }
        let piece = unsafe state.withLock { state in unsafe take(index, from: &state) }
        guard let piece = unsafe piece else { throw .secretMemoryExhausted }
        return unsafe piece
    }

    /// Wipes a piece and takes it back.
    @unsafe func release(_ piece: UnsafeMutableRawPointer, _ count: Int) {
        guard let index = Self.sizes.firstIndex(where: { $0 >= count }) else { return }
        unsafe kmsd_wipe(piece, count)
        state.withLock { state in
            unsafe state.free[index].append(piece)
            state.statistics.bytesInUse -= Self.sizes[index]
        }
    }

    @unsafe private func take(_ index: Int, from state: inout State) -> UnsafeMutableRawPointer? {
        if unsafe state.free[index].isEmpty {
            let size = Self.sizes[index]
            let run = max(size, SecretArena.pageSize)
            guard let page = unsafe nextPages(run, in: &state) else { return nil }
            for offset in stride(from: run - size, through: 0, by: -size) {
                unsafe state.free[index].append(page + offset)
            }
        }
        guard let piece = unsafe state.free[index].popLast() else { return nil }
        state.statistics.bytesInUse += Self.sizes[index]
        return unsafe piece
    }

    @unsafe private func nextPages(_ length: Int, in state: inout State) -> UnsafeMutableRawPointer? {
        if state.arenas.isEmpty || state.unusedOffset + length > arenaLength {
            guard (state.arenas.count + 1) * arenaLength <= state.statistics.limit, length <= arenaLength,
                let arena = SecretArena(length: arenaLength, allowHidden: allowHidden)
            else { return nil }
            state.arenas.append(arena)
            state.unusedOffset = 0
            state.statistics.arenas += 1
            state.statistics.isHidden = state.statistics.isHidden && arena.isHidden
        }
        guard let arena = state.arenas.last else { return nil }
        defer { state.unusedOffset += length }
        return unsafe arena.base + state.unusedOffset
    }
}
