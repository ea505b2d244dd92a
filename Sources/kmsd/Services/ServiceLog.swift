import Glibc
import HSMBridge
import KMS
import Logging
import Synchronization

/// How log lines look: text for people, or one JSON object a line for collectors.
enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}

/// Log lines on standard error, where the service's supervisor picks them up. Made once for a process.
enum ServiceLog {
    static func make(_ name: String, _ settings: Settings) -> Logger {
        make(name, level: settings.logLevel, format: settings.logFormat, clocks: .system) { line in
            Terminal.write(line, to: STDERR_FILENO)
        }
    }

    /// `write` takes whole lines, each with its line feed.
    static func make(
        _ name: String, level: String, format: LogFormat, clocks: Clocks, write: @escaping @Sendable (String) -> Void
    ) -> Logger {
        let rates = LineRates()
        var log = Logger(
            label: "kmsd.\(name)",
            factory: { _ in LineLog(service: name, format: format, clocks: clocks, rates: rates, write: write) })
        log.logLevel = Logger.Level(rawValue: level) ?? .info
        return log
    }
}

/// Writes each event as one line, so that whatever a client sent cannot make two of it: control characters are escaped, and
/// values are cut at `valueLimit` characters.
///
/// The same line again and again is written `LineRates.limit` times a minute; how many were left out stands in the first line
/// after that minute (`suppressed`).
struct LineLog: LogHandler {
    static let valueLimit = 512

    let service: String
    let format: LogFormat
    let clocks: Clocks
    let rates: LineRates
    let write: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(
        service: String, format: LogFormat, clocks: Clocks, rates: LineRates,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.service = service
        self.format = format
        self.clocks = clocks
        self.rates = rates
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let text = event.message.description
        guard let suppressed = rates.leave(event.level, text, now: clocks.monotonicNanoseconds()) else { return }
        var fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
        if let error = event.error { fields["error"] = "\(error)" }
        if suppressed > 0 { fields["suppressed"] = "\(suppressed)" }
        let pairs = fields.sorted { $0.key < $1.key }.map { ($0.key, Self.cut($0.value.description)) }
        let time = clocks.wall().text
        switch format {
        case .text: write(Self.text(time, event.level, service, Self.cut(text), pairs))
        case .json: write(Self.json(time, event.level, service, Self.cut(text), pairs))
        }
    }

    private static func cut(_ value: String) -> String {
        value.count <= valueLimit ? value : value.prefix(valueLimit) + "…"
    }

    private static func text(
        _ time: String, _ level: Logger.Level, _ service: String, _ message: String, _ pairs: [(String, String)]
    ) -> String {
        var line = "\(time) \(level.rawValue) \(service): \(escaped(message, quotes: false))"
        for (key, value) in pairs {
            let isPlain =
                !value.isEmpty && value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" }
            line += " \(escaped(key, quotes: false))=" + (isPlain ? escaped(value, quotes: false) : quoted(value))
        }
        return line + "\n"
    }

    private static func json(
        _ time: String, _ level: Logger.Level, _ service: String, _ message: String, _ pairs: [(String, String)]
    ) -> String {
        var line = "{\"time\":\(quoted(time)),\"level\":\(quoted(level.rawValue)),\"service\":\(quoted(service))"
        line += ",\"message\":\(quoted(message))"
        if !pairs.isEmpty {
            line += ",\"fields\":{" + pairs.map { "\(quoted($0)):\(quoted($1))" }.joined(separator: ",") + "}"
        }
        return line + "}\n"
    }

    static func quoted(_ text: String) -> String { "\"" + escaped(text, quotes: true) + "\"" }

    /// As JSON escapes; without `quotes` the marks themselves are left alone.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"" where quotes: escaped += "\\\""
            case "\\" where quotes: escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
                || scalar.value == 0x2029:
                escaped += "\\u" + Hex.encode([UInt8(scalar.value >> 8), UInt8(scalar.value & 0xFF)]).lowercased()
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// How often each message was written in its minute; bounded, so that a flood of different lines is no flood of memory.
final class LineRates: Sendable {
    /// Lines of one message and level in a minute.
    static let limit = 20
    /// Messages told apart; beyond it all others share one count.
    static let messages = 256
    private static let minute: UInt64 = 60_000_000_000

    private struct Kind: Hashable {
        let level: Logger.Level
        let message: String
    }

    private struct Count {
        var began: UInt64
        var written = 0
        var suppressed: UInt64 = 0
    }

    private let counts = Mutex<[Kind: Count]>([:])

    /// Nil where the line is one too many; else how many were left out before it.
    func leave(_ level: Logger.Level, _ message: String, now: UInt64) -> UInt64? {
        counts.withLock { counts in
            var kind = Kind(level: level, message: message)
            if counts[kind] == nil, counts.count >= Self.messages {
                counts = counts.filter { now &- $0.value.began < Self.minute || $0.value.suppressed > 0 }
                if counts.count >= Self.messages { kind = Kind(level: .trace, message: "") }
            }
            var count = counts[kind] ?? Count(began: now)
            var before: UInt64 = 0
            if now &- count.began >= Self.minute {
                before = count.suppressed
                count = Count(began: now)
            }
            guard count.written < Self.limit else {
                count.suppressed &+= 1
                counts[kind] = count
                return nil
            }
            count.written += 1
            counts[kind] = count
            return before
        }
    }
}
