internal import Glibc
import Hummingbird
import KMS
import NIOCore

/// The body of a request that carries passwords: one line each, never a `String`, never longer in memory than needed.
///
/// The bytes are overwritten where the network put them as soon as they are copied, and here when this goes.
@safe
final class SecretBody {
    /// Bytes: sixteen people's passwords and a token.
    static let limit = 4_096

    private let memory: UnsafeMutableRawBufferPointer
    private var count = 0

    private init() {
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.limit, alignment: 8)
        unsafe Self.wipe(memory)
    }

    deinit {
        unsafe Self.wipe(memory)
        unsafe memory.deallocate()
    }

    /// Takes the whole body of a request.
    static func take(from request: Request) async throws -> SecretBody {
        let taken = SecretBody()
        var isTooLong = false
        for try await chunk in request.body {
            if !taken.append(chunk) { isTooLong = true }
        }
        if isTooLong { throw KMSError.passwordUnacceptable }
        return taken
    }

    /// How many lines there are; an end of line after the last is not another one.
    var lineCount: Int { lineRanges.count }

    /// Line `index` as a password.
    func password(_ index: Int) throws(KMSError) -> Password {
        let ranges = lineRanges
        guard ranges.indices.contains(index) else { throw .passwordUnacceptable }
        let range = ranges[index]
        guard !range.isEmpty, range.count <= Password.maximumLength else { throw .passwordUnacceptable }
        return try unsafe Password(capacity: range.count) { room in
            for offset in 0..<range.count { unsafe room[offset] = memory[range.lowerBound + offset] }
            return range.count
        }
    }

    private func append(_ chunk: ByteBuffer) -> Bool {
        unsafe chunk.withUnsafeReadableBytes { bytes in
            let fits = bytes.count <= Self.limit - count
            if fits {
                for index in 0..<bytes.count { unsafe memory[count + index] = bytes[index] }
                count += bytes.count
            }
            // In place, past copy-on-write: a wiped copy would leave the network's own buffer as it is. Nobody else reads
            // the body of this request.
            unsafe Self.wipe(UnsafeMutableRawBufferPointer(mutating: bytes))
            return fits
        }
    }

    private var lineRanges: [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        for index in 0..<count where unsafe memory[index] == 0x0A {
            let before: UInt8 = index > start ? unsafe memory[index - 1] : 0
            let end = before == 0x0D ? index - 1 : index
            ranges.append(start..<end)
            start = index + 1
        }
        if start < count { ranges.append(start..<count) }
        return ranges
    }

    private static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
        if let start = bytes.baseAddress { unsafe explicit_bzero(start, bytes.count) }
    }
}
