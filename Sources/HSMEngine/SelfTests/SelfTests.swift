/// One named test of one algorithm or mechanism, run before the module serves anybody and on demand.
struct SelfTest: Sendable {
    let name: String
    /// Throws or answers false on failure. The flag spoils what was computed, so that each test can be shown to fail.
    private let body: @Sendable (_ isBroken: Bool) throws -> Bool

    init(_ name: String, _ body: @escaping @Sendable (_ isBroken: Bool) throws -> Bool) {
        self.name = name
        self.body = body
    }

    func passes(broken: Bool = false) -> Bool { (try? body(broken)) ?? false }
}

/// The module's self-tests: a known answer for every algorithm in use, and the mechanisms under them.
///
/// Modelled on the pre-operational and conditional tests of ISO/IEC 19790; no conformity is claimed.
enum SelfTests {
    static let all: [SelfTest] =
        mechanisms + cipherAnswers + macAnswers + cardAnswers + laneAnswers + keyBlockTests + rsaTests

    /// The name of the first test that fails; nil when all pass. `breaking` names a test to spoil (test hook).
    static func firstFailure(breaking: String? = nil) -> String? {
        all.first { !$0.passes(broken: $0.name == breaking) }?.name
    }
}
