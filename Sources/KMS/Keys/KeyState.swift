/// Where a key version stands in its life (密钥状态); modelled on the states of NIST SP 800-57 part 1 clause 7.
public enum KeyState: String, Sendable, Hashable, CaseIterable {
    /// Decided upon, without a value.
    case created
    /// In use.
    case active
    /// Out of use for now.
    case suspended
    /// Verifies what it protected before, and protects nothing new.
    case retired
    /// The value is gone; the tombstone keeps its check value.
    case destroyed
    /// Known or feared to be known to others; kept only until it is destroyed.
    case compromised

    /// The one table of moves. `Tables/KeyStateMoveTable.swift` repeats it in the database from this source.
    public static let moves: [KeyState: Set<KeyState>] = [
        .created: [.active, .destroyed],
        .active: [.suspended, .retired, .compromised],
        .suspended: [.active, .retired, .compromised, .destroyed],
        .retired: [.compromised, .destroyed],
        .compromised: [.destroyed],
        .destroyed: [],
    ]

    public func mayBecome(_ next: KeyState) -> Bool { Self.moves[self]?.contains(next) ?? false }

    /// May make new MACs, diversify, wrap.
    public var mayProtect: Bool { self == .active }
    /// May check what exists.
    public var mayVerify: Bool { self == .active || self == .retired }
    /// Whether a version in this state has a stored value.
    public var hasValue: Bool { self != .created && self != .destroyed }
}

/// From when and until when a key may protect; nil = without limit on that side.
public struct Validity: Sendable, Hashable {
    public var from: Timestamp?
    /// Exclusive.
    public var until: Timestamp?

    public init(from: Timestamp? = nil, until: Timestamp? = nil) {
        self.from = from
        self.until = until
    }

    public static let unlimited = Validity()

    public var isOrdered: Bool {
        if let from, let until { from < until } else { true }
    }

    public func hasBegun(_ now: Timestamp) -> Bool { from.map { $0 <= now } ?? true }
    public func hasEnded(_ now: Timestamp) -> Bool { until.map { $0 <= now } ?? false }
    public func contains(_ now: Timestamp) -> Bool { hasBegun(now) && !hasEnded(now) }
}
