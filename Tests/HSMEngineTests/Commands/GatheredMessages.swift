import HSMBridge
import Testing

@testable import HSMEngine

/// SplitMix64: one seed, one sequence.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

extension SoftwareModule {
    /// The answer to the part of a message behind its length field; with `inPlace` false by the generic path alone.
    func answer(_ message: [UInt8], inPlace: Bool, from caller: Caller = .thisProcess) -> [UInt8] {
        var writer = ModuleReplyWriter()
        _ = unsafe message.withUnsafeBytes { bytes in
            unsafe answer(bytes, from: caller, inPlace: inPlace, into: &writer)
        }
        return unsafe writer.withMessage { unsafe Array($0) }
    }

    /// The reference by handle to a key that was opened.
    func open(_ key: KeyReference) async throws -> KeyReference {
        .handle(try await execute(OpenKey(key: key)).handle)
    }

    /// The value behind a handle, for references of tests.
    func schedule(_ key: KeyReference) throws -> OpenKeySchedule {
        guard case .handle(let handle) = key else { throw PrimitiveError.parameterInvalid }
        let entry = try #require(current().keyring).cache.entry(handle)
        return try #require(entry.schedule)
    }
}
