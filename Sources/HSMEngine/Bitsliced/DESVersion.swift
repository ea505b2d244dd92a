import CBitslicedDES

/// The versions of the bit-sliced DES. Which one a processor can run is asked at run time.
public enum DESVersion: String, CaseIterable, Sendable {
    /// Look-ups of three bits, 256 or 512 lanes.
    case avx512 = "AVX-512"
    /// 256 lanes.
    case avx2 = "AVX2"
    /// Machine words of 64 lanes.
    case portable = "portable"

    /// This processor has what the version needs.
    public var isAvailable: Bool { !kernels.isEmpty }

    /// The fastest that this processor can run; the portable one always can.
    public static let best = allCases.first { $0.isAvailable } ?? .portable

    /// From few lanes to many.
    var kernels: [DESKernel] {
        switch self {
        case .avx512: unsafe [kmsd_des_avx512_half(), kmsd_des_avx512()].compactMap { unsafe DESKernel($0) }
        case .avx2: unsafe [kmsd_des_avx2()].compactMap { unsafe DESKernel($0) }
        case .portable: unsafe [kmsd_des_portable()].compactMap { unsafe DESKernel($0) }
        }
    }
}

extension DESVersion {
    /// The one for a pass over as many of `count` computations as it can take: that with the fewest lanes empty. The version is
    /// available.
    func kernel(for count: Int) -> DESKernel {
        let kernels = kernels
        return kernels.first { $0.lanes >= count } ?? kernels[kernels.count - 1]
    }
}

/// One kernel: its lanes and its functions (Sources/CBitslicedDES).
@safe struct DESKernel: @unchecked Sendable {
    let table: UnsafePointer<kmsd_des_kernel>
    /// Computations side by side: 64, 256 or 512.
    let lanes: Int

    init?(_ table: UnsafePointer<kmsd_des_kernel>?) {
        guard let table = unsafe table else { return nil }
        unsafe self.table = table
        lanes = unsafe Int(table.pointee.lanes)
    }

    var name: String { unsafe String(cString: table.pointee.name) }
    /// 64-bit words of one plane.
    var words: Int { lanes / 64 }
    /// Bytes of half a block's planes, and of a key's.
    var halfSize: Int { 32 * lanes / 8 }
    var keySize: Int { 112 * lanes / 8 }

    /// Where the block of a lane stands among the blocks.
    @inline(__always)
    func slot(_ lane: Int) -> Int { (lane & 63 ^ 7) * words + lane >> 6 }
}
