/// One step of a schema's history: named, applied once, never changed after it has shipped.
///
/// Its statements should not depend on the types of the application, which go on changing while the migration may not.
public struct Migration: Sendable {
    public let name: String
    public let statements: [SQL]
    /// What the runtime account and the auditor may do with the tables of this step; a later step's word on a table wins.
    public let grants: [Grant]

    public init(_ name: String, grants: [Grant] = [], statements: [SQL]) {
        precondition(!name.isEmpty && name.utf8.count <= 190, "a migration has a name of 1 to 190 bytes")
        precondition(!statements.isEmpty, "a migration has statements")
        self.name = name
        self.statements = statements
        self.grants = grants
    }
}

extension Migration {
    /// What the checksum is over: each statement's text and values, each with its kind and its length in decimal digits.
    /// It is kept in databases, so this form may never change.
    var content: [UInt8] {
        var content: [UInt8] = []
        func add(_ kind: String, _ bytes: some Collection<UInt8>) {
            content += "\(kind)\(bytes.count):".utf8
            content += bytes
        }
        for statement in statements {
            add("s", statement.text.utf8)
            for value in statement.values {
                switch value {
                case .null: add("n", [])
                case .integer(let number): add("i", "\(number)".utf8)
                case .unsigned(let number): add("u", "\(number)".utf8)
                case .text(let text): add("t", text.utf8)
                case .bytes(let bytes): add("b", bytes)
                }
            }
        }
        return content
    }
}

/// The rights on one table that a migration asks for. The runtime account never gets any other, and no DDL.
public struct Grant: Sendable, Hashable {
    /// What can be done with rows.
    public struct Rights: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let select = Rights(rawValue: 1)
        public static let insert = Rights(rawValue: 2)
        public static let update = Rights(rawValue: 4)
        public static let delete = Rights(rawValue: 8)
        public static let all: Rights = [.select, .insert, .update, .delete]

        static let names: [(Rights, String)] = [
            (.select, "SELECT"), (.insert, "INSERT"), (.update, "UPDATE"), (.delete, "DELETE"),
        ]

        var names: [String] { Self.names.filter { contains($0.0) }.map(\.1) }
    }

    public let table: String
    public let rights: Rights
    /// Whether the auditor's account reads it; not for tables with password hashes or sessions.
    public let auditorReads: Bool

    /// `table` is a name of lower-case letters, digits and underscores, from the source.
    public init(_ table: StaticString, _ rights: Rights, auditorReads: Bool = true) {
        precondition(
            Identifier.isValid(table.description), "a table's name has lower-case letters, digits, underscores")
        self.table = table.description
        self.rights = rights
        self.auditorReads = auditorReads
    }

    /// Rows come and stay: audit and ledger tables.
    public static func appendOnly(_ table: StaticString, auditorReads: Bool = true) -> Grant {
        Grant(table, [.select, .insert], auditorReads: auditorReads)
    }
}

/// Rules for the names that have to stand in a statement's text because the protocol cannot bind them.
enum Identifier {
    static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}

/// An account of the database server: a name, and the host that it logs in from.
public struct Account: Sendable, Hashable {
    public let name: String
    public let host: String

    /// Nil unless `name` is of lower-case letters, digits and underscores and `host` of letters, digits and `.:%-_`.
    public init?(name: String, host: String = "localhost") {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:%-_".utf8)
        guard Identifier.isValid(name), !host.isEmpty, host.utf8.count <= 255, host.utf8.allSatisfy(allowed.contains)
        else {
            return nil
        }
        self.name = name
        self.host = host
    }

    init(_ name: StaticString) {
        self.name = name.description
        host = "localhost"
    }

    /// As it stands in GRANT and CREATE USER.
    var quoted: String { "'\(name)'@'\(host)'" }
}
