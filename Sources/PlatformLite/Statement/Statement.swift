/// A merchant's settlement statement (结算单) for a period; every sum comes from the merchant's account in the ledger.
public struct Statement: Sendable, Hashable {
    public let merchant: Merchant
    public let from: BusinessDate
    public let to: BusinessDate
    /// One line a day, terminal and meal, in this order.
    public let lines: [Line]
    /// Money of the period that waits in suspense: not in the sums.
    public let held: Totals
    /// Until when each terminal of the merchant has uploaded.
    public let terminals: [TerminalState]

    public struct Totals: Sendable, Hashable {
        public var records: Int64 = 0
        public var gross = Amount.zero
        public var fee = Amount.zero
        /// What the merchant gets.
        public var net: Amount { gross - fee }

        static func + (left: Totals, right: Totals) -> Totals {
            Totals(records: left.records + right.records, gross: left.gross + right.gross, fee: left.fee + right.fee)
        }
    }

    public struct Line: Sendable, Hashable {
        public let date: BusinessDate
        public let terminal: String
        public let meal: Meal
        public let totals: Totals
    }

    public struct TerminalState: Sendable, Hashable {
        public let terminal: String
        /// Date and time of the last record of a completed batch; nil when the terminal has never uploaded.
        public let lastRecord: RecordTime?
        /// Numbers of the terminal that are missing between its first and last record.
        public let missing: Int64
    }

    public struct RecordTime: Sendable, Hashable, Comparable, CustomStringConvertible {
        public let date: BusinessDate
        public let time: TimeOfDay
        public var description: String { "\(date) \(time)" }

        public static func < (left: RecordTime, right: RecordTime) -> Bool {
            (left.date, left.time) < (right.date, right.time)
        }
    }

    public var totals: Totals { lines.map(\.totals).reduce(Totals(), +) }

    /// The statement is complete up to here: the earliest of the terminals' last records. Nil while a terminal has never
    /// uploaded, or the merchant has none.
    public var completeUntil: RecordTime? {
        guard terminals.allSatisfy({ $0.lastRecord != nil }) else { return nil }
        return terminals.compactMap(\.lastRecord).min()
    }

    public var byDay: [(BusinessDate, Totals)] { grouped { $0.date } }
    public var byTerminal: [(String, Totals)] { grouped { $0.terminal } }
    public var byMeal: [(Meal, Totals)] {
        let sums = Dictionary(grouping: lines) { $0.meal }.mapValues { $0.map(\.totals).reduce(Totals(), +) }
        return Meal.allCases.compactMap { meal in sums[meal].map { (meal, $0) } }
    }

    private func grouped<Key: Hashable & Comparable>(by key: (Line) -> Key) -> [(Key, Totals)] {
        Dictionary(grouping: lines, by: key).mapValues { $0.map(\.totals).reduce(Totals(), +) }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The statement as CSV: `detail` lines, then `total`, `held` and `complete_until`.
    public var csv: String {
        var rows = ["section,date,terminal_no,meal,records,gross_fen,fee_fen,net_fen"]
        for line in lines {
            rows.append("detail,\(line.date),\(line.terminal),\(line.meal.rawValue),\(Self.cells(line.totals))")
        }
        rows.append("total,,,,\(Self.cells(totals))")
        rows.append("held,,,,\(Self.cells(held))")
        rows.append("complete_until,\(completeUntil.map(\.description) ?? "never"),,,,,,")
        return rows.joined(separator: "\r\n") + "\r\n"
    }

    private static func cells(_ totals: Totals) -> String {
        "\(totals.records),\(totals.gross.fen),\(totals.fee.fen),\(totals.net.fen)"
    }
}
