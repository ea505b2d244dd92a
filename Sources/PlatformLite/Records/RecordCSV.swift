/// The upload format: UTF-8 CSV with exactly this header, one record a line, LF or CRLF, no quotes.
public enum RecordCSV {
    public static let header =
        "record_id,terminal_no,psam_no,terminal_txn,card_asn,card_seq,amount_fen,balance_after_fen,txn_type,date,time,"
        + "key_version,tac"
    public static let maximumLines = 10_000
    static let columns = header.split(separator: ",").map(String.init)

    /// A line of an upload: a record, or what is wrong with it.
    public struct Line: Sendable, Hashable {
        /// From 1, the header not counted.
        public let number: Int
        /// The text as it came, cut at 300 characters.
        public let text: String
        public let content: Result<ConsumptionRecord, Malformed>
        /// Card and sequence when these two can be read, also on a malformed line: the number is then accounted for.
        public let cardNumber: String?
        public let cardSequence: UInt16?
    }

    /// Which column of a line is not what it should be; `line` for the line as a whole.
    public struct Malformed: Error, Sendable, Hashable {
        public let column: String
    }

    /// Why an upload is refused as a whole.
    public enum Refusal: Error, Sendable, Hashable {
        case notUTF8, wrongHeader, empty, tooManyLines
    }

    public static func lines(of bytes: some Collection<UInt8>) throws(Refusal) -> [Line] {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        // Split at the byte LF: the Character view has "\r\n" as one element, which `split(separator: "\n")` would miss.
        var rows = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map(withoutReturn)
        while let last = rows.last, last.isEmpty { rows.removeLast() }
        guard let first = rows.first else { throw .empty }
        guard first == header else { throw .wrongHeader }
        guard rows.count > 1 else { throw .empty }
        guard rows.count - 1 <= maximumLines else { throw .tooManyLines }
        return rows.dropFirst().enumerated().map { index, row in line(number: index + 1, String(row)) }
    }

    /// One line of text without the line end.
    static func line(number: Int, _ text: String) -> Line {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        let isWhole = fields.count == columns.count
        return Line(
            number: number, text: String(text.prefix(300)),
            content: isWhole ? record(fields) : .failure(Malformed(column: "line")),
            cardNumber: isWhole ? card(fields[4]) : nil,
            cardSequence: isWhole ? UInt16(exactly: digits(fields[5], upTo: 65_535) ?? -1) : nil
        )
    }

    /// The line of a record, for records that come one at a time.
    static func text(of record: ConsumptionRecord) -> String {
        [
            record.recordID, record.terminal, record.psam, "\(record.terminalTransaction)", record.card,
            "\(record.cardSequence)", "\(record.amount.fen)", "\(record.balanceAfter.fen)",
            HexText.text([record.type]), "\(record.date.number)", sixDigits(record.time.number),
            "\(TwoDigits(Int(record.keyVersion)))",
            HexText.text((0..<4).map { UInt8(truncatingIfNeeded: record.tac >> (24 - 8 * UInt32($0))) }),
        ].joined(separator: ",")
    }

    private static func record(_ fields: [Substring]) -> Result<ConsumptionRecord, Malformed> {
        do throws(Malformed) {
            let type: String = try need(HexText.upper(fields[8], digits: 2), 8)
            guard type == "06" else { throw Malformed(column: columns[8]) }
            return .success(
                ConsumptionRecord(
                    recordID: try need(identifier(fields[0]), 0),
                    terminal: try need(HexText.upper(fields[1], digits: 12), 1),
                    psam: try need(HexText.upper(fields[2], digits: 20), 2),
                    terminalTransaction: UInt32(try need(digits(fields[3], upTo: Int64(UInt32.max)), 3)),
                    card: try need(card(fields[4]), 4),
                    cardSequence: UInt16(try need(digits(fields[5], upTo: 65_535), 5)),
                    amount: Amount(fen: try positive(fields[6], 6)),
                    balanceAfter: Amount(fen: try need(digits(fields[7], upTo: Int64(UInt32.max)), 7)),
                    type: 0x06,
                    date: try need(fields[9].utf8.count == 8 ? BusinessDate(fields[9]) : nil, 9),
                    time: try need(time(fields[10]), 10),
                    keyVersion: UInt8(try need(digits(fields[11], upTo: 99), 11)),
                    tac: try need(HexText.upper(fields[12], digits: 8).flatMap { UInt32($0, radix: 16) }, 12)
                ))
        } catch {
            return .failure(error)
        }
    }

    private static func need<Value>(_ value: Value?, _ column: Int) throws(Malformed) -> Value {
        guard let value else { throw Malformed(column: columns[column]) }
        return value
    }

    private static func positive(_ text: Substring, _ column: Int) throws(Malformed) -> Int64 {
        let value = try need(digits(text, upTo: Int64(UInt32.max)), column)
        guard value > 0 else { throw Malformed(column: columns[column]) }
        return value
    }

    /// Plain decimal digits, no sign, no blanks.
    private static func digits(_ text: Substring, upTo limit: Int64) -> Int64? {
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int64(text), value <= limit
        else { return nil }
        return value
    }

    private static func card(_ text: Substring) -> String? {
        HexText.upper(text, digits: 20)
    }

    private static func time(_ text: Substring) -> TimeOfDay? {
        guard text.utf8.count == 6 else { return nil }
        return digits(text, upTo: 235_959).flatMap { TimeOfDay(number: Int($0)) }
    }

    private static func identifier(_ text: Substring) -> String? {
        guard (1...40).contains(text.utf8.count), text.utf8.allSatisfy(Identifier.isAllowed) else { return nil }
        return String(text)
    }

    private static func sixDigits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 6 - text.utf8.count)) + text
    }

    private static func withoutReturn(_ row: Substring.UTF8View) -> Substring {
        let text = Substring(row)
        return row.last == 0x0D ? Substring(row.dropLast()) : text
    }
}

/// Names that clients give to their things: letters, digits, `.`, `_`, `-`.
enum Identifier {
    static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    static func isValid(_ text: String, upTo limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
    }
}
