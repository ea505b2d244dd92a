import CryptoClient
import HSMBridge
import Testing

@testable import CryptoService
@testable import KMS

/// The table of codes, row by row.
struct ErrorTableTests {
    private static let module: [ModuleError: String] = [
        .uninitialised: "13", .sealed: "13", .ceremonyOpen: "13", .failed: "41", .busy: "41", .unavailable: "41",
        .notPermitted: "17", .unknownCommand: "41", .malformedRequest: "41", .tooLarge: "80", .unknownHandle: "41",
        .keyBlockMalformed: "83", .keyBlockAuthentication: "A4", .keyIdentityMismatch: "BE", .lmkTermUnknown: "A3",
        .usageNotPermitted: "A6", .modeNotPermitted: "A8", .algorithmNotPermitted: "A7", .notExportable: "AA",
        .weakKey: "11", .knownVendorKey: "11", .wrappingKeyTooWeak: "BB", .keyLengthInvalid: "A5",
        .checkValueMismatch: "84", .attributesContradict: "BD", .tooManyKeysOpen: "12", .dataLengthInvalid: "80",
        .parameterInvalid: "15", .signatureInvalid: "01", .ceremonyNotOpen: "17", .ceremonyExpired: "17",
        .ceremonyIncomplete: "17", .readerUnknown: "17", .cardAbsent: "17", .cardFault: "17", .cardNotAdmin: "17",
        .cardBlankExpected: "17", .pinIncorrect: "17", .pinBlocked: "17", .pinFormat: "17", .componentRepeated: "17",
        .custodianUnexpected: "17", .componentMismatch: "17", .lmkMismatch: "17", .alreadyInitialised: "17",
        .stateFolderFault: "41", .journalUnavailable: "41", .selfTestFailed: "41", .randomFault: "41",
        .secretMemoryExhausted: "41", .internalFault: "41",
    ]

    @Test(arguments: ModuleError.allCases)
    func `Each refusal of the module has its code`(error: ModuleError) {
        #expect(ErrorTable.code(error).rawValue == Self.module[error])
    }

    @Test(arguments: [
        (KMSError.clientUnknown, "68"), (.grantMissing, "29"), (.invalidInput("key label"), "21"),
        (.notFound("key"), "21"),
        (.keyHasNoValue("key"), "21"), (.keyStateForbids("key", .suspended), "BE"), (.keyNotYetValid("key"), "AE"),
        (.keyExpired("key"), "AF"), (.storedKeyRefused("key", .keyIdentityMismatch), "BE"), (.module(.sealed), "13"),
        (.directoryStale, "41"), (.databaseUnavailable, "41"), (.auditUnavailable, "41"),
    ])
    func `Each refusal of key management has its code`(error: KMSError, code: String) {
        #expect(ErrorTable.code(error).rawValue == code)
    }
}
