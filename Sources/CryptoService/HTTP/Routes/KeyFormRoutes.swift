import CryptoClient
import KMS
import NIOCore

extension JSONField {
    static let component = JSONField(
        "component", .integer(1...9), "makes a component with this number, which serves /v1/keys/form alone"
    ).optional
    static let components = JSONField(
        "components", .list(2...9, .key), "key blocks under the LMK, made as components, no two alike")
}

extension ServiceRoute {
    static let exampleBlock =
        "D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C"

    static let keyForms = [
        ServiceRoute(
            "/v1/keys/form", "formKey", .keys, "Form a key from components; it is given back under the LMK.",
            command: "A4", grant: .formKey, request: [.components, .keyVersion], answer: [.block, .checkValue],
            example: (#"{"components":["\#(exampleBlock)","\#(exampleBlock)"]}"#, made.1), isCreating: true
        ) { body throws(Refusal) in
            let version = body.has(.keyVersion) ? body.versionText(.keyVersion) : nil
            var components: [HostKeyReference] = []
            for case .text(let text) in body.list(.components) { components.append(try KeyText.reference(text)) }
            let request = try host { () throws(FieldError) in
                try FormKeyRequest(components: components, version: version)
            }
            return .one(.formKey(request))
        } reply: { _, answers, writer throws(Refusal) in
            try writeKey(first(answers), &writer)
        },
        ServiceRoute(
            "/v1/keys/translate", "translateKey", .keys, "Give a key under the LMK in a fresh block.", command: "BW",
            grant: .translateKey, request: [.key], answer: [.block, .checkValue],
            example: (#"{"key":"canteen/pos/mac"}"#, made.1)
        ) { body throws(Refusal) in
            .one(.translateLMK(TranslateLMKRequest(key: try body.reference())))
        } reply: { _, answers, writer throws(Refusal) in
            let reply: SchemeReply = try reply(first(answers))
            writer.field(.block, String(buffer: reply.key.text))
            writer.field(.checkValue, reply.checkValue ?? "")
        },
    ]
}
