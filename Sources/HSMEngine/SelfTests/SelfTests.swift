struct SelfTest: Sendable {
    let name: String
    func passes(broken: Bool = false) -> Bool { false }
}
enum SelfTests {
    static let all: [SelfTest] = []
    static func firstFailure(breaking: String? = nil) -> String? { nil }
}
