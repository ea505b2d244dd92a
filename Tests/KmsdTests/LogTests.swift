import Foundation
import KMS
import Logging
import Synchronization
import Testing

@testable import kmsd

/// Log lines with clocks that stand until they are turned.
struct LogTests {
    private final class Book: Sendable {
        let lines = Mutex<[String]>([])
        let now = Mutex<UInt64>(0)
        func logger(_ format: LogFormat) -> Logger {
            let clocks = Clocks(
                wall: { Timestamp(microseconds: 1_795_421_650_123_456) },
                monotonicNanoseconds: { self.now.withLock { $0 } },
                boot: "test")
            return ServiceLog.make("serve", level: "info", format: format, clocks: clocks) { line in
                self.lines.withLock { $0.append(line) }
            }
        }
        var all: [String] { lines.withLock { $0 } }
    }

    private static let hostile = "a\"b\\c\nd\r\u{1B}[2J\u{7F}\u{2028}e\u{0}"

    @Test func `A JSON line reads back as what was said, whatever a client sent`() throws {
        let book = Book()
        let log = book.logger(.json)
        log.warning("refused", metadata: ["client": "\(Self.hostile)", "code": "29"])
        let line = try #require(book.all.first)
        #expect(line.hasSuffix("\n") && line.dropLast().allSatisfy { !$0.isNewline })
        let read = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(read["level"] as? String == "warning" && read["service"] as? String == "serve")
        #expect(read["message"] as? String == "refused")
        #expect(read["time"] as? String == "2026-11-23T08:14:10.123456Z")
        let fields = try #require(read["fields"] as? [String: String])
        #expect(fields == ["client": Self.hostile, "code": "29"])
    }

    @Test func `A text line stays one line, and its values stay apart`() throws {
        let book = Book()
        book.logger(.text).notice(
            "ready", metadata: ["port": "1500", "note": "two words", "client": "\(Self.hostile)"])
        let line = try #require(book.all.first)
        #expect(line.unicodeScalars.filter { $0.value < 0x20 }.count == 1 && line.hasSuffix("\n"))
        #expect(line.hasPrefix("2026-11-23T08:14:10.123456Z notice serve: ready client=\"a\\\"b"))
        #expect(line.contains(" note=\"two words\" port=1500"))
    }

    @Test func `A long value is cut`() throws {
        let book = Book()
        book.logger(.text).notice("ready", metadata: ["value": "\(String(repeating: "x", count: 10_000))"])
        #expect(try #require(book.all.first).count < LineLog.valueLimit + 200)
    }

    @Test func `The same line again and again is written a few times a minute, and the rest is counted`() {
        let book = Book()
        let log = book.logger(.text)
        for _ in 0..<1_000 { log.warning("module away") }
        log.warning("something else")
        #expect(book.all.count == LineRates.limit + 1)
        book.now.withLock { $0 += 60_000_000_000 }
        log.warning("module away")
        #expect(book.all.last?.contains("suppressed=\(1_000 - LineRates.limit)") == true)
    }

    @Test func `A flood of different lines is bounded too`() {
        let book = Book()
        let log = book.logger(.text)
        for number in 0..<100_000 { log.warning("line \(number)") }
        #expect(book.all.count <= (LineRates.messages + 1) * LineRates.limit)
    }

    @Test func `Lines below the level are not written`() {
        let book = Book()
        book.logger(.text).debug("detail")
        #expect(book.all.isEmpty)
    }
}
