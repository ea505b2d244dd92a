public import MariaDB

/// The tables of key management, in the schema `kms`. Columns, constraints and all SQL of a table stand in its own file.
public enum KMSSchema {
    /// To be applied before the steps of other rooms that use the same schema; a shipped step is never changed.
    /// `additions` come behind them.
    public static let steps: [Migration] = [
        Migration(
            "kms-001 change counter", grants: ChangeCounterTable.grants, statements: ChangeCounterTable.creation),
        Migration(
            "kms-002 hierarchy",
            grants: IssuerTable.grants + KeyProductTable.grants + AuthorityTable.grants + ApplicationKeyTable.grants,
            statements: IssuerTable.creation + KeyProductTable.creation + AuthorityTable.creation
                + ApplicationKeyTable.creation),
        Migration(
            "kms-003 key versions",
            grants: KeyStateMoveTable.grants + KeyVersionTable.grants + KeyTransportTable.grants,
            statements: KeyStateMoveTable.creation + KeyVersionTable.creation + KeyTransportTable.creation),
        Migration(
            "kms-004 people", grants: AdministratorTable.grants + AdministratorRoleTable.grants + ApprovalTable.grants,
            statements: AdministratorTable.creation + AdministratorRoleTable.creation + ApprovalTable.creation),
        Migration(
            "kms-005 service clients",
            grants: ServiceClientTable.grants + ServiceGrantTable.grants + RequestCountTable.grants
                + FailedCheckTable.grants,
            statements: ServiceClientTable.creation + ServiceGrantTable.creation + RequestCountTable.creation
                + FailedCheckTable.creation),
        Migration(
            "kms-006 audit", grants: AuditRecordTable.grants + AuditCheckpointTable.grants,
            statements: AuditRecordTable.creation + AuditCheckpointTable.creation),
    ]
    /// What came after other rooms had put their steps behind ours: the history of a schema is only ever continued.
    public static let additions: [Migration] = [
        Migration(
            "kms-007 certificates, tokens, limits",
            grants: ServiceGrantTable.grantsOfAdditions + ServiceTokenTable.grants + ServiceCertificateTable.grants,
            statements: ChangeCounterTable.additions + ServiceClientTable.additions + ServiceGrantTable.additions
                + ServiceTokenTable.creation + ServiceCertificateTable.creation),
        Migration("kms-008 reasons of refusals", statements: FailedCheckTable.additions),
        Migration("kms-009 changes of keys", statements: KeyVersionTable.additions),
        Migration("kms-010 levels of masters", statements: ApplicationKeyTable.additions),
    ]
}
