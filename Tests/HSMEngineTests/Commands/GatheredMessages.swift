import HSMBridge
import Testing

@testable import HSMEngine

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
