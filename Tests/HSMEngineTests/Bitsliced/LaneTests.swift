import HSMBridge
import Testing

@testable import HSMEngine

/// The kernels against libcrypto, and what becomes of their memory.
@Suite struct LaneTests {
    static func kernels(_ version: DESVersion) throws -> [DESKernel] {
        guard version.isAvailable else { try Test.cancel("this processor has no \(version.rawValue)") }
        return version.kernels
    }

    @Test(arguments: DESVersion.allCases) func `a million keys and blocks give what libcrypto gives`(
        version: DESVersion
    ) throws {
        for kernel in try Self.kernels(version) {
            let count = kernel.lanes
            var state: UInt64 = UInt64(count)
            var wrong = 0
            let keys = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
            let blocks = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
            defer {
                unsafe keys.deallocate()
                unsafe blocks.deallocate()
            }
            let schedule = UnsafeMutableRawPointer.allocate(byteCount: DESKeys.scheduleSize, alignment: 16)
            defer { unsafe schedule.deallocate() }
            let passes = 1_000_000 / count / version.kernels.count + 1
            for pass in 0..<passes {
                let isDeciphering = pass & 1 == 1
                for lane in 0..<count {
                    // Two multiplications a number: the test runs a million of them without optimisation.
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    unsafe keys[lane] = state ^ state >> 29
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    unsafe blocks[lane] = state ^ state >> 29
                }
                let done: Void? = LaneMemory.with(kernel, keys: 1) { memory in
                    memory.fill(count) { unsafe keys[$0] }
                    memory.loadKey(memory.key(0))
                    memory.fill(count) { unsafe blocks[$0] }
                    var lanes = memory.state(0)
                    memory.load(lanes)
                    memory.apply(memory.key(0), to: &lanes, deciphering: isDeciphering)
                    memory.store(lanes)
                    for lane in 0..<count {
                        let one = unsafe DESKeys(expanding: keys + lane, count: 8, at: schedule)
                        var block = unsafe blocks[lane]
                        unsafe DESKeys.single(&block, one.first, decrypting: isDeciphering)
                        if unsafe memory.blocks[kernel.slot(lane)] != block { wrong += 1 }
                    }
                }
                #expect(done != nil)
            }
            #expect(wrong == 0, "\(kernel.name)")
        }
    }

    @Test(arguments: DESVersion.allCases) func `a key for all lanes is that key in each`(version: DESVersion) throws {
        for kernel in try Self.kernels(version) {
            let key: Block8 = 0xEFCD_AB89_6745_2301
            let differences = LaneMemory.with(kernel, keys: 2) { memory in
                memory.spread(key, to: memory.key(0))
                memory.fill(kernel.lanes) { _ in key }
                memory.loadKey(memory.key(1))
                var one = memory.state(0)
                memory.clear(one)
                memory.absorb(0x80, into: one)
                var other = memory.state(1)
                memory.fill(kernel.lanes) { _ in 0x80 }
                memory.load(other)
                memory.apply(memory.key(0), to: &one)
                memory.apply(memory.key(1), to: &other, deciphering: false)
                memory.store(one)
                memory.absorb(into: other)
                let mask = memory.zeroLanes(other, bytes: 8)
                return (0..<kernel.lanes).filter { !mask.contains($0) }.count
            }
            #expect(differences == 0)
        }
    }

    @Test(arguments: DESVersion.allCases) func `the lanes whose leading bytes are zero are found one by one`(
        version: DESVersion
    ) throws {
        for kernel in try Self.kernels(version) {
            for bytes in [4, 8] {
                let found = LaneMemory.with(kernel, keys: 0) { memory -> [Int] in
                    // Lane n has its only bit at n % 65, and none at 64.
                    memory.fill(kernel.lanes) { $0 % 65 == 64 ? 0 : 1 << UInt64($0 % 65) }
                    memory.load(memory.state(0))
                    let mask = memory.zeroLanes(memory.state(0), bytes: bytes)
                    return (0..<kernel.lanes).filter { mask.contains($0) }
                }
                #expect(found == (0..<kernel.lanes).filter { $0 % 65 >= 8 * bytes })
            }
        }
    }

    @Test(arguments: DESVersion.allCases) func `working memory is zero whenever it is lent`(version: DESVersion) throws
    {
        for kernel in try Self.kernels(version) {
            for _ in 0..<20 {
                let dirty = LaneMemory.with(kernel, keys: LaneMemory.keys) { memory -> Int in
                    let used = 8 * kernel.lanes * (1 + LaneMemory.states) + LaneMemory.keys * kernel.keySize
                    let bytes = unsafe UnsafeRawBufferPointer(start: memory.blocks, count: used)
                    let dirty = unsafe bytes.filter { $0 != 0 }.count
                    for index in 0..<LaneMemory.keys { memory.spread(.max, to: memory.key(index)) }
                    for index in 0..<LaneMemory.states { memory.absorb(.max, into: memory.state(index)) }
                    memory.fill(kernel.lanes) { _ in .max }
                    return dirty
                }
                #expect(dirty == 0)
            }
        }
    }

    @Test func `one version at least is there, and the best is one of them`() {
        #expect(DESVersion.portable.isAvailable)
        #expect(DESVersion.best.isAvailable)
        for version in DESVersion.allCases {
            let lanes = version.kernels.map(\.lanes)
            #expect(lanes == lanes.sorted())
        }
    }
}
