extension Sequence where Element == SQL {
    /// The pieces one after the other with `separator` between them: `[SQL.row(1, "a"), SQL.row(2, "b")].joined(", ")`.
    public func joined(_ separator: SQL) -> SQL {
        var result = SQL(text: "")
        var first = true
        for piece in self {
            if !first { result += separator }
            first = false
            result += piece
        }
        return result
    }
}

extension SQL {
    /// Most placeholders that the protocol can carry in one statement (a 16-bit count).
    public static let placeholderLimit = 65_535

    /// One row of a multi-row `INSERT`: `(?, ?, …)` with its values bound.
    public static func row<each Value: SQLBindable>(_ value: repeat each Value) -> SQL {
        var pieces: [SQL] = []
        for value in repeat each value { pieces.append("\(value)") }
        return "(\(pieces.joined(", ")))"
    }

    /// The right side of `IN`: `(?, ?, …)`. An empty list gives `(NULL)`, which no value is in.
    public static func list(_ values: some Sequence<some SQLBindable>) -> SQL {
        let pieces = values.map { "\($0)" as SQL }
        return pieces.isEmpty ? "(NULL)" : "(\(pieces.joined(", ")))"
    }
}
