/// The states of the security module; each command names those in which it runs.
public enum ModuleState: UInt8, Sendable, Hashable, CaseIterable {
    /// No LMK was ever made: only the ceremony commands and the self-test run.
    case uninitialised = 0
    /// An LMK exists on the admin cards, none is in memory.
    case sealed = 1
    /// A ceremony (making or loading the LMK) is open.
    case ceremony = 2
    /// The LMK is loaded.
    case operational = 3
    /// A self-test failed or the state folder contradicts itself: everything but status and self-test is refused.
    case failed = 4

    public var name: String {
        switch self {
        case .uninitialised: "uninitialised"
        case .sealed: "sealed"
        case .ceremony: "ceremony"
        case .operational: "operational"
        case .failed: "failed"
        }
    }
}
