import HSMBridge
import Testing

@testable import KMS
@testable import MariaDB

@Suite struct KeyStateTests {
    /// The moves as an independent list: what the design says, not what the code has.
    static let allowed: Set<[KeyState]> = [
        [.created, .active], [.created, .destroyed], [.active, .suspended], [.active, .retired],
        [.active, .compromised],
        [.suspended, .active], [.suspended, .retired], [.suspended, .compromised], [.suspended, .destroyed],
        [.retired, .compromised], [.retired, .destroyed], [.compromised, .destroyed],
    ]

    @Test func `of all pairs of states only the listed moves are allowed`() {
        for from in KeyState.allCases {
            for to in KeyState.allCases {
                #expect(from.mayBecome(to) == Self.allowed.contains([from, to]), "\(from) to \(to)")
            }
        }
    }

    /// A row is put into each state with the triggers off, then moved by plain SQL with the program's own account.
    @Test func `the database refuses the same moves, whatever program asks`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("K", Rig.purchase)
        let block = String(repeating: "D", count: 40)
        for from in KeyState.allCases {
            for to in KeyState.allCases where from != to {
                let value: SQLValue = from.hasValue ? .text(block) : .null
                try await rig.tamper(
                    "DROP TRIGGER IF EXISTS key_version_moves",
                    "UPDATE key_version SET state = \(from.rawValue), key_block = \(value)", Self.trigger)
                let next: SQLValue = to.hasValue ? .text(block) : .null
                let isMoved = await isDone {
                    try await rig.database.write { connection in
                        try connection.execute("UPDATE key_version SET state = \(to.rawValue), key_block = \(next)")
                    }
                }
                #expect(isMoved == Self.allowed.contains([from, to]), "\(from) to \(to)")
            }
        }
    }

    private static let trigger = KeyVersionTable.creation[2]

    @Test func `a version never begins in use, and one with a value is never deleted`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("K", Rig.purchase)
        let isInserted = await isDone {
            try await rig.database.write { connection in
                try connection.execute(
                    """
                    INSERT INTO key_version (issuer, product, label, version, state, key_block, check_value, origin, made_by,
                        made_at_us, changed_at_us)
                    VALUES ('ICBC', 'PURSE', 'K', 2, 'active', 'D', '000000', 'generated', 'x', 1, 1)
                    """)
            }
        }
        #expect(!isInserted)
        let isDeleted = await isDone {
            try await rig.database.write { connection in try connection.execute("DELETE FROM key_version") }
        }
        #expect(!isDeleted)
    }

    @Test func `what a key is for cannot be changed in its row`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("K", Rig.purchase)
        let isChanged = await isDone {
            try await rig.database.write { connection in
                try connection.execute("UPDATE application_key SET exportability = 'S'")
            }
        }
        #expect(!isChanged)
    }
}

/// Whether something went through.
func isDone(_ body: () async throws -> some Any) async -> Bool {
    do {
        _ = try await body()
        return true
    } catch {
        return false
    }
}
