internal import MariaDB

/// Table `administrator_role`: who holds which role, given by whom.
enum AdministratorRoleTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE administrator_role (
            name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            role VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            granted_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            approved_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            granted_at_us BIGINT NOT NULL,
            PRIMARY KEY (name, role),
            CONSTRAINT administrator_role_person FOREIGN KEY (name) REFERENCES administrator (name),
            CONSTRAINT administrator_role_known CHECK (role IN ('mk', 'conf', 'key', 'cert', 'operator', 'auditor'))
        ) ENGINE = InnoDB
        """,
        """
        CREATE TRIGGER administrator_role_auditor_alone BEFORE INSERT ON administrator_role FOR EACH ROW
        BEGIN
            IF EXISTS (SELECT 1 FROM administrator_role WHERE name = NEW.name
                AND (role = 'auditor') <> (NEW.role = 'auditor'))
            THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an auditor holds no other role';
            END IF;
        END
        """,
    ]
    static let grants = [Grant("administrator_role", [.select, .insert, .delete])]

    static func insert(
        _ role: Role, to name: String, by: String, approvedBy: String, now: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO administrator_role (name, role, granted_by, approved_by, granted_at_us)
            VALUES (\(name), \(role.rawValue), \(by), \(approvedBy), \(now.microseconds))
            """)
    }

    static func delete(_ role: Role, from name: String, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute("DELETE FROM administrator_role WHERE name = \(name) AND role = \(role.rawValue)")
            .affectedRows == 1
    }

    /// Enabled people who hold a role, locked so that two removals at once do not take the last one.
    static func holders(of role: Role, _ connection: inout Connection) throws(DatabaseError) -> Int {
        try connection.query(
            """
            SELECT r.name FROM administrator_role r JOIN administrator a USING (name)
            WHERE r.role = \(role.rawValue) AND NOT a.disabled FOR UPDATE
            """
        ).count
    }

    /// The roles of an enabled administrator; nil for an unknown or disabled one.
    static func roles(of name: String, _ connection: inout Connection) throws(DatabaseError) -> Set<Role>? {
        guard let person = try connection.queryOne("SELECT disabled FROM administrator WHERE name = \(name)"),
            !(try person.bool("disabled"))
        else { return nil }
        var roles: Set<Role> = []
        for row in try connection.query("SELECT role FROM administrator_role WHERE name = \(name)") {
            if let role = Role(rawValue: try row.text("role")) { roles.insert(role) }
        }
        return roles
    }

    static func all(_ connection: inout Connection) throws(DatabaseError) -> [String: Set<Role>] {
        var all: [String: Set<Role>] = [:]
        for row in try connection.query("SELECT name, role FROM administrator_role") {
            if let role = Role(rawValue: try row.text("role")) { all[try row.text("name"), default: []].insert(role) }
        }
        return all
    }
}
