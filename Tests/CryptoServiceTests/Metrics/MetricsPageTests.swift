import CryptoClient
import HSMBridge
import Synchronization
import Testing

@testable import CryptoService
@testable import KMS

/// A service's figures with a clock that stands until it is turned.
final class FiguresUnderTest: Sendable {
    let metrics: ServiceMetrics

    init() {
        let box = Box()
        metrics = ServiceMetrics { box.time.withLock { $0 } }
        self.box = box
    }

    private final class Box: Sendable {
        let time = Mutex<UInt64>(5_000_000_000)
    }
    private let box: Box

    func pass(nanoseconds: UInt64) { box.time.withLock { $0 += nanoseconds } }

    func picture(
        module: ModuleStatus? = operational, directory: DirectoryHealth = current, totals: [RequestTotal] = []
    ) -> OperationPicture {
        var settings = CryptoSettings(moduleSocket: "", plainClient: "")
        settings.version = "0.1.0"
        return OperationPicture(
            figures: metrics.figures(), settings: settings, module: module, directory: directory, totals: totals,
            process: .now(), version: "0.1.0")
    }

    static let operational = ModuleStatus(
        state: .operational, firmware: "kmsd-hsm 0.1.0", epoch: 1, term: 1, lmkCheckValue: KeyCheckValue(1, 2, 3),
        componentCheckValues: [], selfTestsPassed: 41, failure: "", openKeys: 7)

    static let current = DirectoryHealth(
        ageSeconds: 0.5, isStale: false, databaseAnswers: true, keys: 12, clients: 3, change: 9)
}

struct MetricsPageTests {
    @Test func `Answers are counted by door, command and code, with their time in a bucket`() {
        let test = FiguresUnderTest()
        let meter = test.metrics.makeLoopMeter()
        let arrived = meter.now()
        for _ in 0..<3 { meter.answered(.verifyMAC, .noError, door: .tcp, since: arrived) }
        meter.answered(.verifyMAC, .verificationFailed, door: .tcp, since: arrived)
        meter.answered(.verifyTAC, .lmkIdentifier, door: .tls, since: arrived)
        test.pass(nanoseconds: 11_000)
        meter.settle()
        #expect(test.metrics.figures().requests == 0, "others see figures only when they are published")
        meter.publish()
        let lines = Set(test.picture().prometheusText().split(separator: "\n").map(String.init))
        #expect(lines.contains(#"kmsd_requests_total{door="tcp",command="M8",code="00"} 3"#))
        #expect(lines.contains(#"kmsd_requests_total{door="tcp",command="M8",code="01"} 1"#))
        #expect(lines.contains(#"kmsd_requests_total{door="tls",command="YT",code="13"} 1"#))
        #expect(lines.contains(#"kmsd_request_duration_seconds_bucket{door="tcp",class="mac",le="1e-05"} 0"#))
        #expect(lines.contains(#"kmsd_request_duration_seconds_bucket{door="tcp",class="mac",le="1.2e-05"} 4"#))
        #expect(lines.contains(#"kmsd_request_duration_seconds_bucket{door="tcp",class="mac",le="+Inf"} 4"#))
        #expect(lines.contains(#"kmsd_request_duration_seconds_sum{door="tcp",class="mac"} 4.4e-05"#))
        #expect(lines.contains(#"kmsd_request_duration_seconds_count{door="tls",class="tac"} 1"#))
    }

    @Test func `Commands without a name of their own share one series, whatever clients send`() {
        let test = FiguresUnderTest()
        let meter = test.metrics.makeLoopMeter()
        for code in 0...UInt16.max {
            meter.answered(HostCommandCode(rawValue: code), .commandNotLicensed, door: .tcp, since: meter.now())
        }
        meter.settle()
        meter.publish()
        let figures = test.metrics.figures()
        #expect(figures.requests == 65_536)
        #expect(figures.answers.count <= CommandSlots.count)
        let others = figures.answers.first { $0.slot == CommandSlots.other }
        #expect(others?.count == 65_536 - UInt64(figures.answers.count - 1))
    }

