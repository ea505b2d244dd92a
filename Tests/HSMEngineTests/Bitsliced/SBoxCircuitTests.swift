import CBitslicedDES
import Testing

@testable import HSMEngine

/// The committed circuits against the tables of FIPS 46-3.
@Suite struct SBoxCircuitTests {
    /// S1 to S8, four rows each, a digit a column.
    static let tables: [[String]] = [
        ["e4d12fb83a6c5907", "0f74e2d1a6cb9538", "41e8d62bfc973a50", "fc8249175b3ea06d"],
        ["f18e6b34972dc05a", "3d47f28ec01a69b5", "0e7ba4d158c6932f", "d8a13f42b67c05e9"],
        ["a09e63f51dc7b428", "d709346a285ecbf1", "d6498f30b12c5ae7", "1ad069874fe3b52c"],
        ["7de3069a1285bc4f", "d8b56f03472c1ae9", "a690cb7df13e5284", "3f06a1d8945bc72e"],
        ["2c417ab6853fd0e9", "eb2c47d150fa3986", "421bad78f9c5630e", "b8c71e2d6f09a453"],
        ["c1af92680d34e75b", "af427c9561de0b38", "9ef528c3704a1db6", "432c95fabe17608d"],
        ["4b2ef08d3c975a61", "d0b7491ae35c2f86", "14bdc37eaf680592", "6bd814a7950fe23c"],
        ["d2846fb1a93e50c7", "1fd8a374c56b0e92", "7b419ce206adf358", "21e74a8dfc90356b"],
    ]

    static func output(_ box: Int, _ input: Int) throws -> Int {
        let row = input >> 4 & 2 | input & 1
        let digits = Array(tables[box][row])
        return try #require(digits[input >> 1 & 15].hexDigitValue)
    }

    /// The inputs of all lanes as six planes, the first input bit first; and the four output planes read back by lane.
    private static func evaluate(
        _ box: Int, _ inputs: [Int], _ circuit: (Int32, UnsafeRawPointer, UnsafeMutableRawPointer) -> Void
    ) -> [Int] {
        let words = inputs.count / 64
        let planes = UnsafeMutablePointer<UInt64>.allocate(capacity: 16 * 8)
        let aligned = unsafe UnsafeMutableRawPointer(planes).alignedUp(toMultipleOf: 64).assumingMemoryBound(
            to: UInt64.self)
        defer { unsafe planes.deallocate() }
        for index in 0..<10 * words { unsafe aligned[index] = 0 }
        for (lane, input) in inputs.enumerated() {
            for bit in 0..<6 where input >> (5 - bit) & 1 == 1 {
                unsafe aligned[bit * words + lane / 64] |= 1 << UInt64(lane % 64)
            }
        }
        unsafe circuit(Int32(box), aligned, aligned + 6 * words)
        return inputs.indices.map { lane in
            (0..<4).reduce(0) { value, bit in
                unsafe value << 1 | Int(aligned[(6 + bit) * words + lane / 64] >> UInt64(lane % 64) & 1)
            }
        }
    }

    private static func check(
        lanes: Int, _ circuit: (Int32, UnsafeRawPointer, UnsafeMutableRawPointer) -> Void
    ) throws {
        for box in 0..<8 {
            let expected = try (0..<64).map { try output(box, $0) }
            // Every input in every lane, beside every other.
            for turn in 0..<64 {
                let inputs = (0..<lanes).map { ($0 * (1 + $0 / 64 * 2) + turn) % 64 }
                unsafe #expect(
                    evaluate(box, inputs, circuit) == inputs.map { expected[$0] }, "S\(box + 1), turn \(turn)")
            }
            // One lane alone changes: the others stay.
            for lane in stride(from: 0, to: lanes, by: 7) {
                var inputs = [Int](repeating: 21, count: lanes)
                inputs[lane] = 42
                unsafe #expect(evaluate(box, inputs, circuit) == inputs.map { expected[$0] })
            }
        }
    }

    @Test func `the circuits of gates are the S-boxes, each lane for itself`() throws {
        unsafe try Self.check(lanes: 64, kmsd_des_portable_sbox)
    }

    @Test func `the circuits of look-ups are the S-boxes, each lane for itself`() throws {
        guard DESVersion.avx512.isAvailable else { try Test.cancel("this processor has no AVX-512") }
        unsafe try Self.check(lanes: 512, kmsd_des_avx512_sbox)
    }
}
