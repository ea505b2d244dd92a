/// The names of a result's columns, shared by all its rows.
struct Columns: Sendable {
    let names: [String]

    func index(of name: String) -> Int? { names.firstIndex(of: name) }
}

/// One row of an answer. Columns are asked for by name and kind; `DatabaseError.column` names the one that does not fit.
public struct Row: Sendable {
    let columns: Columns
    let values: [SQLValue]

    /// The value as it came, or nil if there is no such column.
    public subscript(name: String) -> SQLValue? {
        columns.index(of: name).map { values[$0] }
    }

    public var columnNames: [String] { columns.names }

    /// A whole number that may be NULL. Decimals without a fraction (`SUM` of integers) count as whole numbers.
    public func optionalInt64(_ name: String) throws(DatabaseError) -> Int64? {
        switch try value(name) {
        case .null: return nil
        case .integer(let number): return number
        case .unsigned(let number): if let fitting = Int64(exactly: number) { return fitting }
        case .text(let text): if let number = Int64(text) { return number }
        case .bytes: break
        }
        throw .column(name)
    }

    public func optionalUInt64(_ name: String) throws(DatabaseError) -> UInt64? {
        switch try value(name) {
        case .null: return nil
        case .integer(let number): if let fitting = UInt64(exactly: number) { return fitting }
        case .unsigned(let number): return number
        case .text(let text): if let number = UInt64(text) { return number }
        case .bytes: break
        }
        throw .column(name)
    }

    public func optionalText(_ name: String) throws(DatabaseError) -> String? {
        switch try value(name) {
        case .null: nil
        case .text(let text): text
        case .integer, .unsigned, .bytes: throw .column(name)
        }
    }

    /// Bytes of a `BINARY`, `VARBINARY` or `BLOB` column; text is not taken for bytes.
    public func optionalBytes(_ name: String) throws(DatabaseError) -> [UInt8]? {
        switch try value(name) {
        case .null: nil
        case .bytes(let bytes): bytes
        case .integer, .unsigned, .text: throw .column(name)
        }
    }

    /// A `BOOLEAN` (0 or 1) that may be NULL; any other number is refused.
    public func optionalBool(_ name: String) throws(DatabaseError) -> Bool? {
        switch try optionalInt64(name) {
        case nil: nil
        case 0?: false
        case 1?: true
        default: throw .column(name)
        }
    }

    public func optionalInt(_ name: String) throws(DatabaseError) -> Int? {
        try optionalInt64(name).map { Int($0) }
    }

    public func int64(_ name: String) throws(DatabaseError) -> Int64 { try present(optionalInt64(name), name) }
    public func int(_ name: String) throws(DatabaseError) -> Int { try present(optionalInt(name), name) }
    public func uint64(_ name: String) throws(DatabaseError) -> UInt64 { try present(optionalUInt64(name), name) }
    public func text(_ name: String) throws(DatabaseError) -> String { try present(optionalText(name), name) }
    public func bytes(_ name: String) throws(DatabaseError) -> [UInt8] { try present(optionalBytes(name), name) }
    public func bool(_ name: String) throws(DatabaseError) -> Bool { try present(optionalBool(name), name) }

    private func value(_ name: String) throws(DatabaseError) -> SQLValue {
        guard let index = columns.index(of: name) else { throw .column(name) }
        return values[index]
    }

    private func present<Value>(_ value: Value?, _ name: String) throws(DatabaseError) -> Value {
        guard let value else { throw .column(name) }
        return value
    }
}

/// What a statement without rows did.
public struct Outcome: Sendable, Hashable {
    /// Rows inserted, deleted or, for `UPDATE`, matched (whether or not the new values differ from the old ones).
    public let affectedRows: Int
    /// The first `AUTO_INCREMENT` number that the statement gave, or 0.
    public let lastInsertID: UInt64
}