    @Test func `Every command that this server takes has a name of its own`() throws {
        #expect(KnownCommands.all.count > 40)
        for code in KnownCommands.all {
            let slot = CommandSlots.shared.slot(try #require(HostCommandCode(code)))
            #expect(slot != CommandSlots.other && CommandSlots.shared.name(slot) == code, "\(code)")
        }
    }

    @Test func `Figures of several loops and of other threads add up`() {
        let test = FiguresUnderTest()
        let meters = (0..<3).map { _ in test.metrics.makeLoopMeter() }
        for (index, meter) in meters.enumerated() {
            meter.connectionOpened(.tcp)
            for _ in 0...index { meter.keyHits() }
            meter.sentToModule(items: 1 << index)
            meter.batch(.verifyTACBatch, records: 10_000 >> index)
            meter.gauges.inFlight = 10
            meter.gauges.moduleConnected = index != 1
            meter.publish()
        }
        meters[0].connectionClosed(.tcp, .idle)
        meters[0].publish()
        test.metrics.answered(.http, command: .verifyTAC, code: .noError, nanoseconds: 500_000)
        test.metrics.connectionRefused(.tls, .limit)
        let picture = test.picture()
        let page = picture.prometheusText()
        for line in [
            #"kmsd_connections{door="tcp"} 2"#, #"kmsd_connections_opened_total{door="tcp"} 3"#,
            #"kmsd_connections_closed_total{door="tcp",reason="idle"} 1"#, "kmsd_key_cache_hits_total 6",
            #"kmsd_connections_refused_total{door="tls",reason="limit"} 1"#, "kmsd_requests_in_flight 30",
            #"kmsd_module_message_items_sum{way="single"} 7"#,
            #"kmsd_module_message_items_bucket{way="single",le="2"} 2"#,
            #"kmsd_batch_records_sum{command="YB"} 17500"#, #"kmsd_batch_records_count{command="YB"} 3"#,
            #"kmsd_batch_records_bucket{command="YB",le="4096"} 1"#,
            #"kmsd_batch_records_bucket{command="YB",le="16384"} 3"#,
            #"kmsd_requests_total{door="http",command="YT",code="00"} 1"#, "kmsd_module_up 0",
        ] {
            #expect(page.contains(line + "\n"), "\(line)")
        }
    }

    @Test func `Names are escaped as the format says`() {
        #expect(PrometheusText.escaped("a\\b\"c\nd", quotes: true) == #"a\\b\"c\nd"#)
        #expect(PrometheusText.escaped("a\\b\"c\nd", quotes: false) == #"a\\b"c\nd"#)
        #expect(PrometheusText.number(0.000_012) == "1.2e-05")
        #expect(PrometheusText.number(.infinity) == "+Inf" && PrometheusText.number(12) == "12")
    }

    @Test func `Names of clients over their rate are bounded`() {
        let test = FiguresUnderTest()
        for number in 0..<2_000 { test.metrics.rateRefused(client: "client-\(number)") }
        let refused = test.metrics.figures().rateRefused
        #expect(refused.count == ServiceMetrics.clientLimit + 1)
        #expect(refused[ServiceMetrics.others] == UInt64(2_000 - ServiceMetrics.clientLimit))
        #expect(test.metrics.figures().refusedByRate == 2_000)
    }

    @Test func `Rates of the last minute come from one sample a second, and no more than a minute is kept`() {
        let test = FiguresUnderTest()
        let meter = test.metrics.makeLoopMeter()
        meter.publish()
        for second in 1...100 {
            for _ in 0..<10 { meter.answered(.verifyMAC, .noError, door: .tcp, since: meter.now()) }
            if second > 40 { meter.answered(.verifyMAC, .internalError, door: .tcp, since: meter.now()) }
            meter.settle()
            test.pass(nanoseconds: 1_000_000_000)
            meter.publish()
        }
        let figures = test.metrics.figures()
        #expect(figures.rates.count == 60)
        #expect(figures.rates.allSatisfy { $0 == 11 })
        #expect(figures.lastMinute == (done: 10, mismatched: 0, refused: 1))
        #expect(figures.loadPeriods.reduce(0, +) == 100)
    }

    @Test(arguments: [
        (ModuleStatus?.some(FiguresUnderTest.operational), FiguresUnderTest.current, [String]()),
        (ModuleStatus?.none, FiguresUnderTest.current, ["module away"]),
        (
            ModuleStatus?.some(FiguresUnderTest.operational),
            DirectoryHealth(ageSeconds: 99, isStale: true, databaseAnswers: false, keys: 1, clients: 1, change: 1),
            ["directory stale", "database away"]
        ),
    ])
    func `What keeps the service from being ready is named`(
        module: ModuleStatus?, directory: DirectoryHealth, obstacles: [String]
    ) {
        let test = FiguresUnderTest()
        let picture = test.picture(module: module, directory: directory)
        #expect(picture.obstacles == obstacles)
        #expect(OperationStatus(picture).isReady == obstacles.isEmpty)
        test.metrics.beginStopping()
        #expect(test.picture(module: module, directory: directory).obstacles == ["stopping"] + obstacles)
    }
}
