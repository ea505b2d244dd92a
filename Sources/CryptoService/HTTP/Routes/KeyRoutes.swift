import CryptoClient
import KMS
import NIOCore

extension ServiceRoute {
    static let made = (
        #"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C","exportability":"E"}}"#,
        #"{"block":"D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C","check_value":"8E6716"}"#
    )

    static let keys = [
        ServiceRoute(
            "/v1/keys/generate", "generateKey", .keys,
            "Make a random key; it is given back under the LMK, and with transport_key under that too, and kept nowhere.",
            command: "A0", grant: .generateKey, request: [.attributes, .component, .transportKey.optional],
            answer: [.block, .transportBlock.optional, .checkValue], example: made, isCreating: true
        ) { body throws(Refusal) in
            let transport = try body.optionalReference(.transportKey).map {
                GenerateKeyRequest.Transport(key: $0, scheme: .transportBlock)
            }
            var attributes = try body.keyAttributes()
            if body.has(.component) {
                // In a host command the key version number is that of the component.
                guard attributes?.version == "00" else { throw .host(.keyVersion) }
                attributes?.version = "c\(body.integer(.component))"
            }
            return .one(.generateKey(GenerateKeyRequest(transport: transport, attributes: attributes)))
        } reply: { _, answers, writer throws(Refusal) in
            try writeKey(first(answers), &writer)
        },
        ServiceRoute(
            "/v1/keys/import", "importKeyBlock", .keys,
            "Take a key that comes as a key block under a transport key; it is given back under the LMK.",
            command: "A6", grant: .importKey,
            request: [
                .transportKey, .block.about("X9.143 key block under the transport key"),
                .attributes.about("what the key shall be; without them what its block says").optional,
            ],
            answer: [.block, .checkValue],
            example: (
                #"{"transport_key":"canteen/kek/bank","block":"D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34"}"#,
                #"{"block":"D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C","check_value":"8E6716"}"#
            ), isCreating: true
        ) { body throws(Refusal) in
            let key: HostKeyReference
            do throws(FieldError) { key = try .transportBlock(String(buffer: body.text(.block))) } catch {
                throw .host(error.code)
            }
            return .one(
                .importKey(
                    ImportKeyRequest(
                        transportKey: try body.reference(.transportKey), key: key, attributes: try body.keyAttributes())
                ))
        } reply: { _, answers, writer throws(Refusal) in
            try writeKey(first(answers), &writer)
        },
        ServiceRoute(
            "/v1/keys/import-cryptogram", "importCryptogram", .keys,
            "Take a MAC or card code key that comes as a bare cryptogram with its check value.", command: "A6",
            grant: .importKey, request: [.transportKey, .cryptogram, .checkValue, .attributes],
            answer: [.block, .checkValue],
            example: (
                #"{"transport_key":"canteen/kek/bank","cryptogram":"A92115D84B2527192EA0BB77603F7005","check_value":"8CE396","attributes":{"usage":"M3","algorithm":"3des2","mode":"C"}}"#,
                #"{"block":"D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C","check_value":"8CE396"}"#
            ), isCreating: true
        ) { body throws(Refusal) in
            let digits = String(buffer: body.text(.cryptogram)).uppercased()
            let key: HostKeyReference
            do throws(FieldError) {
                key = try HostKeyReference(parsing: (digits.utf8.count == 32 ? "X" : "Y") + digits)
            } catch { throw .host(error.code) }
            return .one(
                .importKey(
                    ImportKeyRequest(
                        transportKey: try body.reference(.transportKey), key: key, attributes: try body.keyAttributes(),
                        checkValue: String(buffer: body.text(.checkValue)).uppercased())))
        } reply: { _, answers, writer throws(Refusal) in
            try writeKey(first(answers), &writer)
        },
        ServiceRoute(
            "/v1/keys/export", "exportKey", .keys, "Give an exportable key under a transport key, as a key block.",
            command: "A8", grant: .exportKey, request: [.transportKey, .key, .exportability],
            answer: [.block, .checkValue],
            example: (
                #"{"transport_key":"canteen/kek/bank","key":"canteen/pos/mac"}"#,
                #"{"block":"D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34","check_value":"08D7B4"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .exportKey(
                    ExportKeyRequest(
                        transportKey: try body.reference(.transportKey), key: try body.reference(),
                        exportability: body.word(of: .exportability))))
        } reply: { _, answers, writer throws(Refusal) in
            try writeKey(first(answers), &writer)
        },
        ServiceRoute(
            "/v1/keys/check-value", "keyCheckValue", .keys, "The check value of a key, three bytes.", command: "BU",
            grant: .checkValue, request: [.key], answer: [.checkValue],
            example: (#"{"key":"canteen/pos/mac"}"#, #"{"check_value":"08D7B4"}"#)
        ) { body throws(Refusal) in
            .one(.checkValue(CheckValueRequest(key: try body.reference())))
        } reply: {
            _, answers, writer throws(Refusal) in
            switch try first(answers) {
            case .checkValue(let value):
                var bytes = ByteBuffer(integer: value)
                bytes.moveReaderIndex(forwardBy: 1)
                writer.field(.checkValue, hexadecimal: bytes)
            case .refused(let code): throw .host(code)
            default: throw .host(.internalError)
            }
        },
        ServiceRoute(
            "/v1/keys/diversify", "diversifyKey", .keys,
            "Diversify a master key (密钥分散); the card's key comes wrapped, never in clear.", command: "YD",
            grant: .diversify, request: [.key, .factors, .transportKey.optional], answer: [.block, .checkValue],
            example: (
                #"{"key":"canteen/purse/tac","factors":["1122334455667788"],"transport_key":"canteen/kek/bank"}"#,
                #"{"block":"D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34","check_value":"913D30"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .diversifyKey(
                    DiversifyKeyRequest(
                        key: try body.cardKey(), transportKey: try body.optionalReference(.transportKey))))
        } reply: { _, answers, writer throws(Refusal) in
            try writeKey(first(answers), &writer)
        },
        ServiceRoute(
            "/v1/keys/diversify-batch", "diversifyKeys", .keys, "Diversify a master key for up to 1,000 cards.",
            command: "YD", grant: .diversify, request: [.key, .cards, .transportKey.optional], answer: [.keyList],
            example: (
                #"{"key":"canteen/purse/tac","cards":[["1122334455667788"],["1122334455667789"]]}"#,
                #"{"keys":[{"block":"D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C","check_value":"913D30"},{"block":"D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C","check_value":"0A1B2C"}]}"#
            )
        ) { body throws(Refusal) in
            let master = try body.reference()
            let transport = try body.optionalReference(.transportKey)
            var paths: [DiversificationPath] = []
            for card in body.list(.cards) {
                guard case .list(let factors) = card else { throw .host(.inputData) }
                paths.append(try JSONBody.path(factors))
            }
            return .diversify(DiversificationBatch(master: master, paths: paths, transportKey: transport))
        } reply: { _, answers, writer throws(Refusal) in
            writer.name(JSONField.keyList.name)
            writer.beginList()
            for answer in answers {
                writer.beginObject()
                try writeKey(answer, &writer)
                writer.endObject()
            }
            writer.endList()
        },
    ]

    static let service = [
        ServiceRoute(
            "/v1/random", "randomBytes", .service, "Random bytes of the module.", command: "N0", grant: .random,
            request: [.count], answer: [.randomData],
            example: (#"{"count":8}"#, #"{"data":"7B0C51E29A33D4F6"}"#)
        ) { body throws(Refusal) in
            do throws(FieldError) {
                return .one(.randomValue(try RandomValueRequest(count: body.integer(.count))))
            } catch { throw .host(error.code) }
        } reply: { _, answers, writer throws(Refusal) in
            try writeBytes(.randomData, answers, &writer)
        },
        ServiceRoute(
            "/v1/echo", "echo", .service, "The same bytes again: a way to try connection and token.", command: "B2",
            grant: nil, request: [.echoData], answer: [.echoData],
            example: (#"{"data":"50494E47"}"#, #"{"data":"50494E47"}"#)
        ) { body throws(Refusal) in
            .one(.echo(EchoRequest(data: body.bytes(.echoData))))
        } reply: {
            _, answers, writer throws(Refusal) in
            try writeBytes(.echoData, answers, &writer)
        },
    ]
}
