import HSMBridge
import Hummingbird
import KMS

/// How a version gets its value: generated, typed in components, imported.
struct KeyValueRoutes {
    let centre: KeyCentre
    private var naming: KeyNaming { KeyNaming(centre: centre) }

    var routes: [Route] { [generation] + components + [importing] }

    private var generation: Route {
        let (centre, naming) = (centre, naming)
        // RSA keys take seconds.
        return .session(.post, KeyNaming.path + "/{version}/value", isSlow: true) { _, context, actor in
            let id = try await naming.identity(context, actor)
            return JSONAnswer.response(
                KeyVersionMessage(try await centre.generateValue(id, by: actor)), status: .created)
        }
    }

    /// The components themselves never come here: custodians type them straight to the module.
    private var components: [Route] {
        let (centre, naming) = (centre, naming)
        return [
            .session(.post, KeyNaming.path + "/{version}/components") { request, context, actor in
                let count = try await request.json(ComponentCountMessage.self).count
                let id = try await naming.identity(context, actor)
                let entry = try await centre.beginComponents(id, count: count, by: actor)
                return JSONAnswer.response(
                    ComponentEntryMessage(identity: id.description, session: String(entry.session), count: count),
                    status: .created)
            },
            .session(.post, KeyNaming.path + "/{version}/components/{session}") { _, context, actor in
                let session: UInt64 = try context.number("session")
                let id = try await naming.identity(context, actor)
                let version = try await centre.finishComponents(id, session: session, by: actor)
                return JSONAnswer.response(KeyVersionMessage(version), status: .created)
            },
            .session(.delete, KeyNaming.path + "/{version}/components/{session}") { _, context, actor in
                let session: UInt64 = try context.number("session")
                try await centre.abortComponents(try await naming.identity(context, actor), session: session, by: actor)
                return JSONAnswer.nothing
            },
        ]
    }

    private var importing: Route {
        let (centre, naming) = (centre, naming)
        return .session(.post, KeyNaming.path + "/{version}/import") { request, context, actor in
            let asked = try await request.json(ImportMessage.self)
            let id = try await naming.identity(context, actor)
            let under = try await naming.identity(asked.under, actor)
            let version: KeyVersion
            switch (asked.block, asked.cryptogram, asked.checkValue) {
            case (let block?, nil, nil):
                version = try await centre.importValue(id, block: block, under: under, by: actor)
            case (nil, let cryptogram?, let checkValue?):
                guard let bytes = Hex.decode(cryptogram) else {
                    throw KMSError.invalidInput("cryptogram (hexadecimal)")
                }
                guard let expected = KeyCheckValue(checkValue) else {
                    throw KMSError.invalidInput("check value (six hexadecimal digits)")
                }
                version = try await centre.importValue(
                    id, cryptogram: bytes, checkValue: expected, under: under, by: actor)
            default: throw KMSError.invalidInput("import (a block, or a cryptogram with its check value)")
            }
            return JSONAnswer.response(KeyVersionMessage(version), status: .created)
        }
    }
}
