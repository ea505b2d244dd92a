internal import HSMBridge
internal import MariaDB

/// Table `key_version`: states and values of keys. The value is a key block, opened by the module alone.
enum KeyVersionTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE key_version (
            issuer VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            product VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            label VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            version TINYINT UNSIGNED NOT NULL,
            state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            key_block VARCHAR(9999) CHARACTER SET ascii COLLATE ascii_bin NULL,
            check_value CHAR(6) CHARACTER SET ascii COLLATE ascii_bin NULL,
            public_key VARBINARY(1024) NULL,
            valid_from_us BIGINT NULL,
            valid_until_us BIGINT NULL,
            origin VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NULL,
            made_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
            made_at_us BIGINT NULL,
            changed_at_us BIGINT NOT NULL,
            PRIMARY KEY (issuer, product, label, version),
            KEY key_version_check_value (check_value),
            CONSTRAINT key_version_key FOREIGN KEY (issuer, product, label)
                REFERENCES application_key (issuer, product, label),
            CONSTRAINT key_version_number CHECK (version BETWEEN 1 AND 99),
            CONSTRAINT key_version_state
                CHECK (state IN ('created', 'active', 'suspended', 'retired', 'destroyed', 'compromised')),
            CONSTRAINT key_version_value CHECK ((state IN ('created', 'destroyed')) = (key_block IS NULL)),
            CONSTRAINT key_version_check CHECK (key_block IS NULL OR check_value IS NOT NULL),
            CONSTRAINT key_version_maker CHECK ((check_value IS NULL) = (made_by IS NULL)
                AND (made_by IS NULL) = (made_at_us IS NULL) AND (made_by IS NULL) = (origin IS NULL)),
            CONSTRAINT key_version_dates CHECK (valid_until_us > valid_from_us)
        ) ENGINE = InnoDB
        """,
        """
        CREATE TRIGGER key_version_begins BEFORE INSERT ON key_version FOR EACH ROW
        BEGIN
            IF NEW.state <> 'created' THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a key version begins in state created';
            END IF;
        END
        """,
        """
        CREATE TRIGGER key_version_moves BEFORE UPDATE ON key_version FOR EACH ROW
        BEGIN
            IF OLD.state <> NEW.state AND NOT EXISTS (
                SELECT 1 FROM key_state_move WHERE from_state = OLD.state AND to_state = NEW.state)
            THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this move of a key state is not allowed';
            END IF;
        END
        """,
        """
        CREATE TRIGGER key_version_stays BEFORE DELETE ON key_version FOR EACH ROW
        BEGIN
            IF OLD.check_value IS NOT NULL THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a key version that had a value keeps its tombstone';
            END IF;
        END
        """,
    ]
    /// `key_change` is the change counter of keys at the row's last change, so that a directory reads what is new to it and no
    /// more. Triggers write it: no statement can forget it.
    static let additions: [SQL] = [
        """
        ALTER TABLE key_version ADD COLUMN key_change BIGINT UNSIGNED NOT NULL DEFAULT 0,
            ADD KEY key_version_change (key_change)
        """,
        """
        CREATE TRIGGER key_version_is_new BEFORE INSERT ON key_version FOR EACH ROW
        SET NEW.key_change = (SELECT key_value FROM change_counter WHERE id = 1)
        """,
        """
        CREATE TRIGGER key_version_has_changed BEFORE UPDATE ON key_version FOR EACH ROW
        SET NEW.key_change = (SELECT key_value FROM change_counter WHERE id = 1)
        """,
    ]
    static let grants = [Grant("key_version", .all)]

    private static let columns: SQL = """
        v.issuer, v.product, v.label, v.version, v.state, v.key_block, v.check_value, v.public_key, v.valid_from_us,
        v.valid_until_us, v.origin, v.made_by, v.made_at_us, k.key_usage, k.algorithm, k.mode_of_use, k.levels, k.exportability
        """
    private static let source: SQL = "key_version v JOIN application_key k USING (issuer, product, label)"

    static func insert(
        _ id: KeyIdentity, _ validity: Validity, now: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO key_version (issuer, product, label, version, state, valid_from_us, valid_until_us, changed_at_us)
            VALUES (\(id.issuer), \(id.product), \(id.label), \(id.version), 'created', \((validity.from?.microseconds).sqlValue),
                \((validity.until?.microseconds).sqlValue), \(now.microseconds))
            """)
    }

    /// Gives the value; false if the version is not waiting for one.
    static func setValue(
        _ id: KeyIdentity, _ value: NewValue, by: String, now: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try connection.execute(
            """
            UPDATE key_version SET state = 'active', key_block = \(value.key.block),
                check_value = \(value.key.checkValue.description), public_key = \(value.publicKey.sqlValue),
                origin = \(value.origin.rawValue), made_by = \(by), made_at_us = \(now.microseconds),
                changed_at_us = \(now.microseconds)
            WHERE \(has(id)) AND state = 'created' AND key_block IS NULL
            """
        ).affectedRows == 1
    }

    /// Compare-and-set of the state; destruction takes the block away and leaves the check value.
    static func move(
        _ id: KeyIdentity, from: KeyState, to: KeyState, now: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        let value: SQL = to == .destroyed ? ", key_block = NULL" : ""
        return try connection.execute(
            """
            UPDATE key_version SET state = \(to.rawValue), changed_at_us = \(now.microseconds)\(value)
            WHERE \(has(id)) AND state = \(from.rawValue)
            """
        ).affectedRows == 1
    }

    static func deleteUnvalued(_ name: KeyName, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute(
            """
            DELETE FROM key_version WHERE issuer = \(name.issuer) AND product = \(name.product) AND label = \(name.label)
            """)
    }

    static func lastVersion(of name: KeyName, _ connection: inout Connection) throws(DatabaseError) -> Int {
        try connection.requireOne(
            """
            SELECT COALESCE(MAX(version), 0) AS last FROM key_version
            WHERE issuer = \(name.issuer) AND product = \(name.product) AND label = \(name.label)
            """
        ).int("last")
    }

    static func one(_ id: KeyIdentity, _ connection: inout Connection) throws -> KeyVersion? {
        try connection.queryOne(
            "SELECT \(columns) FROM \(source) WHERE \(has(id))"
        ).map(decode)
    }

    static func all(_ connection: inout Connection) throws -> [KeyVersion] {
        var versions: [KeyVersion] = []
        try each(&connection) { versions.append($0) }
        return versions
    }

    /// Visits all rows in the order of their names. In pages: there may be more than the server answers at once.
    static func each(
        _ connection: inout Connection, pageOf limit: Int = 10_000, _ visit: (KeyVersion) -> Void
    ) throws {
        var last: KeyIdentity?
        repeat {
            let page = try page(after: last, limit: limit, &connection)
            for version in page { visit(version) }
            last = page.count == limit ? page.last?.identity : nil
        } while last != nil
    }

    static func versions(of name: KeyName, _ connection: inout Connection) throws -> [KeyVersion] {
        try connection.query(
            """
            SELECT \(columns) FROM \(source)
            WHERE issuer = \(name.issuer) AND product = \(name.product) AND label = \(name.label) ORDER BY version
            """
        ).map(decode)
    }

    /// The next rows in the order of their names, after one of them or from the first.
    private static func page(
        after last: KeyIdentity?, limit: Int, _ connection: inout Connection
    ) throws -> [KeyVersion] {
        // Spelt out, because a comparison of tuples does not make the server look into the primary key.
        let place: SQL =
            if let last {
                """
                v.issuer > \(last.issuer) OR (v.issuer = \(last.issuer) AND (v.product > \(last.product)
                    OR (v.product = \(last.product) AND (v.label > \(last.label)
                    OR (v.label = \(last.label) AND v.version > \(last.version))))))
                """
            } else { "TRUE" }
        return try connection.query(
            """
            SELECT \(columns) FROM \(ordered) WHERE \(place)
            ORDER BY v.issuer, v.product, v.label, v.version LIMIT \(limit)
            """
        ).map(decode)
    }

    /// Rows whose last change came at this value of the counter or later.
    static func changed(
        from change: UInt64, limit: Int, _ connection: inout Connection
    ) throws -> [KeyVersion] {
        try connection.query("SELECT \(columns) FROM \(ordered) WHERE v.key_change >= \(change) LIMIT \(limit)")
            .map(decode)
    }

    /// Rows of `key_version` first, whatever the server thinks: they are what is asked for.
    private static let ordered: SQL = """
        key_version v STRAIGHT_JOIN application_key k
            ON k.issuer = v.issuer AND k.product = v.product AND k.label = v.label
        """

    static func withCheckValue(_ value: KeyCheckValue, _ connection: inout Connection) throws -> [KeyVersion] {
        try connection.query("SELECT \(columns) FROM \(source) WHERE v.check_value = \(value.description) LIMIT 100")
            .map(decode)
    }

    private static func has(_ id: KeyIdentity) -> SQL {
        "issuer = \(id.issuer) AND product = \(id.product) AND label = \(id.label) AND version = \(id.version)"
    }

    private static func decode(_ row: Row) throws -> KeyVersion {
        guard
            let identity = KeyIdentity(
                issuer: try row.text("issuer"), product: try row.text("product"), label: try row.text("label"),
                version: try row.int("version"))
        else { throw DatabaseError.column("version") }
        guard let state = KeyState(rawValue: try row.text("state")) else { throw DatabaseError.column("state") }
        return KeyVersion(
            identity: identity, attributes: try ApplicationKeyTable.attributes(row), state: state,
            checkValue: try row.optionalText("check_value").flatMap { KeyCheckValue($0) },
            block: try row.optionalText("key_block"), publicKey: try row.optionalBytes("public_key"),
            validity: try ApplicationKeyTable.validity(row),
            origin: try row.optionalText("origin").flatMap { ValueOrigin(rawValue: $0) },
            madeBy: try row.optionalText("made_by"),
            madeAt: try row.optionalInt64("made_at_us").map { Timestamp(microseconds: $0) })
    }
}

/// A value on its way into its row.
struct NewValue: Sendable {
    let key: WrappedKey
    let publicKey: [UInt8]?
    let origin: ValueOrigin
}
