/// SplitMix64: small, seedable, good enough for challenges of a test card and for the fleet; never for real keys.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Where a card takes its random numbers from.
public enum CardRandom: Sendable {
    /// The operating system's generator.
    case system
    /// A repeatable sequence.
    case seeded(SplitMix64)
    /// Given bytes, so that a published transcript can be replayed; zeros when they are used up.
    case scripted([UInt8])

    mutating func bytes(_ count: Int) -> [UInt8] {
        switch self {
        case .system:
            return (0..<count).map { _ in UInt8.random(in: 0...255) }
        case .seeded(var generator):
            let result = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            self = .seeded(generator)
            return result
        case .scripted(let script):
            self = .scripted(Array(script.dropFirst(count)))
            return Array(script.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - script.count))
        }
    }
}
