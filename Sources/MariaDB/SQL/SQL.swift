/// A statement or a piece of one: text with `?` placeholders, and the values for them.
///
/// `"… WHERE id = \(id)"` binds `id`; the value never becomes part of the text, which is what stops SQL injection. Text that
/// is not a value (the name of a table, a column) comes as `\(literal: "…")`, which takes a `StaticString`: only what
/// stood in our source can get there. A `SQL` inside another is woven in with its values.
public struct SQL: Sendable, Hashable {
    /// The text with one `?` for each of `values`. It never contains data.
    public private(set) var text: String
    public private(set) var values: [SQLValue]

    init(text: String, values: [SQLValue] = []) {
        self.text = text
        self.values = values
    }

    public static func + (left: SQL, right: SQL) -> SQL {
        SQL(text: left.text + right.text, values: left.values + right.values)
    }

    public static func += (left: inout SQL, right: SQL) {
        left.text += right.text
        left.values += right.values
    }
}

// MARK: - ExpressibleByStringInterpolation

extension SQL: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) {
        self.init(text: value)
    }

    public init(stringInterpolation interpolation: StringInterpolation) {
        self = interpolation.sql
    }

    /// Collects the text and the values of one interpolated literal.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = SQL(text: "")

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.text.reserveCapacity(literalCapacity + interpolationCount)
            sql.values.reserveCapacity(interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) {
            sql.text += literal
        }

        /// Binds a value.
        public mutating func appendInterpolation(_ value: some SQLBindable) {
            sql.text += "?"
            sql.values.append(value.sqlValue)
        }

        /// Weaves in another piece with its values.
        public mutating func appendInterpolation(_ piece: SQL) {
            sql += piece
        }

        /// Puts fixed text from the source in.
        public mutating func appendInterpolation(literal: StaticString) {
            sql.text += literal.description
        }
    }
}
