internal import HSMBridge
internal import MariaDB

/// Table `application_key`: what a key is for.
enum ApplicationKeyTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE application_key (
            issuer VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            product VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            label VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            key_usage CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            algorithm VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            mode_of_use CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            exportability CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            valid_from_us BIGINT NULL,
            valid_until_us BIGINT NULL,
            description VARCHAR(500) NOT NULL,
            PRIMARY KEY (issuer, product, label),
            CONSTRAINT application_key_product FOREIGN KEY (issuer, product) REFERENCES key_product (issuer, code),
            CONSTRAINT application_key_label_form CHECK (label REGEXP '^[A-Za-z0-9._-]+$'),
            CONSTRAINT application_key_exportability CHECK (exportability IN ('E', 'N', 'S')),
            CONSTRAINT application_key_dates CHECK (valid_until_us > valid_from_us)
        ) ENGINE = InnoDB
        """,
        """
        CREATE TRIGGER application_key_fixed BEFORE UPDATE ON application_key FOR EACH ROW
        BEGIN
            IF OLD.key_usage <> NEW.key_usage OR OLD.algorithm <> NEW.algorithm OR OLD.mode_of_use <> NEW.mode_of_use
                OR OLD.exportability <> NEW.exportability OR OLD.issuer <> NEW.issuer OR OLD.product <> NEW.product
                OR OLD.label <> NEW.label
            THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a key is for never changes';
            END IF;
        END
        """,
    ]
    /// `levels`: how many factors a master's card keys are away from it, 0 for any other key.
    static let additions: [SQL] = [
        "ALTER TABLE application_key ADD COLUMN levels TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER mode_of_use",
        "UPDATE application_key SET levels = 1 WHERE mode_of_use = 'X'",
        """
        ALTER TABLE application_key ADD CONSTRAINT application_key_levels
            CHECK (CASE mode_of_use WHEN 'X' THEN levels BETWEEN 1 AND 4 ELSE levels = 0 END)
        """,
        """
        CREATE TRIGGER application_key_depth_fixed BEFORE UPDATE ON application_key FOR EACH ROW
        BEGIN
            IF OLD.levels <> NEW.levels THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the levels of a master never change';
            END IF;
        END
        """,
    ]
    static let grants = [Grant("application_key", .all)]

    static func insert(_ it: ApplicationKey, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO application_key (issuer, product, label, key_usage, algorithm, mode_of_use, levels, exportability,
                valid_from_us, valid_until_us, description)
            VALUES (\(it.name.issuer), \(it.name.product), \(it.name.label), \(it.attributes.usage.rawValue),
                \(it.attributes.algorithm.name), \(String(it.attributes.mode.rawValue)),
                \(it.attributes.levels), \(String(it.attributes.exportability.rawValue)), \((it.validity.from?.microseconds).sqlValue),
                \((it.validity.until?.microseconds).sqlValue), \(it.description))
            """)
    }

    static func delete(_ name: KeyName, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute(
            """
            DELETE FROM application_key
            WHERE issuer = \(name.issuer) AND product = \(name.product) AND label = \(name.label)
            """
        ).affectedRows == 1
    }

    static func one(_ name: KeyName, _ connection: inout Connection) throws -> ApplicationKey? {
        let row = try connection.queryOne(
            """
            SELECT issuer, product, label, key_usage, algorithm, mode_of_use, levels, exportability, valid_from_us,
                valid_until_us, description
            FROM application_key WHERE issuer = \(name.issuer) AND product = \(name.product) AND label = \(name.label)
            """)
        return try row.map(decode)
    }

    static func all(_ connection: inout Connection) throws -> [ApplicationKey] {
        try connection.query(
            """
            SELECT issuer, product, label, key_usage, algorithm, mode_of_use, levels, exportability, valid_from_us,
                valid_until_us, description
            FROM application_key ORDER BY issuer, product, label
            """
        ).map(decode)
    }

    private static func decode(_ row: Row) throws -> ApplicationKey {
        guard
            let name = KeyName(
                issuer: try row.text("issuer"), product: try row.text("product"), label: try row.text("label"))
        else { throw DatabaseError.column("label") }
        return ApplicationKey(
            name: name, attributes: try attributes(row), validity: try validity(row),
            description: try row.text("description"))
    }

    /// A row with values that we do not know is somebody else's work: it is refused by name of the column.
    static func attributes(_ row: Row) throws -> KeyAttributes {
        guard let usage = KeyUsage(rawValue: try row.text("key_usage")) else { throw DatabaseError.column("key_usage") }
        guard let algorithm = KeyAlgorithm(name: try row.text("algorithm")) else {
            throw DatabaseError.column("algorithm")
        }
        guard let modeLetter = try row.text("mode_of_use").first, let mode = ModeOfUse(rawValue: modeLetter) else {
            throw DatabaseError.column("mode_of_use")
        }
        guard let letter = try row.text("exportability").first, let exportability = Exportability(rawValue: letter)
        else {
            throw DatabaseError.column("exportability")
        }
        return KeyAttributes(
            usage: usage, algorithm: algorithm, mode: mode, exportability: exportability, levels: try row.int("levels"))
    }

    static func validity(_ row: Row) throws -> Validity {
        Validity(
            from: try row.optionalInt64("valid_from_us").map { Timestamp(microseconds: $0) },
            until: try row.optionalInt64("valid_until_us").map { Timestamp(microseconds: $0) })
    }
}
