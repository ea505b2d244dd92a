import FoundationEssentials
import Glibc
import HSMEngine

/// What a number depends on besides the program: printed with the numbers.
struct MachineFacts {
    private let lines: [(String, String)]

    var text: String {
        lines.map { name, value in name + String(repeating: " ", count: 11 - name.count) + value }
            .joined(separator: "\n")
    }

    init(_ references: BenchReferences) {
        let kernel = Self.text("/proc/sys/kernel/osrelease") ?? "unknown"
        let load = Self.text("/proc/loadavg")?.split(separator: " ").first.map(String.init) ?? "unknown"
        let now = Date.now.formatted(.iso8601.year().month().day())
        lines = [
            ("Date", now),
            ("Processor", Self.value("model name", in: "/proc/cpuinfo") ?? "unknown"),
            ("Cores", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) online, load \(load) before the first row"),
            ("Kernel", "Linux \(kernel)"),
            ("Versions", "\(KmsdVersion.text)\(Self.build), \(TACBenchmark.library)"),
            ("References", Self.versions(references)),
            // In the page's words: without the folder that this checkout happens to be in.
            (
                "Command",
                CommandLine.arguments.joined(separator: " ")
                    .replacing("\(FileManager.default.currentDirectoryPath)/", with: "")
            ),
        ]
    }

    /// Of the programs that are measured beside, as they say themselves; those that are not there are left out.
    private static func versions(_ references: BenchReferences) -> String {
        func first(_ words: [String], errors: Bool = false) -> String? {
            (try? OutsideProgram.run(words, errors: errors))?.split(separator: "\n").first.map(String.init)
        }
        return [
            RedisReference.version(port: references.redisPort).map { "redis \($0)" },
            first(["nginx", "-v"], errors: true), first(["openssl", "version"]),
            first(["softhsm2-util", "--version"]).map { "SoftHSM \($0)" },
            first(["dpkg-query", "--show", "wrk"])?.replacing("\t", with: " "),
        ].compactMap(\.self).joined(separator: ", ")
    }

    #if DEBUG
        private static let build = " (DEBUG BUILD: no figures)"
    #else
        private static let build = " (release build)"
    #endif

    /// The first value of a `name : value` line in a file of the kernel.
    static func value(_ name: String, in file: String) -> String? {
        for line in (text(file) ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, trimmed(parts[0]) == name else { continue }
            return trimmed(parts[1])
        }
        return nil
    }

    private static func text(_ file: String) -> String? {
        guard let bytes = FileManager.default.contents(atPath: file) else { return nil }
        return trimmed(String(decoding: bytes, as: UTF8.self)[...])
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace = { (character: Character) in character.isWhitespace }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
