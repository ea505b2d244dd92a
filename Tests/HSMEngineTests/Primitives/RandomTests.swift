import Testing

@testable import HSMEngine

@Suite struct RandomTests {
    @Test func `the repetition count test fails at its cut-off and not before`() {
        var test = RandomHealthTest()
        _ = test.take(1)
        let before = (1..<RandomHealthTest.repetitionCutoff).map { _ in test.take(7) }
        #expect(before.allSatisfy { $0 })
        let after = [test.take(7), test.take(8)]
        #expect(after == [false, false], "and a fault stays")
    }

    @Test func `the adaptive proportion test fails at its cut-off and not before`() {
        var test = RandomHealthTest()
        var results: [Bool] = []
        for index in 0..<RandomHealthTest.windowLength {
            let isMarked = index % 10 == 0
            results.append(test.take(isMarked ? 0xEE : UInt8(truncatingIfNeeded: index % 200)))
        }
        let firstFault = results.firstIndex(of: false)
        #expect(firstFault == 10 * (RandomHealthTest.proportionCutoff - 1))
    }

    @Test func `a million bytes of the real source raise no alarm`() throws {
        for _ in 0..<16 { _ = try SecureRandom.bytes(count: 1 << 16) }
        #expect(SecureRandom.isHealthy)
    }

    @Test func `bytes differ, and each value occurs`() throws {
        let bytes = try SecureRandom.bytes(count: 1 << 16)
        var counts = [Int](repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] += 1 }
        // 256 expected each; 8 standard deviations.
        #expect(counts.allSatisfy { (128...384).contains($0) })
    }

    @Test func `a stuck source stops generation until it passes again`() {
        let generator = unsafe SecureRandom([
            { target in
                unsafe target.initializeMemory(as: UInt8.self, repeating: 0x42)
                return true
            }
        ])
        #expect(throws: PrimitiveError.randomFault) { try Self.draw(generator) }
        #expect(!generator.isHealthy)
        #expect(throws: PrimitiveError.randomFault) { try Self.draw(generator) }
        #expect(throws: PrimitiveError.randomFault) { try generator.restart() }
    }

    @Test func `a source that sticks later is noticed, gives nothing, and can be restarted`() throws {
        let source = FailingSource()
        let generator = unsafe SecureRandom([{ target in unsafe source.fill(target) }])
        for _ in 0..<10 { try Self.draw(generator) }
        source.isStuck = true
        var secret = try SecretBytes(count: 32)
        #expect(throws: PrimitiveError.randomFault) {
            try secret.withMutableBytes { span throws(PrimitiveError) in try generator.fill(&span) }
        }
        #expect(secret.revealed() == [UInt8](repeating: 0, count: 32), "nothing of a bad draw is left")
        source.isStuck = false
        #expect(throws: PrimitiveError.randomFault) { try Self.draw(generator) }
        try generator.restart()
        try Self.draw(generator)
    }

    @Test func `one good source is enough for good output, and one bad one for a fault`() throws {
        let good = FailingSource()
        let bad = FailingSource()
        let generator = unsafe SecureRandom([{ unsafe good.fill($0) }, { unsafe bad.fill($0) }])
        try Self.draw(generator)
        bad.isBroken = true
        #expect(throws: PrimitiveError.randomFault) { try Self.draw(generator) }
    }

    private static func draw(_ generator: SecureRandom) throws(PrimitiveError) {
        var secret = try SecretBytes(count: 64)
        try secret.withMutableBytes { span throws(PrimitiveError) in try generator.fill(&span) }
    }
}

/// Good until told otherwise; used by one test each.
private final class FailingSource: @unchecked Sendable {
    var isStuck = false
    var isBroken = false

    func fill(_ target: UnsafeMutableRawBufferPointer) -> Bool {
        for index in target.indices { unsafe target[index] = isStuck ? 9 : UInt8.random(in: .min ... .max) }
        return !isBroken
    }
}
