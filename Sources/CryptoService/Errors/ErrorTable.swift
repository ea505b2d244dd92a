import CryptoClient
import HSMBridge
import KMS

/// What the refusals of module and key management are called on the wire (docs/protocol.md §8). The only place that says so.
enum ErrorTable {
    static func code(_ error: ModuleError) -> HostErrorCode {
        switch error {
        case .uninitialised, .sealed, .ceremonyOpen: .lmkIdentifier
        case .failed, .busy, .unavailable: .internalError
        case .notPermitted: .notAuthorised
        case .unknownCommand, .malformedRequest: .internalError
        case .tooLarge: .dataLength
        case .unknownHandle: .internalError
        case .keyBlockMalformed: .keyBlockFormat
        case .keyBlockAuthentication: .keyBlockAuthentication
        case .keyIdentityMismatch: .keyBlockOther
        case .lmkTermUnknown: .keyBlockLMKIdentifiers
        case .usageNotPermitted: .keyUsage
        case .modeNotPermitted: .modeOfUse
        case .algorithmNotPermitted: .algorithm
        case .notExportable: .exportability
        case .weakKey, .knownVendorKey: .destinationKeyParity
        case .wrappingKeyTooWeak: .wrappingKey
        case .keyLengthInvalid: .keyBlockKeyLength
        case .checkValueMismatch: .keyBlockCheckValue
        case .attributesContradict: .keyTypes
        case .tooManyKeysOpen: .userStorage
        case .dataLengthInvalid: .dataLength
        case .parameterInvalid: .inputData
        case .signatureInvalid: .verificationFailed
        // Ceremonies and cards are not reached from this room.
        case .ceremonyNotOpen, .ceremonyExpired, .ceremonyIncomplete, .readerUnknown, .cardAbsent, .cardFault,
            .cardNotAdmin, .cardBlankExpected, .pinIncorrect, .pinBlocked, .pinFormat, .componentRepeated,
            .custodianUnexpected, .componentMismatch, .lmkMismatch, .alreadyInitialised:
            .notAuthorised
        case .stateFolderFault, .journalUnavailable, .selfTestFailed, .randomFault, .secretMemoryExhausted,
            .internalFault:
            .internalError
        }
    }

    static func code(_ error: KMSError) -> HostErrorCode {
        switch error {
        case .clientUnknown: .commandDisabled
        case .grantMissing: .functionNotPermitted
        // A label that no key can have is a label that no key has.
        case .invalidInput, .notFound, .keyHasNoValue: .indexValue
        case .keyStateForbids: .keyBlockOther
        case .keyNotYetValid: .startDate
        case .keyExpired: .endDate
        case .storedKeyRefused(_, let error), .module(let error): code(error)
        default: .internalError
        }
    }
}
