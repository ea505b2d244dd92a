import Testing

@testable import CryptoService

struct LatencyHistogramTests {
    @Test func `A time lies in the first bucket whose bound is not below it`() {
        var times: [UInt64] = [0, 1, 3_999, 4_000, 4_001, .max]
        for bound in LatencyHistogram.bounds { times += [bound - 1, bound, bound + 1] }
        for _ in 0..<10_000 { times.append(UInt64.random(in: 0...(1 << UInt64.random(in: 1...40)))) }
        for time in times {
            let expected = LatencyHistogram.bounds.firstIndex { time <= $0 } ?? LatencyHistogram.bounds.count
            #expect(LatencyHistogram.bucket(time) == expected, "\(time) ns")
        }
    }

    @Test func `Bounds rise by at most a quarter`() {
        for (low, high) in zip(LatencyHistogram.bounds, LatencyHistogram.bounds.dropFirst()) {
            #expect(low < high && high * 4 <= low * 5)
        }
    }

    @Test(arguments: [0.01, 0.5, 0.9, 0.99, 1.0])
    func `A quantile lies within one bucket of the true one`(quantile: Double) throws {
        var histogram = LatencyHistogram()
        let times = (0..<20_000).map { _ in UInt64.random(in: 5_000...900_000) }.sorted()
        for time in times { histogram.add(time) }
        let found = try #require(histogram.quantile(quantile))
        let exact = Double(times[Int((Double(times.count) * quantile).rounded(.up)) - 1])
        #expect(found >= exact / 1.26 && found <= exact * 1.26, "\(found) instead of \(exact)")
    }

    @Test func `An empty histogram has no quantile, and what is beyond the last bound is at least that`() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == nil)
        histogram.add(.max / 2)
        #expect(histogram.quantile(0.5) == LatencyHistogram.bounds.last.map { Double($0) })
    }

    @Test func `Histograms add, and what came in between is their difference`() {
        var first = LatencyHistogram()
        first.add(10_000, count: 3)
        var both = first
        var second = LatencyHistogram()
        second.add(20_000)
        both.add(second)
        #expect(both.count == 4 && both.sum == 50_000)
        #expect(both.since(first) == second)
    }
}
