import KMS

/// A session that has begun; the token is the secret of whoever signed in.
public struct SessionMessage: Codable, Sendable {
    public var token: String
    public var administrator: String
    public var roles: [String]
}

/// An administrator as the others see them.
public struct AdministratorMessage: Codable, Sendable, Hashable {
    public var name: String
    public var fullName: String
    public var roles: [String]
    public var disabled: Bool
    /// Wrong passwords since the last right one.
    public var tries: Int
    public var lockedUntil: String?

    init(_ person: Administrator) {
        name = person.name
        fullName = person.fullName
        roles = person.roles.map(\.rawValue).sorted()
        disabled = person.disabled
        tries = person.tries
        lockedUntil = person.lockedUntil?.text
    }
}

/// A role to be given, with the approval of somebody else.
public struct RoleGrantMessage: Codable, Sendable {
    public var role: String
    public var approval: Int64

    public init(role: String, approval: Int64) {
        self.role = role
        self.approval = approval
    }
}

/// What a second person is asked for. `operation` decides which of the other members are needed:
/// `key.export` key, under · `key.destroy`, `key.compromise` key · `administrator.role.grant` role, name ·
/// `administrator.password.reset` name · `stock.writeoff` kind, count, reason · `backup.restore` digest.
public struct ApprovalRequestMessage: Codable, Sendable {
    public var operation: String
    public var key: String?
    public var under: String?
    public var role: String?
    public var name: String?
    public var kind: String?
    public var count: Int?
    public var reason: String?
    public var digest: String?

    public init(operation: String) { self.operation = operation }
}

/// The number of an approval that was asked for.
public struct ApprovalNumberMessage: Codable, Sendable {
    public var id: Int64
}

/// A request for a second person, and what became of it.
public struct ApprovalMessage: Codable, Sendable, Hashable {
    public var id: Int64
    public var operation: String
    public var object: String
    /// The exact intent.
    public var text: String
    public var requestedBy: String
    public var requestedAt: String
    public var expiresAt: String
    public var decision: String
    public var decidedBy: String?

    init(_ approval: Approval) {
        id = approval.id
        operation = approval.operation
        object = approval.object
        text = approval.text
        requestedBy = approval.requestedBy
        requestedAt = approval.requestedAt.text
        expiresAt = approval.expiresAt.text
        decision = approval.decision.rawValue
        decidedBy = approval.decidedBy
    }
}
