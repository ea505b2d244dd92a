import Testing

@testable import kmsd

struct ScrapeTests {
    private static let page = """
        # HELP a_total What.
        # TYPE a_total counter
        a_total{door="tcp",command="M8",code="00"} 100
        a_total{door="tcp",command="M8",code="01"} 2
        plain 1.5e-05
        odd{name="with \\"quotes\\", \\\\ and\\nline"} +Inf
        h_bucket{class="mac",le="0.1"} 1
        h_bucket{class="mac",le="0.2"} 4
        h_bucket{class="mac",le="+Inf"} 5
        h_sum{class="mac"} 0.7
        h_count{class="mac"} 5

        """

    @Test func `A page is read with its labels and values`() throws {
        let scrape = try MetricsScrape(Self.page)
        #expect(scrape.value("a_total", ["door": "tcp", "command": "M8", "code": "01"]) == 2)
        #expect(scrape.value("plain") == 1.5e-05)
        #expect(scrape.value("odd", ["name": "with \"quotes\", \\ and\nline"]) == .infinity)
        #expect(scrape.sums("a_total", by: "command") == ["M8": 102])
        let histogram = scrape.histogram("h")
        #expect(histogram.bounds == [0.1, 0.2] && histogram.counts == [1, 3, 1])
        #expect(scrape.value("unknown") == 0 && scrape.series("unknown").isEmpty)
    }

    @Test(arguments: [
        "a{b=\"c} 1", "a{b=c} 1", "a{b=\"c\"", "a", "a x", "{a=\"b\"} 1", "a{b=\"c\"}1", "<html>", "a{b=\"c\\",
    ])
    func `What is no such page is refused`(line: String) {
        #expect(throws: MetricsScrape.Unreadable(line: 2)) { try MetricsScrape("plain 1\n" + line) }
    }
}
