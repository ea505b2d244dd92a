import Testing

@testable import KMS

@Suite struct PermissionTests {
    /// Who may do what, written down a second time.
    static let rows: [(Set<Role>, [KMS.Operation])] = [
        (Set(Role.allCases), [.read, .signOut, .changePassword]),
        ([.auditor, .conf, .mk], [.readAudit, .verifyAudit]),
        ([.auditor, .key, .mk], [.verifyKeys]),
        ([.auditor, .key], [.explainMAC]),
        (
            [.conf],
            [
                .createIssuer, .changeIssuer, .deleteIssuer, .createProduct, .changeProduct, .deleteProduct,
                .createAuthority, .changeAuthority, .deleteAuthority, .createKey, .deleteKey, .createAdministrator,
                .disableAdministrator, .enableAdministrator, .unlockAdministrator, .grantRole, .revokeRole,
                .resetPassword, .createClient, .disableClient, .enableClient, .renewClientToken, .grantToClient,
                .revokeFromClient, .revokeClientToken, .addClientCertificate, .removeClientCertificate, .limitClient,
                .changeSettings,
            ]
        ),
        (
            [.key],
            [
                .createVersion, .generateValue, .beginComponents, .finishComponents, .abortComponents, .importKeyBlock,
                .importCryptogram, .suspendKey, .resumeKey, .retireKey, .exportKey, .destroyKey, .compromiseKey,
            ]
        ),
        ([.mk, .conf, .key, .cert], [.approve, .refuseApproval]),
        ([.mk, .conf, .key, .cert, .operator], [.requestApproval]),
        ([.mk], [.ceremony, .sealModule, .restore]),
        ([.operator], [.receiveStock, .personaliseCard, .scrapCard, .writeOffStock]),
        ([.mk, .conf], [.backup]),
        ([.mk, .key], [.checkpoint]),
    ]
    static let twoPersons: Set<KMS.Operation> = [
        .exportKey, .destroyKey, .compromiseKey, .grantRole, .resetPassword, .writeOffStock, .restore,
    ]

    private func expected(_ operation: KMS.Operation) -> Set<Role> {
        Self.rows.first { $0.1.contains(operation) }?.0 ?? []
    }

    @Test func `every operation has exactly the roles of its row, and what is in no row nobody may ask for`() {
        for operation in KMS.Operation.allCases {
            #expect(operation.roles == expected(operation), "\(operation.rawValue)")
            #expect((operation.approverRoles != nil) == Self.twoPersons.contains(operation), "\(operation.rawValue)")
        }
        #expect(Set(KMS.Operation.allCases.map(\.rawValue)).count == KMS.Operation.allCases.count)
    }

    @Test func `an auditor changes nothing and approves nothing`() {
        let may = KMS.Operation.allCases.filter { $0.roles.contains(.auditor) }
        #expect(Set(may) == [.read, .signOut, .changePassword, .readAudit, .verifyAudit, .verifyKeys, .explainMAC])
        for operation in KMS.Operation.allCases {
            #expect(operation.approverRoles?.contains(.auditor) != true, "\(operation.rawValue)")
        }
    }

    @Test func `the running centre lets each role do what the table says, and records each refusal`() async throws {
        let rig = try await Rig.make()
        var refusals = 0
        for (name, roles) in Rig.people {
            for operation in KMS.Operation.allCases {
                let may = !expected(operation).isDisjoint(with: roles)
                let done = await isDone {
                    try await rig.centre.authorise(operation, on: "matrix", by: rig.actor(name))
                }
                #expect(done == may, "\(name) \(operation.rawValue)")
                if !may { refusals += 1 }
            }
        }
        let records = try await rig.centre.audit.records(from: 1, limit: 10_000).filter { $0.object == "matrix" }
        #expect(records.count == refusals)
        #expect(records.allSatisfy { $0.outcome == "refused" && $0.code == "K-201" })
    }

    @Test func `a two-person operation without an approval is refused before anything happens`() async throws {
        let rig = try await Rig.make()
        for operation in Self.twoPersons {
            for name in Rig.people.keys {
                var ran = false
                await #expect(throws: KMSError.self) {
                    try await rig.centre.perform(operation, on: "x", by: rig.actor(name)) { ran = true }
                }
                #expect(!ran, "\(operation.rawValue)")
            }
        }
    }
}
