import Foundation
import HSMBridge
import KMS
import Testing

/// The application keys of the story: a transport key that is typed in, masters that are generated, and the blanks' keys, which
/// come under the transport key.
struct BureauKeys {
    let centre: KeyCentre
    let module: any SecurityModule
    let people: Bureau.People

    /// The published components of Tests/Vectors/components.json, and the check value of their XOR.
    static let components = [
        "E0C25DDAD6FEBC325D02F2F8EAE9266B", "570E3115102C9D6B70EA920B134AE594", "F494C4E5CB1F02F143209B2364E0B66D",
    ]
    static let transportCheckValue = "8CE396"

    private static let masters: [(String, KeyUsage)] = [
        ("PURSE/PURCHASE", .purchase), ("PURSE/LOAD", .load), ("PURSE/TAC", .tac), ("PURSE/UNLOAD", .unload),
        ("PURSE/MAINTENANCE", .applicationMaintenance), ("PURSE/PIN-UNBLOCK", .pinUnblock),
        ("PURSE/PIN-RELOAD", .pinReload), ("PURSE/MF-CONTROL", .cardControl), ("PURSE/CONTROL", .cardControl),
        ("PSAM/CARD-CONTROL", .cardControl),
        ("PSAM/CARD-MAINTENANCE", .cardMaintenance), ("PSAM/APP-CONTROL", .cardControl),
        ("PSAM/APP-MAINTENANCE", .cardMaintenance),
    ]

    func make() async throws {
        try await centre.createIssuer(Bureau.issuer, name: "Park", description: "", by: people.carl)
        for product in ["TRANSPORT", "VENDOR", "PURSE", "PSAM"] {
            try await centre.createProduct(
                product, issuer: Bureau.issuer, name: product, kind: "DKEY", description: "", by: people.carl)
        }
        for (label, usage) in Self.masters {
            _ = try await centre.generateValue(create(label, usage, .derive), by: people.kate)
        }
        let transport = try await type("TRANSPORT/KEK", Self.components)
        for (label, id) in [
            ("VENDOR/PSAM-BLANK", "vendor key of the blank PSAM (virtual)"),
            ("VENDOR/FMCOS-BLANK", "transport key of the blank FMCOS card (virtual)"),
        ] {
            let key = try await create(label, .vendorTransport, .unrestricted)
            _ = try await centre.importValue(key, block: Self.block(id), under: transport, by: people.kate)
        }
        try await centre.directory.refreshNow()
    }

    /// A transport key of three typed components; hexadecimal.
    @discardableResult
    func type(_ label: String, _ components: [String]) async throws -> KeyIdentity {
        let transport = try await create(label, .keyEncryption, .both)
        let entry = try await centre.beginComponents(transport, count: components.count, by: people.kate)
        for (index, text) in components.enumerated() {
            let component = try SecretInput.typed(text, hexadecimal: true)
            _ = try await module.execute(
                EnterComponent(session: entry.session, number: UInt8(index + 1), component: component))
        }
        let made = try await centre.finishComponents(transport, session: entry.session, by: people.kate)
        if components == Self.components { #expect(made.checkValue?.description == Self.transportCheckValue) }
        return transport
    }

    private func create(_ label: String, _ usage: KeyUsage, _ mode: ModeOfUse) async throws -> KeyIdentity {
        try await centre.createKey(
            try #require(KeyName("\(Bureau.issuer)/\(label)")),
            attributes: KeyAttributes(
                usage: usage, algorithm: .tripleDES2, mode: mode, exportability: .nonExportable),
            validity: .unlimited, description: "", by: people.carl)
    }

    private static func block(_ id: String) throws -> String {
        let text = try String(contentsOfFile: "\(Rack.checkout)/conf/demo/keys-under-kek.json", encoding: .utf8)
        for line in text.split(separator: "\n") {
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            if entry?["id"] as? String == id, let block = entry?["block"] as? String { return block }
        }
        throw CocoaError(.fileReadCorruptFile)
    }
}
