import Foundation
import KMS
import Synchronization
import Testing

@testable import CryptoService

@Suite struct ClientRateTests {
    /// A clock that stands still until it is turned.
    final class Clock: Sendable {
        private let time = Atomic<UInt64>(1_000_000_000_000)
        func advance(milliseconds: UInt64) { time.wrappingAdd(milliseconds * 1_000_000, ordering: .relaxed) }
        var read: @Sendable () -> UInt64 { { self.time.load(ordering: .relaxed) } }
    }

    private func limit(_ perSecond: Int, _ burst: Int) -> RequestLimit {
        RequestLimit(perSecond: perSecond, burst: burst)!
    }

    @Test func `a pause fills the bucket to the burst and no further`() {
        let clock = Clock()
        let rate = ClientRate(limit(10, 5), clock: clock.read)
        for round in 0..<3 {
            for request in 0..<5 { #expect(rate.take() == nil, "\(round) \(request)") }
            #expect(rate.take() == 100_000_000)
            clock.advance(milliseconds: 99)
            #expect(rate.take() == 1_000_000)
            clock.advance(milliseconds: 1)
            #expect(rate.take() == nil)
            #expect(rate.take() != nil)
            clock.advance(milliseconds: 3_600_000)
        }
    }

    @Test func `over a long time it is the rate, however eagerly somebody asks`() {
        let clock = Clock()
        let rate = ClientRate(limit(10, 5), clock: clock.read)
        var taken = 0
        for _ in 0..<10_000 {
            if rate.take() == nil { taken += 1 }
            clock.advance(milliseconds: 1)
        }
        // Ten seconds, and what was in the bucket at the beginning.
        #expect(taken == 104 || taken == 105)
    }

    @Test func `a run takes what there is and leaves the rest`() {
        let clock = Clock()
        let rate = ClientRate(limit(10, 5), clock: clock.read)
        #expect(rate.take(3) == 3)
        #expect(rate.take(3) == 2)
        #expect(rate.take(3) == 0)
        clock.advance(milliseconds: 250)
        #expect(rate.take(9) == 2)
        #expect(rate.take(0) == 0)
        #expect(ClientRate(nil).take(1_000_000) == 1_000_000)
    }

    @Test func `a batch takes all its places or none, and says when it would fit`() {
        let clock = Clock()
        let rate = ClientRate(limit(10, 5), clock: clock.read)
        #expect(rate.take() == nil && rate.takeRest(3) == nil)
        // One is left, which the next batch's first request takes.
        #expect(rate.take() == nil && rate.takeRest(2) == .wait(300_000_000))
        clock.advance(milliseconds: 299)
        #expect(rate.takeRest(3) == .wait(101_000_000))
        clock.advance(milliseconds: 1)
        #expect(rate.take() == nil && rate.takeRest(2) == nil && rate.take() != nil)
        clock.advance(milliseconds: 3_600_000)
        #expect(rate.take() == nil && rate.takeRest(5) == .never && rate.takeRest(4) == nil)
        #expect(ClientRate(nil).takeRest(1_000_000) == nil)
    }

    @Test func `many threads together get what one would`() {
        let clock = Clock()
        let rate = ClientRate(limit(1_000, 500), clock: clock.read)
        let taken = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<1_000 where rate.take() == nil { taken.wrappingAdd(1, ordering: .relaxed) }
        }
        #expect(taken.load(ordering: .relaxed) == 500)
    }

    @Test func `a new limit counts at once and fills no bucket`() {
        let clock = Clock()
        let rate = ClientRate(limit(10, 2), clock: clock.read)
        #expect(rate.take() == nil && rate.take() == nil && rate.take() != nil)
        rate.set(limit(10, 2))
        #expect(rate.take() != nil)
        rate.set(nil)
        #expect(rate.take() == nil)
        rate.set(limit(10, 2))
        #expect(rate.take() != nil)
    }

    @Test func `numbers out of range are no limit that could be set`() {
        for (perSecond, burst) in [(0, 1), (1, 0), (-1, 1), (1_000_001, 1), (1, 1_000_001)] {
            #expect(RequestLimit(perSecond: perSecond, burst: burst) == nil)
        }
    }
}
