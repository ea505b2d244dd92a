/// What an administrator is there for (管理员角色).
public enum Role: String, Sendable, Hashable, CaseIterable {
    /// LMK and module.
    case mk
    /// Issuers, products, application keys, authorities, people, service clients.
    case conf
    /// Values of keys and their life.
    case key
    /// Certificates.
    case cert
    /// Cards.
    case `operator`
    /// Reads everything, changes nothing; never together with another role.
    case auditor

    /// Whether one person may hold these roles together.
    public static func mayStandTogether(_ roles: Set<Role>) -> Bool { !roles.contains(.auditor) || roles.count == 1 }
}
