internal import HSMBridge

extension KMSError: CustomStringConvertible {
    /// The code that stands in the audit trail, in answers and in the operator's guide. Never given to another case later.
    public var code: String {
        switch self {
        case .notSignedIn: "K-101"
        case .sessionEnded: "K-102"
        case .signInRefused: "K-103"
        case .accountLocked: "K-104"
        case .passwordTooShort: "K-105"
        case .passwordUnacceptable: "K-106"
        case .busy: "K-107"
        case .bootstrapClosed: "K-108"
        case .bootstrapTokenWrong: "K-109"
        case .roleMissing: "K-201"
        case .approvalNeeded: "K-202"
        case .approvalNotFound: "K-203"
        case .approvalNotForThis: "K-204"
        case .approvalExpired: "K-205"
        case .approvalUsed: "K-206"
        case .approvalBySamePerson: "K-207"
        case .clientUnknown: "K-208"
        case .grantMissing: "K-209"
        case .invalidInput: "K-301"
        case .notFound: "K-302"
        case .exists: "K-303"
        case .inUse: "K-304"
        case .keyHasNoValue: "K-401"
        case .keyHasValue: "K-402"
        case .keyStateForbids: "K-403"
        case .keyNotYetValid: "K-404"
        case .keyExpired: "K-405"
        case .moveNotAllowed: "K-406"
        case .storedKeyRefused: "K-407"
        case .module: "K-408"
        case .directoryStale: "K-501"
        case .auditUnavailable: "K-502"
        case .outcomeNotRecorded: "K-503"
        case .databaseUnavailable: "K-504"
        case .databaseOutcomeUnknown: "K-505"
        case .databaseRefused: "K-506"
        case .internalFault: "K-599"
        }
    }

    public var description: String { "\(code) \(message)" }

    /// What happened and what to do next.
    public var message: String { personMessage ?? requestMessage ?? systemMessage }

    private var personMessage: String? {
        switch self {
        case .notSignedIn: "Sign in first."
        case .sessionEnded: "The session has ended. Sign in again."
        case .signInRefused: "Name or password is wrong. Check both; every wrong try counts."
        case .accountLocked(let seconds):
            "Too many wrong tries. Wait \(seconds) seconds, or ask a `conf` administrator to unlock the account."
        case .passwordTooShort: "The password is too short. Use at least 12 characters."
        case .passwordUnacceptable:
            "The password is too simple or too long. Use 12 to 128 bytes that are not the account's name."
        case .busy: "Too many requests at the moment. Try again in a few seconds."
        case .bootstrapClosed: "Administrators exist already. Sign in as one of them."
        case .bootstrapTokenWrong:
            "The bootstrap token is wrong or used up. Read the present one where kmsd wrote it at its start."
        case .roleMissing(let operation):
            "This needs the role \(operation.roles.map(\.rawValue).sorted().joined(separator: " or ")). Ask a person who holds it."
        case .approvalNeeded(let operation):
            "\(operation.rawValue) needs a second person. Request an approval and let another administrator approve it."
        case .approvalNotFound: "There is no such approval. List the open ones and use their number."
        case .approvalNotForThis:
            "The approval is for something else or by somebody else. Request one for exactly this."
        case .approvalExpired: "The approval has expired. Request it again."
        case .approvalUsed: "The approval was used or decided already. Request a new one."
        case .approvalBySamePerson: "Who requests cannot approve. Ask another administrator."
        case .clientUnknown: "The service client is unknown or disabled. Ask a `conf` administrator."
        case .grantMissing:
            "The service client has no grant for this key and operation. Ask a `conf` administrator to grant it."
        default: nil
        }
    }

    private var requestMessage: String? {
        switch self {
        case .invalidInput(let what): "Not valid: \(what). Correct it and try again."
        case .notFound(let what): "There is no \(what). Check its name."
        case .exists(let what): "It exists already (\(what)). Choose another name, or use the one that is there."
        case .inUse(let what): "Something belongs to it or is missing above it (\(what)). Remove or create that first."
        case .keyHasNoValue(let key): "Key \(key) has no value. Generate or import one first."
        case .keyHasValue(let key): "Key \(key) has a value already. Create a new version."
        case .keyStateForbids(let key, let state):
            "Key \(key) is \(state.rawValue) and may not do this. Use an active version."
        case .keyNotYetValid(let key): "Key \(key) is not valid yet. Use another version, or wait for its first day."
        case .keyExpired(let key): "Key \(key) has expired. Use a newer version."
        case .moveNotAllowed(let from, let to):
            "A key cannot go from \(from.rawValue) to \(to.rawValue). Allowed from here: "
                + (KeyState.moves[from, default: []].map(\.rawValue).sorted().joined(separator: ", ")) + "."
        case .storedKeyRefused(let key, let error):
            "The stored block of key \(key) did not open as this key (\(error)). Its row was moved, edited or damaged: "
                + "run `kmsd key verify`, tell the auditor, and restore the row from a backup."
        case .module(let error): "The security module refused (\(error)). See its status, then try again."
        default: nil
        }
    }

    private var systemMessage: String {
        switch self {
        case .directoryStale: "The key directory could not be refreshed for too long. Bring the database back."
        case .auditUnavailable:
            "The audit trail cannot be written, so nothing was done. Free the disk or bring the database back, then try again."
        case .outcomeNotRecorded:
            "It was carried out, but its outcome could not be recorded yet. Bring the audit sinks back; look before repeating it."
        case .databaseUnavailable: "The database is not there. Nothing was changed; bring it back and try again."
        case .databaseOutcomeUnknown:
            "The database was lost while it committed. Look whether it was done before repeating it."
        case .databaseRefused(let error): "The database refused (\(error)). Tell the administrator of the server."
        case .internalFault(let place): "An internal fault (\(place)). Report it with the time of this message."
        default: "An error without a text. Report it."
        }
    }
}
