internal import MariaDB

/// Table `change_counter`: one number that moves with each change that the key directories of all nodes must see.
enum ChangeCounterTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE change_counter (
            id TINYINT NOT NULL PRIMARY KEY,
            value BIGINT UNSIGNED NOT NULL,
            CONSTRAINT change_counter_is_one CHECK (id = 1)
        ) ENGINE = InnoDB
        """,
        "INSERT INTO change_counter (id, value) VALUES (1, 1)",
    ]
    static let grants = [Grant("change_counter", [.select, .update])]

    static func advance(_ connection: inout Connection) throws(DatabaseError) {
        try connection.execute("UPDATE change_counter SET value = value + 1 WHERE id = 1")
    }

    static func value(_ connection: inout Connection) throws(DatabaseError) -> UInt64 {
        try connection.requireOne("SELECT value FROM change_counter WHERE id = 1").uint64("value")
    }
}
