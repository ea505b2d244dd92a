internal import MariaDB

/// Table `key_state_move`: the allowed moves of `KeyState`, for the trigger on `key_version`. Filled from the table in code.
enum KeyStateMoveTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE key_state_move (
            from_state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            to_state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            PRIMARY KEY (from_state, to_state)
        ) ENGINE = InnoDB
        """,
        "INSERT INTO key_state_move (from_state, to_state) VALUES \(allowed.joined(", "))",
    ]
    static let grants = [Grant("key_state_move", .select)]

    private static let allowed: [SQL] = KeyState.allCases.flatMap { from in
        KeyState.allCases.filter { from.mayBecome($0) }.map { SQL.row(from.rawValue, $0.rawValue) }
    }
}
