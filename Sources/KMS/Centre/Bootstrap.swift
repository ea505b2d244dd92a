internal import MariaDB
import Synchronization

/// One of the first administrators.
public struct NewAdministrator: Sendable, Hashable {
    public let name: String
    public let fullName: String
    public let roles: Set<Role>
    public let password: PasswordHash

    public init(name: String, fullName: String, roles: Set<Role>, password: PasswordHash) {
        self.name = name
        self.fullName = fullName
        self.roles = roles
        self.password = password
    }
}

extension KeyCentre {
    /// Wrong tokens after which the present one is void; a restart makes another.
    static let bootstrapTries = 5

    /// A one-time token while no administrator exists, else nil. A new call voids the token before.
    public func offerBootstrap() async throws(KMSError) -> String? {
        guard try await read({ connection in try AdministratorTable.count(&connection) }) == 0 else { return nil }
        let token = RandomToken.make()
        desk.withLock { desk in
            desk.bootstrapToken = RandomToken.digest(token)
            desk.bootstrapTries = 0
        }
        return token
    }

    /// Makes the first administrators, all at once: there is no default account and no default password. At least two
    /// people, so that two-person operations can happen from the first day.
    public func bootstrap(
        token: consuming Password, _ first: [NewAdministrator], origin: String
    ) async throws(KMSError) {
        try useBootstrapToken(token)
        try Self.requireValid(first)
        let names = first.map(\.name)
        let begun = try await audit.append([
            AuditEvent(
                .bootstrap, actors: names, origin: origin, outcome: .begun,
                fields: [
                    .role: first.map { "\($0.name)=\($0.roles.map(\.rawValue).sorted().joined(separator: "+"))" }
                        .joined(separator: " ")
                ])
        ])
        let now = clocks.wall()
        do throws(KMSError) {
            try await write { connection in
                guard try AdministratorTable.count(&connection) == 0 else { throw KMSError.bootstrapClosed }
                for person in first {
                    try AdministratorTable.insert(person.name, person.fullName, person.password, &connection)
                    for role in person.roles.sorted(by: { $0.rawValue < $1.rawValue }) {
                        try AdministratorRoleTable.insert(
                            role, to: person.name, by: "bootstrap", approvedBy: "bootstrap", now: now, &connection)
                    }
                }
            }
        } catch {
            try? await audit.appendOutcome(
                AuditEvent(
                    .bootstrap, actors: names, origin: origin, outcome: .failed(code: error.code),
                    reference: begun.first))
            throw error
        }
        desk.withLock { $0.bootstrapToken = nil }
        do throws(KMSError) {
            try await audit.appendOutcome(
                AuditEvent(.bootstrap, actors: names, origin: origin, outcome: .done, reference: begun.first))
        } catch { throw .outcomeNotRecorded }
    }

    private func useBootstrapToken(_ token: consuming Password) throws(KMSError) {
        let given = token.digest
        let verdict: KMSError? = desk.withLock { desk in
            guard let expected = desk.bootstrapToken else { return .bootstrapClosed }
            if expected == given { return nil }
            desk.bootstrapTries += 1
            if desk.bootstrapTries >= Self.bootstrapTries { desk.bootstrapToken = nil }
            return .bootstrapTokenWrong
        }
        if let verdict { throw verdict }
    }

    private static func requireValid(_ people: [NewAdministrator]) throws(KMSError) {
        guard (2...16).contains(people.count), Set(people.map(\.name)).count == people.count else {
            throw .invalidInput("first administrators (2 to 16 different people)")
        }
        for person in people {
            try Input.account(person.name)
            try Input.text(person.fullName, "full name", 1...100)
            guard !person.roles.isEmpty, Role.mayStandTogether(person.roles) else {
                throw .invalidInput("roles of \(person.name) (at least one; an auditor holds no other)")
            }
        }
        let officers = people.filter { !$0.roles.isDisjoint(with: [.mk, .conf, .key, .cert]) }
        let held = people.reduce(into: Set<Role>()) { $0.formUnion($1.roles) }
        guard officers.count >= 2, held.isSuperset(of: [.conf, .key]) else {
            throw .invalidInput("first administrators (`conf` and `key` must be held, by two people who can approve)")
        }
    }
}
