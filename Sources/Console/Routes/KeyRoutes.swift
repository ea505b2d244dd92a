import HSMBridge
import Hummingbird
import KMS

/// Application keys, their versions and their life.
struct KeyRoutes {
    let centre: KeyCentre
    private var naming: KeyNaming { KeyNaming(centre: centre) }

    var routes: [Route] { keys + life }

    private var keys: [Route] {
        let (centre, naming) = (centre, naming)
        return [
            .session(.get, "/keys") { _, _, actor in
                JSONAnswer.response(try await centre.versions(by: actor).map { KeyVersionMessage($0) })
            },
            .session(.post, "/keys") { request, _, actor in
                let new = try await request.json(NewKeyMessage.self)
                guard let name = KeyName(new.name) else {
                    throw KMSError.invalidInput("key name (issuer/product/label)")
                }
                let id = try await centre.createKey(
                    name, attributes: try Self.attributes(new),
                    validity: try Self.validity(new.validFrom, new.validUntil),
                    description: new.description ?? "", by: actor)
                return try await shown(id, actor, .created)
            },
            .session(.delete, KeyNaming.path) { _, context, actor in
                try await centre.deleteKey(try naming.name(context), by: actor)
                return JSONAnswer.nothing
            },
            .session(.post, KeyNaming.path + "/versions") { request, context, actor in
                let dates = try await request.json(ValidityMessage.self)
                let isGiven = dates.validFrom != nil || dates.validUntil != nil
                let validity = try Self.validity(dates.validFrom, dates.validUntil)
                let id = try await centre.createVersion(
                    of: try naming.name(context), validity: isGiven ? validity : nil, by: actor)
                return try await shown(id, actor, .created)
            },
            .session(.get, KeyNaming.path + "/{version}") { _, context, actor in
                try await shown(try await naming.identity(context, actor), actor)
            },
            .session(.post, "/key-verification", isSlow: true) { _, _, actor in
                JSONAnswer.response(KeyVerificationMessage(try await centre.verifyAllKeys(by: actor)))
            },
        ]
    }

    private var life: [Route] {
        let (centre, naming) = (centre, naming)
        return [
            .session(.post, KeyNaming.path + "/{version}/state") { request, context, actor in
                let id = try await naming.identity(context, actor)
                switch try await request.json(MoveMessage.self).move {
                case "suspend": try await centre.suspend(id, by: actor)
                case "resume": try await centre.resume(id, by: actor)
                case "retire": try await centre.retire(id, by: actor)
                default: throw KMSError.invalidInput("move (suspend, resume, retire)")
                }
                return try await shown(id, actor)
            },
            .session(.post, KeyNaming.path + "/{version}/export") { request, context, actor in
                let asked = try await request.json(ExportMessage.self)
                let id = try await naming.identity(context, actor)
                let under = try await naming.identity(asked.under, actor)
                let key = try await centre.exportKey(id, under: under, approval: asked.approval, by: actor)
                return JSONAnswer.response(
                    ExportedKeyMessage(
                        identity: id.description, under: under.description, block: key.block,
                        checkValue: key.checkValue.description))
            },
            .session(.post, KeyNaming.path + "/{version}/destroy") { request, context, actor in
                let approval = try await request.json(ApprovedMessage.self).approval
                let id = try await naming.identity(context, actor)
                try await centre.destroy(id, approval: approval, by: actor)
                return try await shown(id, actor)
            },
            .session(.post, KeyNaming.path + "/{version}/compromise") { request, context, actor in
                let approval = try await request.json(ApprovedMessage.self).approval
                let id = try await naming.identity(context, actor)
                let reached = try await centre.compromise(id, approval: approval, by: actor)
                return JSONAnswer.response(CompromisedMessage(identities: reached.map(\.description)))
            },
        ]
    }

    private func shown(_ id: KeyIdentity, _ actor: Actor, _ status: HTTPResponse.Status = .ok) async throws -> Response
    {
        JSONAnswer.response(KeyVersionMessage(try await naming.version(id, actor)), status: status)
    }

    private static func attributes(_ new: NewKeyMessage) throws -> KeyAttributes {
        guard let usage = KeyUsage(named: new.usage) else {
            throw KMSError.invalidInput("usage (\(KeyUsage.allCases.map(\.name).joined(separator: ", ")))")
        }
        guard let algorithm = KeyAlgorithm(name: new.algorithm) else {
            throw KMSError.invalidInput("algorithm (3des2, 3des3, aes128, aes256, sm4, rsa2048 …)")
        }
        guard let letter = new.mode.first, new.mode.count == 1, let mode = ModeOfUse(rawValue: letter) else {
            throw KMSError.invalidInput(
                "mode of use (\(ModeOfUse.allCases.map { String($0.rawValue) }.joined(separator: " ")))")
        }
        guard let letter = new.exportability.first, new.exportability.count == 1,
            let exportability = Exportability(rawValue: letter)
        else { throw KMSError.invalidInput("exportability (E, N, S)") }
        let isMaster = mode == .derive
        if let levels = new.levels, !(isMaster ? 1...DerivedKey.maximumLevels : 0...0).contains(levels) {
            throw KMSError.invalidInput(
                isMaster ? "levels (1 to \(DerivedKey.maximumLevels))" : "levels (only a master, mode X, has any)")
        }
        return KeyAttributes(
            usage: usage, algorithm: algorithm, mode: mode, exportability: exportability, levels: new.levels)
    }

    static func validity(_ from: String?, _ until: String?) throws -> Validity {
        Validity(from: try from.map { try time($0) }, until: try until.map { try time($0) })
    }

    /// A moment, or a day, which begins at midnight UTC.
    static func time(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(text) ?? Timestamp(text + "T00:00:00Z") else {
            throw KMSError.invalidInput("date (2026-11-23 or 2026-11-23T08:00:00Z)")
        }
        return time
    }
}
