/// The check that the running program's account can do what its migrations declare, and nothing more.
///
/// Stops the mistake of running with the administrator's or the migration account, under which a flaw in the program could
/// rewrite the audit log.
struct AccountRights {
    let schema: String
    let expected: [Grant]

    /// One entry for each right too many. `lines` are those of SHOW GRANTS; password hashes in them are not repeated.
    func violations(in lines: [String]) -> [SettingViolation] {
        lines.compactMap { line in
            guard let excess = excess(in: Substring(line)) else { return nil }
            return SettingViolation(
                setting: "rights of the account", found: excess, wanted: "only those of the migrations")
        }
    }

    private func excess(in line: Substring) -> String? {
        guard line.hasPrefix("GRANT "), let (rightsText, rest) = Self.split(line.dropFirst(6), at: " ON "),
            let (object, tail) = Self.split(rest, at: " TO ")
        else { return "a role" }
        let rights = rightsText.split(separator: ",").map { String($0.drop { $0 == " " }) }
        if tail.hasSuffix("WITH GRANT OPTION") { return "GRANT OPTION on \(object)" }
        if rights == ["USAGE"] { return nil }
        let known = expected.first { object == "`\(schema)`.`\($0.table)`" }
        let allowed = known?.rights.names ?? []
        let tooMany = rights.filter { !allowed.contains($0) }
        return tooMany.isEmpty ? nil : "\(tooMany.joined(separator: ", ")) on \(object)"
    }

    private static func split(_ text: Substring, at mark: String) -> (Substring, Substring)? {
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].hasPrefix(mark) {
                return (text[..<start], text[text.index(start, offsetBy: mark.count)...])
            }
            start = text.index(after: start)
        }
        return nil
    }
}

extension Migrations {
    /// Every right that the account of `database` has beyond the declared ones; empty is good.
    public func excessRights(in database: Database) async throws -> [SettingViolation] {
        let expected = grants
        return try await database.read { connection in
            let schema = try connection.requireOne("SELECT DATABASE() AS name").optionalText("name") ?? ""
            let lines = try connection.query("SHOW GRANTS FOR CURRENT_USER").compactMap { row -> String? in
                if case .text(let line)? = row.values.first { line } else { nil }
            }
            return AccountRights(schema: schema, expected: expected).violations(in: lines)
        }
    }
}
