import FoundationEssentials
import Glibc

/// Where the command line speaks: results on standard output, questions and troubles on standard error.
enum Terminal {
    /// The language of messages for custodians and clerks: `KMSD_LANG`, else `LANG`.
    enum Language: Sendable {
        case english, chinese

        static let current: Language = {
            for name in ["KMSD_LANG", "LC_ALL", "LC_MESSAGES", "LANG"] {
                guard let value = unsafe getenv(name) else { continue }
                let text = unsafe String(cString: value)
                if text.isEmpty { continue }
                return text.hasPrefix("zh") ? .chinese : .english
            }
            return .english
        }()
    }

    static func say(_ text: String) {
        write(text + "\n", to: STDOUT_FILENO)
    }

    static func ask(_ text: String) {
        write(text, to: STDERR_FILENO)
    }

    static func complain(_ text: String) {
        write(text + "\n", to: STDERR_FILENO)
    }

    static func say(_ english: String, _ chinese: String) {
        say(Language.current == .chinese ? chinese : english)
    }

    /// Prints a value as JSON with sorted keys, for other programs.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        say(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
