/// One value as it travels to or from the database: bound to a placeholder, or decoded from a column.
///
/// There is no floating-point case on purpose (money is never a `Double`): `DECIMAL` columns without decimals arrive as
/// integers, other decimals, floating-point numbers, dates and times arrive as `text` in the server's notation.
public enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    /// Only for values of an unsigned column; smaller than 2^63 it arrives as `unsigned` as well.
    case unsigned(UInt64)
    case text(String)
    case bytes([UInt8])
}

/// A type whose values can stand in a `SQL` interpolation and are bound there, never spliced into the text.
public protocol SQLBindable {
    var sqlValue: SQLValue { get }
}

// MARK: - The types that bind

extension SQLValue: SQLBindable { public var sqlValue: SQLValue { self } }
extension Int: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int8: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int16: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int32: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int64: SQLBindable { public var sqlValue: SQLValue { .integer(self) } }
extension UInt8: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension UInt16: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension UInt32: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension UInt: SQLBindable { public var sqlValue: SQLValue { .unsigned(UInt64(self)) } }
extension UInt64: SQLBindable { public var sqlValue: SQLValue { .unsigned(self) } }
extension Bool: SQLBindable { public var sqlValue: SQLValue { .integer(self ? 1 : 0) } }
extension String: SQLBindable { public var sqlValue: SQLValue { .text(self) } }
extension Substring: SQLBindable { public var sqlValue: SQLValue { .text(String(self)) } }
extension [UInt8]: SQLBindable { public var sqlValue: SQLValue { .bytes(self) } }
extension ArraySlice<UInt8>: SQLBindable { public var sqlValue: SQLValue { .bytes([UInt8](self)) } }

extension Optional: SQLBindable where Wrapped: SQLBindable {
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}
