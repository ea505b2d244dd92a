import CryptoClient
import Foundation
import Testing

@testable import CryptoService

/// What Prometheus' own parser makes of the page.
struct PrometheusParserTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let python = root.appending(path: "var/python/bin/python")

    struct Family: Decodable {
        let type: String
        let help: String
        let samples: [String: Double]
    }

    /// Whether the parser is there; `scripts/install-packages` brings it.
    static let hasParser = FileManager.default.isExecutableFile(atPath: python.path)

    static func parse(_ page: String) async throws -> [String: Family] {
        var parser = Program(python.path, [root.appending(path: "Tests/Outsider/metrics.py").path])
        parser.input = page
        let ended = try await parser.run()
        guard ended.status == 0 else { throw CocoaError(.fileReadCorruptFile) }
        return try JSONDecoder().decode([String: Family].self, from: ended.output)
    }

    @Test(.enabled(if: hasParser)) func `Prometheus reads the page, and reads the same values`() async throws {
        let test = FiguresUnderTest()
        let meter = test.metrics.makeLoopMeter()
        for number in 0..<5_000 {
            let arrived = meter.now()
            test.pass(nanoseconds: UInt64.random(in: 1_000...100_000_000))
            let code: HostErrorCode = number % 7 == 0 ? .verificationFailed : number % 11 == 0 ? .keyUsage : .noError
            meter.answered([.verifyMAC, .verifyTAC, .generateKey][number % 3], code, door: .tcp, since: arrived)
            meter.settle()
            meter.sentToModule(items: number % 100)
            meter.moduleAnswered(nanoseconds: UInt64(number) * 1_000)
        }
        meter.publish()
        test.metrics.rateRefused(client: "odd \"name\\ of\na client")
        let picture = test.picture()
        let families = try await Self.parse(picture.prometheusText())
        // The parser takes `_total` off a counter's name.
        let names = Set(MetricFamily.all.map { $0.name.hasSuffix("_total") ? String($0.name.dropLast(6)) : $0.name })
        #expect(Set(families.keys) == names)
        for family in MetricFamily.all {
            let read = try #require(
                families[family.name.hasSuffix("_total") ? String(family.name.dropLast(6)) : family.name])
            #expect(read.type == family.kind.rawValue && read.help == family.help)
        }
        let requests = try #require(families["kmsd_requests"])
        for answer in picture.figures.answers {
            let name = CommandSlots.shared.name(answer.slot)
            let key = "kmsd_requests_total{code=\(answer.code.rawValue),command=\(name),door=tcp}"
            #expect(requests.samples[key] == Double(answer.count))
        }
        let refused = try #require(families["kmsd_rate_refused"])
        #expect(refused.samples["kmsd_rate_refused_total{client=odd \"name\\ of\na client}"] == 1)
        let durations = try #require(families["kmsd_request_duration_seconds"])
        #expect(durations.samples["kmsd_request_duration_seconds_count{class=mac,door=tcp}"] == 1_667)
    }

    @Test(.enabled(if: hasParser)) func `The parser would notice a page that is wrong`() async {
        for page in ["kmsd_x{a=\"b} 1\n", "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_sum 1\nh_count 1\n"] {
            await #expect(throws: (any Error).self) { try await Self.parse(page) }
        }
    }
}
