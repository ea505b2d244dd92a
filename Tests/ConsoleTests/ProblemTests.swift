import HSMBridge
import HTTPTypes
import Hummingbird
import KMS
import Testing

@testable import Console

/// What refusals look like from outside.
struct ProblemTests {
    @Test(arguments: [
        (KMSError.notSignedIn, 401), (.sessionEnded, 401), (.signInRefused, 401), (.accountLocked(seconds: 60), 429),
        (.passwordTooShort, 422), (.passwordUnacceptable, 422), (.busy, 503), (.bootstrapClosed, 409),
        (.bootstrapTokenWrong, 403), (.roleMissing(.createKey), 403), (.approvalNeeded(.exportKey), 403),
        (.approvalNotFound, 404), (.approvalNotForThis, 403), (.approvalExpired, 409), (.approvalUsed, 409),
        (.approvalBySamePerson, 403), (.clientUnknown, 404), (.grantMissing, 403), (.invalidInput("x"), 422),
        (.notFound("x"), 404), (.exists("x"), 409), (.inUse("x"), 409), (.keyHasNoValue("x"), 409),
        (.keyHasValue("x"), 409), (.keyStateForbids("x", .retired), 409), (.keyNotYetValid("x"), 409),
        (.keyExpired("x"), 409), (.moveNotAllowed(from: .active, to: .created), 409),
        (.storedKeyRefused("x", .keyBlockAuthentication), 409), (.module(.weakKey), 422), (.module(.sealed), 503),
        (.directoryStale, 503), (.auditUnavailable, 503), (.outcomeNotRecorded, 500), (.databaseUnavailable, 503),
        (.databaseOutcomeUnknown, 500), (.internalFault("x"), 500),
    ])
    func `every refusal has its status, its code and both texts`(error: KMSError, status: Int) {
        let problem = Problem(error)
        #expect(problem.status.code == status)
        #expect(problem.code == error.code)
        #expect(problem.english == error.message)
        #expect(problem.chinese == error.chinese)
    }

    @Test func `who has to wait is told how long`() {
        let locked = Problem(KMSError.accountLocked(seconds: 60)).response(in: .english)
        #expect(locked.headers[.retryAfter] == "60")
        #expect(Problem(KMSError.notSignedIn).response(in: .english).headers[.wwwAuthenticate] == "Bearer")
    }

    @Test func `an error that nobody foresaw tells nothing`() {
        struct Secret: Error { let text = "inner detail" }
        let problem = Problem(Secret())
        #expect(problem.status == .internalServerError)
        #expect(!problem.english.contains("inner"))
    }

    @Test func `a body that is not the expected JSON says which member, and not what was in it`() async throws {
        let rig = try await Rig.shared.value
        let path = "/admin/v1/issuers"
        let noJSON = try await rig.ask(.post, path, as: "carl", text: "{ hunter2")
        #expect(noJSON.status == .badRequest && noJSON.code == "C-400" && !noJSON.text.contains("hunter2"))
        let missing = try await rig.ask(.post, path, as: "carl", json: ["code": "X"])
        #expect(missing.status == .badRequest && missing.text.contains("name"))
        let wrong = try await rig.ask(.post, path, as: "carl", json: ["code": "X", "name": 17])
        #expect(wrong.status == .badRequest && wrong.text.contains("name"))
        let large = try await rig.ask(.post, path, as: "carl", text: String(repeating: " ", count: 70_000))
        #expect(large.status == .contentTooLarge && large.code == "C-413")
    }

    @Test func `slow work beyond the limit is told to come back`() async throws {
        let work = SlowWork(limit: 1)
        try await work.whileHolding {
            await #expect(throws: KMSError.busy) { try await work.whileHolding {} }
        }
        try await work.whileHolding {}
        await #expect(throws: KMSError.notSignedIn) { () async throws in
            _ = try await work.whileHolding { () async throws -> Int in throw KMSError.notSignedIn }
        }
        try await work.whileHolding {}
    }

    @Test(arguments: [
        (nil, false), ("en", false), ("zh", true), ("zh-CN,zh;q=0.9,en;q=0.8", true), ("en-US, zh", false),
        ("fr, zh", true),
    ])
    func `the language is the first of ours that is named`(header: String?, isChinese: Bool) {
        #expect((ConsoleContext.Language(accepting: header) == .chinese) == isChinese)
    }
}
