import Foundation
import HSMBridge
import Testing

@testable import HSMEngine

/// Keys and identities that tests of commands need.
enum TestKeys {
    static func identity(_ label: String, version: Int = 1) throws -> KeyIdentity {
        try #require(KeyIdentity(issuer: "CANTEEN", product: "EPURSE", label: label, version: version))
    }

    static func attributes(
        _ usage: KeyUsage, _ mode: ModeOfUse = .derive, _ algorithm: KeyAlgorithm = .tripleDES2,
        _ exportability: Exportability = .nonExportable, levels: Int? = nil
    ) -> KeyAttributes {
        KeyAttributes(usage: usage, algorithm: algorithm, mode: mode, exportability: exportability, levels: levels)
    }
}

extension SoftwareModule {
    /// A new key of the given kind, as a reference by block.
    func newKey(
        _ usage: KeyUsage, _ mode: ModeOfUse = .derive, _ algorithm: KeyAlgorithm = .tripleDES2,
        _ exportability: Exportability = .nonExportable, levels: Int? = nil, label: String = "KEY"
    ) async throws -> KeyReference {
        let attributes = TestKeys.attributes(usage, mode, algorithm, exportability, levels: levels)
        let identity = try TestKeys.identity(label)
        let wrapped = try await execute(GenerateKey(attributes: attributes, identity: identity))
        return .block(wrapped.block, expected: identity)
    }

    /// A key of a given value, typed in two components.
    func typedKey(_ value: [UInt8], _ attributes: KeyAttributes) async throws -> KeyReference {
        let identity = try TestKeys.identity("TYPED")
        let mask = value.map { _ in UInt8.random(in: 0...255) }
        let entry = try await execute(BeginComponentEntry(attributes: attributes, identity: identity, components: 2))
        for (number, part) in [mask, zip(value, mask).map { $0 ^ $1 }].enumerated() {
            _ = try await execute(
                EnterComponent(
                    session: entry.session, number: UInt8(number + 1),
                    component: try .typed(Hex.encode(part), hexadecimal: true)))
        }
        let key = try await execute(FinishComponentEntry(session: entry.session))
        return .block(key.block, expected: identity)
    }

    /// The refusal that a command meets; fails the test where it is carried out.
    func refusal<Command: ModuleCommand & ~Copyable>(
        of command: borrowing Command, sourceLocation: SourceLocation = #_sourceLocation
    ) async -> ModuleError? {
        do throws(ModuleRefusal) {
            _ = try await execute(command)
            Issue.record("the command was carried out", sourceLocation: sourceLocation)
            return nil
        } catch {
            return error.error
        }
    }
}

extension SecretInput {
    /// As it comes from a keyboard: a line on a file descriptor.
    static func typed(_ text: String, hexadecimal: Bool = false) throws -> SecretInput {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data((text + "\n").utf8))
        return try SecretInput(lineFrom: pipe.fileHandleForReading.fileDescriptor, hexadecimal: hexadecimal)
    }
}
