import Console
import Foundation
import HSMBridge

// Chapter 3: administrators, issuer, key products, application keys; and what tampering meets.
extension Story {
    /// Every application key of the story: how it is made and how it gets its value.
    struct KeyPlan {
        let name: String
        let usage: String
        var algorithm = "3des2"
        let mode: String
        var levels = 1
        var value = Value.generated

        enum Value { case generated, components, importedBlock(String) }
    }

    static let products = [
        ("TRANSPORT", "Transport keys", "DKEY KEK"),
        ("VENDOR", "Keys that blank cards were delivered under", "DKEY VENDOR"),
        ("PURSE", "PBOC e-purse masters", "DKEY PURSE"), ("PSAM", "PSAM control and maintenance keys", "DKEY PSAM"),
        ("FLEET", "TAC master of a partner park", "DKEY PURSE"), ("POS", "Terminal MAC keys", "DKEY MAC"),
        ("AUDIT", "Signature keys of the audit trail", "RSA"),
    ]

    static let plans: [KeyPlan] = [
        KeyPlan(name: transportKey, usage: "keyEncryption", mode: "B", value: .components),
        KeyPlan(
            name: key("VENDOR", "PSAM-BLANK"), usage: "vendorTransport", mode: "N",
            value: .importedBlock("vendor key of the blank PSAM (virtual)")),
        KeyPlan(
            name: key("VENDOR", "FMCOS-BLANK"), usage: "vendorTransport", mode: "N",
            value: .importedBlock("transport key of the blank FMCOS card (virtual)")),
        KeyPlan(name: fleetKey, usage: "tac", mode: "X", value: .importedBlock("fleet TAC master (demonstration)")),
        KeyPlan(name: purchaseKey, usage: "purchase", mode: "X"),
        KeyPlan(name: loadKey, usage: "load", mode: "X"),
        KeyPlan(name: tacKey, usage: "tac", mode: "X"),
        // For cards that are diversified by region and number; the outsider's check recomputes some.
        KeyPlan(name: key("PURSE", "REGIONS"), usage: "tac", mode: "X", levels: 3),
        KeyPlan(name: key("PURSE", "UNLOAD"), usage: "unload", mode: "X"),
        KeyPlan(name: key("PURSE", "MAINTENANCE"), usage: "applicationMaintenance", mode: "X"),
        KeyPlan(name: key("PURSE", "PIN-UNBLOCK"), usage: "pinUnblock", mode: "X"),
        KeyPlan(name: key("PURSE", "PIN-RELOAD"), usage: "pinReload", mode: "X"),
        KeyPlan(name: key("PURSE", "MF-CONTROL"), usage: "cardControl", mode: "X"),
        KeyPlan(name: key("PURSE", "CONTROL"), usage: "cardControl", mode: "X"),
        KeyPlan(name: key("PSAM", "CARD-CONTROL"), usage: "cardControl", mode: "X"),
        KeyPlan(name: key("PSAM", "CARD-MAINTENANCE"), usage: "cardMaintenance", mode: "X"),
        KeyPlan(name: key("PSAM", "APP-CONTROL"), usage: "cardControl", mode: "X"),
        KeyPlan(name: key("PSAM", "APP-MAINTENANCE"), usage: "cardMaintenance", mode: "X"),
        KeyPlan(name: posKey, usage: "mac3", mode: "C"),
        KeyPlan(name: checkpointKey, usage: "signature", algorithm: "rsa2048", mode: "S"),
    ]

    func keys(_ notes: inout StoryNotes) async throws {
        try await administrators(&notes)
        try await doors.kmsd(["issuer", "create", Self.issuer, "--name", "Park one-card centre"], as: "carl")
        for (code, name, kind) in Self.products {
            try await doors.kmsd(
                ["product", "create", "\(Self.issuer)/\(code)", "--name", name, "--kind", kind], as: "carl")
        }
        notes.tell("issuer \(Self.issuer) with \(Self.products.count) key products")
        for plan in Self.plans {
            try await doors.kmsd(
                [
                    "key", "create", plan.name, "--usage", plan.usage, "--algorithm", plan.algorithm, "--mode",
                    plan.mode, "--export", "N",
                ] + (plan.levels > 1 ? ["--levels", String(plan.levels)] : []),
                as: "carl")
        }
        for plan in Self.plans {
            let checkValue: String
            switch plan.value {
            case .generated:
                checkValue = try await doors.kmsd(["key", "generate", plan.name], as: "kate").text("checkValue")
            case .components: checkValue = try await typeTransportKey(plan.name, &notes)
            case .importedBlock(let id): checkValue = try await importBlock(id, into: plan.name)
            }
            notes.tell(
                "\(plan.name.padding(toLength: 30, withPad: " ", startingAt: 0)) KCV \(checkValue)  \(Self.origin(plan.value))"
            )
            notes.publish("kcv \(plan.name)", checkValue)
        }
        try await clients(&notes)
    }

    private static func origin(_ value: KeyPlan.Value) -> String {
        switch value {
        case .generated: "generated in the module"
        case .components: "three typed components"
        case .importedBlock: "imported: X9.143 block of other software, under the KEK"
        }
    }

