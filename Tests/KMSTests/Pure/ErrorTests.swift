import HSMBridge
import MariaDB
import Testing

@testable import KMS

@Suite struct ErrorTests {
    static let all: [KMSError] = [
        .notSignedIn, .sessionEnded, .signInRefused, .accountLocked(seconds: 5), .passwordTooShort,
        .passwordUnacceptable,
        .busy, .bootstrapClosed, .bootstrapTokenWrong, .roleMissing(.exportKey), .approvalNeeded(.exportKey),
        .approvalNotFound, .approvalNotForThis, .approvalExpired, .approvalUsed, .approvalBySamePerson, .clientUnknown,
        .grantMissing, .invalidInput("x"), .notFound("x"), .exists("x"), .inUse("x"), .keyHasNoValue("x"),
        .keyHasValue("x"), .keyStateForbids("x", .retired), .keyNotYetValid("x"), .keyExpired("x"),
        .moveNotAllowed(from: .active, to: .created), .storedKeyRefused("x", .keyIdentityMismatch), .module(.sealed),
        .directoryStale, .auditUnavailable, .outcomeNotRecorded, .databaseUnavailable, .databaseOutcomeUnknown,
        .databaseRefused(.accessDenied), .internalFault("x"),
    ]

    @Test func `each error has a code of its own and says what to do in both languages`() {
        #expect(Set(Self.all.map(\.code)).count == Self.all.count)
        #expect(Set(Self.all.map(\.code)) == Set(KMSError.codes))
        for error in Self.all {
            #expect(!error.message.hasPrefix("An error without a text"), "\(error.code)")
            #expect(error.message.hasSuffix("."), "\(error.code)")
            #expect(error.chinese != error.message, "\(error.code)")
        }
    }
}
