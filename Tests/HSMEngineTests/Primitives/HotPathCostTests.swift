import HSMBridge
import Testing

@testable import HSMEngine

/// A ratio, not a time: what a TAC check costs in units of the DES work that it cannot do without.
@Suite(.serialized) struct HotPathCostTests {
    @Test func `a TAC under a cached master does no key set-up of the master and allocates no key`() throws {
        let key = try OpenKeySchedule(try KeyMaterial.generate(.tripleDES2), algorithm: .tripleDES2)
        let data = try SecureRandom.bytes(count: 22)
        let inUse = SecretMemory.shared.statistics.arenas
        let opened = try Self.best { _ = try OpenKeySchedule(try key.diversified(by: [1]), algorithm: .tripleDES2) }
        let tac = try Self.best { _ = try key.tac(factors: [1], data: data.span) }
        #expect(tac < opened, "the TAC costs less than opening the derived key would")
        #expect(SecretMemory.shared.statistics.arenas <= inUse + 1)
    }

    private static func best(_ body: () throws -> Void) rethrows -> Duration {
        let clock = ContinuousClock()
        var best = Duration.seconds(60)
        for _ in 0..<20 {
            let time = try clock.measure { for _ in 0..<50 { try body() } }
            best = min(best, time)
        }
        return best
    }
}
