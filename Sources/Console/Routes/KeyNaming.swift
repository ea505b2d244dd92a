import HSMBridge
import KMS

/// Names of keys as they come in paths and bodies, made into identities.
struct KeyNaming {
    let centre: KeyCentre

    static let path = "/keys/{issuer}/{product}/{label}"

    func name(_ context: ConsoleContext) throws -> KeyName {
        guard
            let name = KeyName(
                issuer: try context.part("issuer"), product: try context.part("product"),
                label: try context.part("label"))
        else { throw KMSError.invalidInput("key name (issuer/product/label)") }
        return name
    }

    /// The version in the path: two digits, or `newest`.
    func identity(_ context: ConsoleContext, _ actor: Actor) async throws -> KeyIdentity {
        let (name, version) = (try name(context), try context.part("version"))
        return try await version == "newest" ? newest(name, actor) : Self.identity("\(name)/\(version)")
    }

    /// `issuer/product/label/NN`, or the newest version of `issuer/product/label`.
    func identity(_ text: String, _ actor: Actor) async throws -> KeyIdentity {
        if let name = KeyName(text) { return try await newest(name, actor) }
        return try Self.identity(text)
    }

    func version(_ id: KeyIdentity, _ actor: Actor) async throws -> KeyVersion {
        guard let version = try await centre.versions(by: actor).first(where: { $0.identity == id }) else {
            throw KMSError.notFound("key \(id)")
        }
        return version
    }

    private func newest(_ name: KeyName, _ actor: Actor) async throws -> KeyIdentity {
        let versions = try await centre.versions(by: actor).map(\.identity).filter { $0.name == name }
        guard let newest = versions.max(by: { $0.version < $1.version }) else { throw KMSError.notFound("key \(name)") }
        return newest
    }

    private static func identity(_ text: String) throws -> KeyIdentity {
        guard let id = KeyIdentity(text) else { throw KMSError.invalidInput("key name (issuer/product/label/NN)") }
        return id
    }
}
