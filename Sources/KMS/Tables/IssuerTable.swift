internal import MariaDB

/// Table `issuer`.
enum IssuerTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE issuer (
            code VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
            name VARCHAR(100) NOT NULL,
            description VARCHAR(500) NOT NULL,
            CONSTRAINT issuer_code_form CHECK (code REGEXP '^[A-Za-z0-9._-]+$')
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant("issuer", .all)]

    static func insert(_ it: Issuer, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute(
            "INSERT INTO issuer (code, name, description) VALUES (\(it.code), \(it.name), \(it.description))")
    }

    static func update(_ it: Issuer, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute(
            "UPDATE issuer SET name = \(it.name), description = \(it.description) WHERE code = \(it.code)"
        ).affectedRows == 1
    }

    static func delete(_ code: String, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute("DELETE FROM issuer WHERE code = \(code)").affectedRows == 1
    }

    static func all(_ connection: inout Connection) throws(DatabaseError) -> [Issuer] {
        var all: [Issuer] = []
        for row in try connection.query("SELECT code, name, description FROM issuer ORDER BY code") {
            all.append(
                Issuer(code: try row.text("code"), name: try row.text("name"), description: try row.text("description"))
            )
        }
        return all
    }
}
