import FoundationEssentials
import Glibc

/// What a number depends on besides the program: printed with the numbers.
struct MachineFacts {
    let lines: [(String, String)]

    init(redis: String?, libcrypto: String?) {
        let kernel = Self.text("/proc/sys/kernel/osrelease") ?? "unknown"
        let load = Self.text("/proc/loadavg")?.split(separator: " ").first.map(String.init) ?? "unknown"
        lines = [
            ("Processor", Self.value("model name", in: "/proc/cpuinfo") ?? "unknown"),
            ("Cores", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) online, load \(load) before the first row"),
            ("Kernel", "Linux \(kernel)"),
            ("Versions", "\(KmsdVersion.text)\(Self.build), redis \(redis ?? "none"), \(libcrypto ?? "no libcrypto")"),
            ("Command", CommandLine.arguments.joined(separator: " ")),
        ]
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
