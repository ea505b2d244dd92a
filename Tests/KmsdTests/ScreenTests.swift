import CryptoService
import Foundation
import Testing

@testable import kmsd

struct ScreenTests {
    private static func page(_ done: Int, _ wrong: Int, _ fast: Int, _ slow: Int) -> String {
        """
        kmsd_ready 1
        kmsd_uptime_seconds 3661
        kmsd_module_state{state="operational"} 1
        kmsd_module_state{state="sealed"} 0
        kmsd_requests_total{door="tcp",command="M8",code="00"} \(done)
        kmsd_requests_total{door="tcp",command="M8",code="01"} \(wrong)
        kmsd_requests_total{door="tcp",command="YT",code="13"} 5
        kmsd_request_duration_seconds_bucket{door="tcp",class="mac",le="0.0001"} \(fast)
        kmsd_request_duration_seconds_bucket{door="tcp",class="mac",le="0.0002"} \(fast + slow)
        kmsd_request_duration_seconds_bucket{door="tcp",class="mac",le="+Inf"} \(fast + slow)
        kmsd_request_duration_seconds_count{door="tcp",class="mac"} \(fast + slow)
        kmsd_requests_in_flight 800
        kmsd_module_queue 64
        kmsd_connections{door="tcp"} 50
        kmsd_connections{door="http"} 0
        kmsd_client_requests_total{client="host-port",result="done"} \(done)
        kmsd_client_requests_total{client="host-port",result="failed"} \(wrong)
        kmsd_key_requests_total{key="canteen/pos/mac/01",operation="verifyMAC",result="done"} \(done)
        process_resident_memory_bytes 34100000
        process_open_fds 71
        process_max_fds 1024

        """
    }

    private static func screen() throws -> TopScreen {
        TopScreen(
            before: try MetricsScrape(page(1_000, 10, 0, 0)), after: try MetricsScrape(page(97_000, 30, 190, 10)),
            seconds: 2)
    }

    @Test func `top shows rates between two readings, quantiles of what came between them, and fits 80 by 24`() throws {
        let lines = try Self.screen().lines(width: 80, height: 24, place: "127.0.0.1:8441")
        #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 80 })
        #expect(lines[0] == "kmsd top 127.0.0.1:8441   ready   module operational   up 01:01:01")
        #expect(lines[1].hasPrefix("48,010 requests/s   in flight 800   module queue 64"))
        #expect(lines[2].contains("connections tcp 50") && lines[2].contains("memory 34.1 MB"))
        let commands = try #require(lines.first { $0.hasPrefix("M8") })
        #expect(commands.contains("48,010") && commands.contains("10.0"))
        #expect(commands.contains("mac") && commands.contains("53 µs") && commands.contains("180 µs"))
        let client = try #require(lines.first { $0.hasPrefix("host-port") })
        #expect(client.contains("48,010"))
        let key = try #require(lines.first { $0.hasPrefix("canteen/pos/mac/01") })
        #expect(key.contains("verifyMAC") && key.contains("48,000"))
    }

    @Test(arguments: [(40, 10), (80, 24), (200, 60), (1, 1)])
    func `top keeps within any terminal`(width: Int, height: Int) throws {
        let lines = try Self.screen().lines(width: width, height: height, place: "x")
        #expect(!lines.isEmpty && lines.count <= height && lines.allSatisfy { $0.count <= width })
    }

    @Test func `A service that restarted between two readings has no negative rates`() throws {
        let screen = TopScreen(
            before: try MetricsScrape(Self.page(97_000, 30, 190, 10)), after: try MetricsScrape(Self.page(5, 0, 1, 0)),
            seconds: 1)
        let figures = screen.lines(width: 80, height: 24, place: "x").joined(separator: " ").split(separator: " ")
        #expect(!figures.contains { $0.hasPrefix("-") && $0.count > 1 })
    }

    @Test func `Figures are short and right`() {
        #expect(
            FigureText.count(1_234_567) == "1,234,567" && FigureText.count(-12) == "-12"
                && FigureText.count(999) == "999")
        #expect(FigureText.rate(0.04) == "0.0" && FigureText.rate(99.94) == "99.9" && FigureText.rate(99.96) == "100")
        #expect(FigureText.time(0.000_053) == "53 µs" && FigureText.time(0.001) == "1.00 ms")
        #expect(FigureText.time(0.0125) == "12.5 ms" && FigureText.time(2.5) == "2.50 s" && FigureText.time(nil) == "-")
        #expect(FigureText.bytes(34_100_000) == "34.1 MB" && FigureText.bytes(12) == "12 B")
        #expect(FigureText.duration(3_661) == "01:01:01" && FigureText.duration(90_000) == "1 d 01:00:00")
        #expect(FigureText.fixed(-0.04, 1) == "0.0" && FigureText.fixed(0.05, 2) == "0.05")
        #expect(FigureText.column("abcdef", 4) == "abc…" && FigureText.column("ab", 4, right: true) == "  ab")
    }

    @Test func `status names what is wrong in its first line`() throws {
        var status = try OperationStatus.example()
        #expect(StatusScreen.lines(status)[0].hasPrefix("kmsd 0.1.0 is ready"))
        status.isReady = false
        status.obstacles = ["module sealed", "database away"]
        let lines = StatusScreen.lines(status)
        #expect(lines[0].contains("NOT READY: module sealed, database away"))
        #expect(lines.count < 24 && lines.allSatisfy { $0.count <= 80 }, "\(lines.joined(separator: "\n"))")
    }
}

extension OperationStatus {
    fileprivate static func example() throws -> OperationStatus {
        let text = """
            {"version":"0.1.0","uptime_seconds":90061.5,"ready":true,"obstacles":[],
            "module":{"state":"operational","firmware":"kmsd-hsm 0.1.0","lmk_check_value":"0A1B2C","lmk_term":1,"open_keys":17,
            "self_tests_passed":41,"queue":3},
            "directory":{"state":"current","age_seconds":0.41,"keys":1204,"clients":12,"database_answers":true},
            "doors":[{"name":"tcp","address":"127.0.0.1:1500","connections":50,"opened":1204,"refused":0}],
            "requests":{"total":123456789,"in_flight":12,"done_per_second":48123.4,"mismatched_per_second":1.2,
            "refused_per_second":0,"rate_refused":0,"median_seconds":0.00018,"p99_seconds":0.0012},
            "process":{"resident_bytes":34100000,"open_descriptors":71,"descriptor_limit":1024,"cpu_seconds":12.5,"load_percent":12}}
            """
        return try JSONDecoder().decode(OperationStatus.self, from: Data(text.utf8))
    }
}