    private func administrators(_ notes: inout StoryNotes) async throws {
        var words = ["admin", "bootstrap", "--token-file", settings.state + "/bootstrap-token"]
        var passwords: [String] = []
        for person in StoryPeople.roles {
            words += ["--person", "\(person.name)=\(person.roles)"]
            passwords.append(people.password(person.name))
        }
        try await doors.kmsd(words, typing: passwords)
        for person in StoryPeople.roles {
            try await doors.kmsd(["login", person.name], typing: [people.password(person.name)])
        }
        notes.tell(
            "administrators, each with a role and a password of their own: "
                + StoryPeople.roles.map { "\($0.name) (\($0.roles))" }.joined(separator: ", "))
        let denied = try await doors.refusal(["issuer", "create", "OTHER", "--name", "x"], as: "kate")
        notes.tell("the key administrator may not create issuers: \(denied)")
        notes.publish("roleDenied", denied)
    }

    /// The published example: three full-length components, each typed by another person straight to the module.
    private func typeTransportKey(_ name: String, _ notes: inout StoryNotes) async throws -> String {
        let components = [
            "E0C25DDAD6FEBC325D02F2F8EAE9266B", "570E3115102C9D6B70EA920B134AE594", "F494C4E5CB1F02F143209B2364E0B66D",
        ]
        let begun = try await doors.kmsd(["key", "components", "begin", name, "--count", "3"], as: "kate").object()
        let session = "\(begun["session"] ?? "")"
        for (index, component) in components.enumerated() {
            try await doors.kmsd(
                ["key", "components", "enter", "--session", session, "--number", String(index + 1)], typing: [component]
            )
        }
        let checkValue = try await doors.kmsd(
            ["key", "components", "finish", name, "--session", session], as: "kate"
        ).text("checkValue")
        try expect(checkValue == "8CE396", "the published components must give KCV 8CE396, not \(checkValue)")
        return checkValue
    }

    private func importBlock(_ id: String, into name: String) async throws -> String {
        let text = try String(contentsOfFile: demo + "/keys-under-kek.json", encoding: .utf8)
        for line in text.split(separator: "\n") {
            guard let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                entry["id"] as? String == id, let block = entry["block"] as? String
            else { continue }
            let file = desk + "/import.block"
            try Data(block.utf8).write(to: URL(filePath: file))
            let checkValue = try await doors.kmsd(
                ["key", "import", name, "--under", Self.transportKey, "--block-file", file], as: "kate"
            ).text("checkValue")
            try expect(
                checkValue == entry["kcv"] as? String,
                "\(name): imported with KCV \(checkValue), expected \(entry["kcv"] ?? "?")")
            return checkValue
        }
        throw StoryMismatch("\(demo)/keys-under-kek.json has no block “\(id)”")
    }

    /// A grant too many is taken away again; the list says what is left.
    private func takeBack(from client: String) async throws {
        for verb in ["grant", "revoke"] {
            try await doors.kmsd(
                ["client", verb, client, "--product", "\(Self.issuer)/FLEET", "--operations", "diversify"], as: "carl")
            let list = try JSONDecoder().decode(
                [ServiceClientMessage].self, from: try await doors.kmsd(["client", "list"], as: "carl").output)
            let grants = list.first { $0.id == client }?.grants ?? []
            try expect(
                grants.contains { $0.operations.contains("diversify") } == (verb == "grant"),
                "after client \(verb), client list says \(grants)")
        }
    }

    /// Who may ask the crypto service for what.
    private func clients(_ notes: inout StoryNotes) async throws {
        let grants: [(String, String)] = [
            ("PURSE", "purseLoad,pursePurchase,purseVerify,verifyTAC,checkValue"), ("FLEET", "verifyTAC"),
            ("POS", "generateMAC,verifyMAC,checkValue"),
        ]
        for client in [settings.crypto.plainClient, "auditor-http"] {
            let token = try await doors.kmsd(
                ["client", "add", client, "--description", "story"], as: "carl"
            ).text("token")
            for (product, operations) in grants {
                try await doors.kmsd(
                    ["client", "grant", client, "--product", "\(Self.issuer)/\(product)", "--operations", operations],
                    as: "carl")
            }
            // What monitoring programs ask, and the commands that name no key of ours.
            try await doors.kmsd(
                ["client", "grant", client, "--blocks", "--operations", "monitor,random,hash,generateKeyPair,sign"],
                as: "carl")
            let path = "\(desk)/token-\(client)"
            let isWritten = FileManager.default.createFile(
                atPath: path, contents: Data(token.utf8), attributes: [.posixPermissions: 0o600])
            try expect(isWritten, "\(path) cannot be written")
        }
        // The outsider's check opens the blocks of diversified keys.
        try await doors.kmsd(
            [
                "client", "grant", settings.crypto.plainClient, "--product", "\(Self.issuer)/PURSE", "--operations",
                "diversify",
            ], as: "carl")
        try await takeBack(from: "auditor-http")
        notes.tell(
            "crypto service clients \(settings.crypto.plainClient) and auditor-http with grants; everything else is denied"
        )
    }
}
