import Foundation

/// `curl`, as a person would use it: somebody else's HTTP and TLS.
struct Curl {
    struct Answer {
        /// 0: no answer at all.
        let status: Int
        let headers: [String: String]
        let body: String

        func text(_ name: String) -> String? {
            (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])?[name] as? String
        }
    }

    /// One answer for each URL; several go over one connection.
    static func run(_ arguments: [String]) async throws -> [Answer] {
        let curl = Program("/usr/bin/curl", ["--silent", "--include", "--max-time", "300"] + arguments)
        let text = try await curl.run().text
        let parts = text.components(separatedBy: "HTTP/1.1 ").dropFirst()
        guard !parts.isEmpty else { return [Answer(status: 0, headers: [:], body: "")] }
        return parts.map { part in
            let halves = part.components(separatedBy: "\r\n\r\n")
            let lines = halves[0].components(separatedBy: "\r\n")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let pair = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                if pair.count == 2 { headers[pair[0].lowercased()] = pair[1] }
            }
            return Answer(
                status: Int(lines[0].prefix(3)) ?? 0, headers: headers,
                body: halves.dropFirst().joined(separator: "\r\n\r\n"))
        }
    }

    static func ask(_ arguments: String...) async throws -> Answer { try await run(arguments)[0] }
}
