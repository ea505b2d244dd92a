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
    /// Which of the changes touched keys: loading a million of them anew because one grant changed would be late.
    static let additions: [SQL] = ["ALTER TABLE change_counter ADD COLUMN key_value BIGINT UNSIGNED NOT NULL DEFAULT 1"]
    static let grants = [Grant("change_counter", [.select, .update])]

    struct Value: Sendable, Hashable {
        /// Moves with every change.
        let all: UInt64
        /// Moves with changes of keys.
        let keys: UInt64
    }

    static func advance(touchesKeys: Bool, _ connection: inout Connection) throws(DatabaseError) {
        let more = touchesKeys ? 1 : 0
        try connection.execute(
            "UPDATE change_counter SET value = value + 1, key_value = key_value + \(more) WHERE id = 1")
    }

    static func value(_ connection: inout Connection) throws(DatabaseError) -> Value {
        let row = try connection.requireOne("SELECT value, key_value FROM change_counter WHERE id = 1")
        return Value(all: try row.uint64("value"), keys: try row.uint64("key_value"))
    }
}
