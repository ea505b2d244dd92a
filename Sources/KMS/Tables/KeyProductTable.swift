internal import MariaDB

/// Table `key_product`.
enum KeyProductTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE key_product (
            issuer VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            code VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            name VARCHAR(100) NOT NULL,
            kind VARCHAR(50) NOT NULL,
            description VARCHAR(500) NOT NULL,
            PRIMARY KEY (issuer, code),
            CONSTRAINT key_product_issuer FOREIGN KEY (issuer) REFERENCES issuer (code),
            CONSTRAINT key_product_code_form CHECK (code REGEXP '^[A-Za-z0-9._-]+$')
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant("key_product", .all)]

    static func insert(_ it: KeyProduct, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO key_product (issuer, code, name, kind, description)
            VALUES (\(it.issuer), \(it.code), \(it.name), \(it.kind), \(it.description))
            """)
    }

    static func update(_ it: KeyProduct, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute(
            """
            UPDATE key_product SET name = \(it.name), kind = \(it.kind), description = \(it.description)
            WHERE issuer = \(it.issuer) AND code = \(it.code)
            """
        ).affectedRows == 1
    }

    static func delete(_ code: String, issuer: String, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute("DELETE FROM key_product WHERE issuer = \(issuer) AND code = \(code)").affectedRows == 1
    }

    static func all(of issuer: String, _ connection: inout Connection) throws(DatabaseError) -> [KeyProduct] {
        var all: [KeyProduct] = []
        let rows = try connection.query(
            "SELECT issuer, code, name, kind, description FROM key_product WHERE issuer = \(issuer) ORDER BY code")
        for row in rows {
            all.append(
                KeyProduct(
                    issuer: try row.text("issuer"), code: try row.text("code"), name: try row.text("name"),
                    kind: try row.text("kind"), description: try row.text("description")))
        }
        return all
    }
}
