import CryptoClient
import Foundation
import KMS
import NIOCore
import Testing

@testable import CryptoService

/// Nothing that a host command can do is missing over HTTP, and the page says where it is.
struct CommandCoverageTests {
    /// Where each is: the operations, the resources of monitors, and the status, which tells more than NC.
    private static let paths: [String: Set<String>] = {
        let pairs =
            ServiceRoute.all.map { ($0.command, $0.path) }
            + MonitorResource.all.map { ($0.command, "GET \($0.path)") } + [("NC", "GET /v1/status")]
            + ServiceRoute.sameAs.map { ($0.command, $0.path) }
        return Dictionary(grouping: pairs) { $0.0 }.mapValues { Set($0.map(\.1)) }
    }()

    private static func table(_ title: String) throws -> [[String]] {
        let page = try ProtocolPage.text()
        let section = page.components(separatedBy: "\n## ").first { $0.hasPrefix(title) } ?? ""
        return section.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
    }

    @Test func `Every host command has its path over HTTP or one that does the same`() throws {
        #expect(KnownCommands.all.count >= 42)
        #expect(Set(Self.paths.keys) == KnownCommands.all)
        #expect(Set(try Self.table("14. All commands").map { $0[0] }) == KnownCommands.all)
        for (command, path, reason) in ServiceRoute.sameAs {
            #expect(ServiceRoute.byPath[path] != nil && !reason.isEmpty, "\(command)")
        }
    }

    @Test func `The page's table of paths is that of the code`() throws {
        var told: [String: Set<String>] = [:]
        for row in try Self.table("10. The same over HTTP/JSON") {
            for column in [0, 2] where row.count > column + 1 && !row[column].isEmpty {
                let paths = row[column + 1].split(separator: "`").filter { $0.contains("/v1/") }.map(String.init)
                told[row[column], default: []].formUnion(paths)
            }
        }
        #expect(told == Self.paths)
    }

    @Test func `Every grant of the page is the one that a path's document names`() throws {
        for row in try Self.table("14. All commands") {
            for route in ServiceRoute.all where route.command == row[0] {
                if let grant = route.grant {
                    #expect(row[3].contains("`\(grant.rawValue)`") || row[3] == "as KQ", "\(route.path)")
                } else {
                    #expect(row[3] == "none", "\(route.path)")
                }
            }
        }
    }
}
