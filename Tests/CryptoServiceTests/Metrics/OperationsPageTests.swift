import Foundation
import Testing

@testable import CryptoService

/// docs/operations.md against the code.
struct OperationsPageTests {
    private static func page() throws -> String {
        try String(contentsOf: PrometheusParserTests.root.appending(path: "docs/operations.md"), encoding: .utf8)
    }

    @Test func `The page lists the metrics that there are, with their types and labels, and no others`() throws {
        var listed: [String: (kind: String, labels: [String])] = [:]
        for line in try Self.page().split(separator: "\n") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count >= 6, cells[1].hasPrefix("`kmsd_") || cells[1].hasPrefix("`process_"),
                ["counter", "gauge", "histogram"].contains(cells[2])
            else { continue }
            let labels = cells[3].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            listed[cells[1].trimmingCharacters(in: ["`"])] = (cells[2], labels)
        }
        #expect(Set(listed.keys) == Set(MetricFamily.all.map(\.name)))
        for family in MetricFamily.all {
            #expect(listed[family.name]?.kind == family.kind.rawValue, "\(family.name)")
            #expect(listed[family.name]?.labels == family.labels, "\(family.name)")
        }
    }

    @Test func `Alerts use metrics that exist`() throws {
        let names = Set(MetricFamily.all.map(\.name))
        let page = try Self.page()
        let expression = try Regex(#"(kmsd|process)_[a-z_]+[a-z]"#)
        for match in page.matches(of: expression) {
            let word = String(page[match.range])
            let isKnown =
                names.contains(word)
                || ["_bucket", "_sum", "_count"].contains {
                    word.hasSuffix($0) && names.contains(String(word.dropLast($0.count)))
                }
            #expect(isKnown, "\(word) is no metric")
        }
    }

    @Test func `Every reason and class that a label can have stands on the page`() throws {
        let page = try Self.page()
        let words =
            ConnectionEnd.allCases.map(\.name) + ConnectionRefusal.allCases.map(\.name)
            + ServiceDoor.allCases.map(\.name)
            + CommandClass.allCases.map(\.name)
        for word in words { #expect(page.contains(word), "\(word)") }
    }

    @Test func `Names of metrics are what Prometheus takes, counters end in total, and none comes twice`() throws {
        let form = try Regex(#"[a-z][a-z_]*[a-z]"#)
        #expect(Set(MetricFamily.all.map(\.name)).count == MetricFamily.all.count)
        for family in MetricFamily.all {
            #expect(try form.wholeMatch(in: family.name) != nil)
            #expect((family.kind == .counter) == family.name.hasSuffix("_total"))
        }
    }
}
