internal import MariaDB

/// Table `authority`.
enum AuthorityTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE authority (
            code VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
            name VARCHAR(100) NOT NULL,
            kind VARCHAR(50) NOT NULL,
            description VARCHAR(500) NOT NULL,
            CONSTRAINT authority_code_form CHECK (code REGEXP '^[A-Za-z0-9._-]+$')
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant("authority", .all)]

    static func insert(_ it: Authority, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO authority (code, name, kind, description)
            VALUES (\(it.code), \(it.name), \(it.kind), \(it.description))
            """)
    }

    static func update(_ it: Authority, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute(
            """
            UPDATE authority SET name = \(it.name), kind = \(it.kind), description = \(it.description)
            WHERE code = \(it.code)
            """
        ).affectedRows == 1
    }

    static func delete(_ code: String, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute("DELETE FROM authority WHERE code = \(code)").affectedRows == 1
    }

    static func all(_ connection: inout Connection) throws(DatabaseError) -> [Authority] {
        var all: [Authority] = []
        for row in try connection.query("SELECT code, name, kind, description FROM authority ORDER BY code") {
            all.append(
                Authority(
                    code: try row.text("code"), name: try row.text("name"), kind: try row.text("kind"),
                    description: try row.text("description")))
        }
        return all
    }
}
