/// Why the module did not carry out a command. Closed: what is not here is a bug, and shows as `internalFault`.
public enum ModuleError: UInt16, Error, Sendable, Hashable, CaseIterable {
    // MARK: The module's state
    case uninitialised = 1
    case sealed = 2
    case ceremonyOpen = 3
    case failed = 4
    case busy = 5
    /// The module's process does not answer: not started, restarting, or gone while it worked. The outcome of a command
    /// that changes something is then unknown.
    case unavailable = 6
    /// The caller's user id is not allowed this command.
    case notPermitted = 7

    // MARK: The message
    case unknownCommand = 20
    case malformedRequest = 21
    case tooLarge = 22

    // MARK: Keys
    case unknownHandle = 30
    case keyBlockMalformed = 31
    /// The key block's MAC is wrong: changed, damaged, or under another key.
    case keyBlockAuthentication = 32
    /// The block is genuine but belongs to another key (moved row, other version).
    case keyIdentityMismatch = 33
    /// Wrapped under an LMK that this module does not hold.
    case lmkTermUnknown = 34
    case usageNotPermitted = 35
    case modeNotPermitted = 36
    case algorithmNotPermitted = 37
    case notExportable = 38
    case weakKey = 39
    case knownVendorKey = 40
    /// A key may be wrapped only under one of at least its own strength.
    case wrappingKeyTooWeak = 41
    case keyLengthInvalid = 42
    case checkValueMismatch = 43
    case attributesContradict = 44
    case tooManyKeysOpen = 45

    // MARK: Data
    case dataLengthInvalid = 50
    case parameterInvalid = 51
    case signatureInvalid = 52

    // MARK: Ceremony and admin cards
    case ceremonyNotOpen = 60
    case ceremonyExpired = 61
    case ceremonyIncomplete = 62
    case readerUnknown = 63
    case cardAbsent = 64
    case cardFault = 65
    case cardNotAdmin = 66
    case cardBlankExpected = 67
    /// One try is spent; the reply's detail has the tries left.
    case pinIncorrect = 68
    case pinBlocked = 69
    case pinFormat = 70
    /// The same card, or another copy of the same component, was presented before.
    case componentRepeated = 71
    case custodianUnexpected = 72
    case componentMismatch = 73
    case lmkMismatch = 74
    case alreadyInitialised = 75

    // MARK: The module's own folder
    case stateFolderFault = 80
    case journalUnavailable = 81
    case selfTestFailed = 82
    case randomFault = 83
    case secretMemoryExhausted = 84
    case internalFault = 99
}

/// A module's refusal with the one number that some refusals carry (PIN tries left).
public struct ModuleRefusal: Error, Sendable, Hashable {
    public let error: ModuleError
    public let detail: UInt16

    public init(_ error: ModuleError, detail: UInt16 = 0) {
        self.error = error
        self.detail = detail
    }
}
