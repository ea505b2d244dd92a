/// What the administrator of the machine may choose; read once by `kmsd`.
public struct KMSSettings: Sendable, Hashable {
    /// Name of this node in the audit trail: letters, digits, `.`, `_`, `-`, at most 32; never shared by two nodes.
    public var node = "a"
    /// Path of the audit file, in a folder that only this program can write to.
    public var auditFile: String
    /// How long an approval can be given and used.
    public var approvalSeconds = 900
    public var sessionIdleSeconds = 900
    public var sessionSeconds = 28_800
    /// The first lock-out after wrong passwords; it doubles from there, up to an hour.
    public var lockSeconds = 60
    /// How long the key directory serves without a word from the database.
    public var directoryStaleSeconds = 300

    public init(auditFile: String) { self.auditFile = auditFile }
}
