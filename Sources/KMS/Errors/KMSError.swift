public import HSMBridge
public import MariaDB

/// Everything that key management refuses or fails with. Closed; texts that cases carry are names and never data.
public enum KMSError: Error, Sendable, Hashable {
    // MARK: Who asks
    case notSignedIn
    case sessionEnded
    case signInRefused
    case accountLocked(seconds: Int)
    case passwordTooShort
    case passwordUnacceptable
    case busy
    case bootstrapClosed
    case bootstrapTokenWrong

    // MARK: What they may
    case roleMissing(Operation)
    case approvalNeeded(Operation)
    case approvalNotFound
    case approvalNotForThis
    case approvalExpired
    case approvalUsed
    case approvalBySamePerson
    case clientUnknown
    case grantMissing

    // MARK: What they ask for
    case invalidInput(String)
    case notFound(String)
    case exists(String)
    case inUse(String)

    // MARK: Keys
    case keyHasNoValue(String)
    case keyHasValue(String)
    case keyStateForbids(String, KeyState)
    case keyNotYetValid(String)
    case keyExpired(String)
    case moveNotAllowed(from: KeyState, to: KeyState)
    /// The stored block did not open as the key that its row says it is: moved, edited or damaged.
    case storedKeyRefused(String, ModuleError)
    case module(ModuleError)

    // MARK: What we lean on
    case directoryStale
    case auditUnavailable
    /// Carried out, but the record of its outcome could not be written yet; it is written before anything else happens.
    case outcomeNotRecorded
    case databaseUnavailable
    case databaseOutcomeUnknown
    case databaseRefused(DatabaseError)
    case internalFault(String)
}

extension KMSError {
    /// The kinds of database trouble that the caller has to tell apart.
    init(_ error: DatabaseError) {
        switch error {
        case .gone(.unknown): self = .databaseOutcomeUnknown
        case .gone(.notCommitted), .closed, .tableFull, .deadlock, .lockTimeout, .unsafeSettings:
            self = .databaseUnavailable
        case .busy: self = .busy
        case .duplicateKey(let key): self = .exists(key)
        case .foreignKey(let key): self = .inUse(key)
        case .noRow: self = .notFound("row")
        default: self = .databaseRefused(error)
        }
    }

    /// What a refusal of the module means for a key that was read from our own table.
    static func of(_ refusal: ModuleRefusal, stored: String) -> KMSError {
        switch refusal.error {
        case .keyBlockMalformed, .keyBlockAuthentication, .keyIdentityMismatch, .lmkTermUnknown:
            .storedKeyRefused(stored, refusal.error)
        default: .module(refusal.error)
        }
    }
}
