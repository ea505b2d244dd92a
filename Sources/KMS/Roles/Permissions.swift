/// Which role an operation needs, and who may be its second person: the one table. Whoever is not in a row is refused.
struct Permission: Sendable, Hashable {
    /// Any one of these.
    let roles: Set<Role>
    /// Nil = one person is enough; else the second person needs one of these, and is somebody else.
    let approvers: Set<Role>?

    private static func one(_ roles: Role...) -> Permission { Permission(roles: Set(roles), approvers: nil) }
    private static func two(_ roles: Set<Role>, approvedBy approvers: Set<Role>) -> Permission {
        Permission(roles: roles, approvers: approvers)
    }

    /// Nobody asks for these over a session: the system does them itself, and records them.
    private static let system = Permission(roles: [], approvers: nil)
    private static let everybody = Permission(roles: Set(Role.allCases), approvers: nil)
    private static let officers: Set<Role> = [.mk, .conf, .key, .cert]

    static func of(_ operation: Operation) -> Permission {
        switch operation {
        case .read, .signOut, .changePassword: everybody
        case .readAudit, .verifyAudit: one(.auditor, .conf, .mk)
        case .verifyKeys: one(.auditor, .key, .mk)
        case .explainMAC: one(.auditor, .key)
        case .createIssuer, .changeIssuer, .deleteIssuer, .createProduct, .changeProduct, .deleteProduct,
            .createAuthority, .changeAuthority, .deleteAuthority, .createKey, .deleteKey:
            one(.conf)
        case .createVersion, .generateValue, .beginComponents, .finishComponents, .abortComponents, .importKeyBlock,
            .importCryptogram, .suspendKey, .resumeKey, .retireKey:
            one(.key)
        case .exportKey, .destroyKey, .compromiseKey: two([.key], approvedBy: officers)
        case .createAdministrator, .disableAdministrator, .enableAdministrator, .unlockAdministrator, .revokeRole:
            one(.conf)
        case .grantRole, .resetPassword: two([.conf], approvedBy: officers)
        case .createClient, .disableClient, .enableClient, .renewClientToken, .revokeClientToken, .grantToClient,
            .revokeFromClient, .addClientCertificate, .removeClientCertificate, .limitClient:
            one(.conf)
        case .requestApproval: Permission(roles: officers.union([.operator]), approvers: nil)
        case .approve, .refuseApproval: Permission(roles: officers, approvers: nil)
        // The second and third person of a ceremony are the custodians with their cards: the module counts them.
        case .ceremony, .sealModule: one(.mk)
        case .receiveStock, .personaliseCard, .scrapCard: one(.operator)
        case .writeOffStock: two([.operator], approvedBy: officers)
        case .changeSettings: one(.conf)
        case .backup: one(.mk, .conf)
        case .restore: two([.mk], approvedBy: officers)
        case .checkpoint: one(.mk, .key)
        case .bootstrap, .signIn, .startTrail, .stopTrail, .reconcile, .keyFinding: system
        }
    }
}

extension Operation {
    /// One of these roles is needed; empty for what only the system does.
    public var roles: Set<Role> { Permission.of(self).roles }
    /// Who may be the second person; nil where one person is enough.
    public var approverRoles: Set<Role>? { Permission.of(self).approvers }
}
