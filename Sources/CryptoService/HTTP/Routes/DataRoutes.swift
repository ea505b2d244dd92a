import CryptoClient
import KMS
import NIOCore

extension JSONField {
    static let cipherModes = ["ecb", "cbc"]
    static let cipherMode = JSONField("mode", .choice(cipherModes), "of operation; padding is the client's")
    static let initialVector = JSONField(
        "initial_vector", .hexadecimal(.init(8...8, 16...16)), "CBC: one block of the key's cipher; ECB: none"
    ).optional
    static let nextVector = JSONField(
        "next_vector", .hexadecimal(.init(8...8, 16...16)), "CBC: the vector with which the message goes on"
    ).optional
    static let plainText = JSONField("data", .hexadecimal(.init(0...longestMessage)), "whole blocks of plain text")
    static let cipherText = JSONField("data", .hexadecimal(.init(0...longestMessage)), "whole blocks of cipher text")
    static let sourceKey = JSONField("source_key", .key, "key that the data come under")
    static let sourceMode = JSONField("source_mode", .choice(cipherModes), "how the data come")
    static let sourceVector = JSONField("source_vector", initialVector.kind, "as initial_vector").optional
    static let destinationKey = JSONField("destination_key", .key, "key that the data go under")
    static let destinationMode = JSONField("destination_mode", .choice(cipherModes), "how the data go")
    static let destinationVector = JSONField("destination_vector", initialVector.kind, "as initial_vector").optional
}

extension ServiceRoute {
    static let data = [
        ServiceRoute(
            "/v1/data/encrypt", "encryptData", .data, "Encipher data.", command: "M0", grant: .encrypt,
            request: [.key, .cipherMode, .initialVector, .plainText], answer: [.cipherText, .nextVector],
            example: (
                #"{"key":"canteen/pos/dataaes","mode":"cbc","initial_vector":"00112233445566778899AABBCCDDEEFF","data":"0400980C0002AE900AF140D0C21230D70400980C0002AE900AF140D0C21230D70400980C0002AE900AF140D0C21230D7"}"#,
                #"{"data":"E1C37724C648F66CC8B791AF22158CDB3D950CFDE80139BFB723EE13B8DF8E8CB0EC7B3CA55E1286EF885EE13DD677EC","next_vector":"B0EC7B3CA55E1286EF885EE13DD677EC"}"#
            )
        ) { body throws(Refusal) in
            .one(.encryptData(EncryptDataRequest(try cipher(body))))
        } reply: { body, answers, writer throws(Refusal) in
            try writeData(body.bytes(.initialVector).readableBytes, answers, &writer)
        },
        ServiceRoute(
            "/v1/data/decrypt", "decryptData", .data, "Decipher data.", command: "M2", grant: .decrypt,
            request: [.key, .cipherMode, .initialVector, .cipherText], answer: [.plainText, .nextVector],
            example: (
                #"{"key":"canteen/pos/data","mode":"ecb","data":"ED162896412FF340A0807FC83182A880"}"#,
                #"{"data":"4E6F77206973207468652074696D6521"}"#
            )
        ) { body throws(Refusal) in
            .one(.decryptData(DecryptDataRequest(try cipher(body))))
        } reply: { body, answers, writer throws(Refusal) in
            try writeData(body.bytes(.initialVector).readableBytes, answers, &writer)
        },
        ServiceRoute(
            "/v1/data/translate", "translateData", .data,
            "Take data from one key to another; the plain text stays in the module. The destination key needs the grant encrypt.",
            command: "M4", grant: .decrypt,
            request: [
                .sourceKey, .sourceMode, .sourceVector, .destinationKey, .destinationMode, .destinationVector,
                .cipherText,
            ], answer: [.cipherText, .nextVector],
            example: (
                #"{"source_key":"canteen/pos/data","source_mode":"ecb","destination_key":"canteen/pos/dataaes","destination_mode":"cbc","destination_vector":"00112233445566778899AABBCCDDEEFF","data":"B46D49E3B2515BB784438EBFC02E1B79B46D49E3B2515BB784438EBFC02E1B79"}"#,
                #"{"data":"E1C37724C648F66CC8B791AF22158CDB3D950CFDE80139BFB723EE13B8DF8E8C","next_vector":"3D950CFDE80139BFB723EE13B8DF8E8C"}"#
            )
        ) { body throws(Refusal) in
            let source = TranslateDataRequest.Side(
                mode: try mode(body, .sourceMode, .sourceVector), key: try body.reference(.sourceKey),
                initialVector: Array(body.bytes(.sourceVector).readableBytesView))
            let destination = TranslateDataRequest.Side(
                mode: try mode(body, .destinationMode, .destinationVector), key: try body.reference(.destinationKey),
                initialVector: Array(body.bytes(.destinationVector).readableBytesView))
            return .one(
                .translateData(
                    TranslateDataRequest(
                        source: source, destination: destination, message: HostMessage(content: body.bytes(.cipherText))
                    )
                ))
        } reply: { body, answers, writer throws(Refusal) in
            try writeData(body.bytes(.destinationVector).readableBytes, answers, &writer)
        },
    ]

    private static func cipher(_ body: JSONBody) throws(Refusal) -> HostCipherFields {
        HostCipherFields(
            mode: try mode(body, .cipherMode, .initialVector), key: try body.reference(),
            initialVector: Array(body.bytes(.initialVector).readableBytesView),
            message: HostMessage(content: body.bytes(.data)))
    }

    /// The mode, with a vector where it has one and nowhere else: one that is left out without a word would be a mistake of the
    /// client's that nobody sees.
    private static func mode(
        _ body: JSONBody, _ mode: JSONField, _ vector: JSONField
    ) throws(Refusal) -> HostCipherMode {
        let mode: HostCipherMode = body.choice(mode) == 1 ? .cbc : .ecb
        guard (mode == .cbc) == body.has(vector) else { throw .host(.inputData) }
        return mode
    }

    /// `data`, and `next_vector` where the request had a vector.
    private static func writeData(
        _ vectorLength: Int, _ answers: [HostAnswer], _ writer: inout JSONWriter
    ) throws(Refusal) {
        let reply: CipheredDataReply = try self.reply(first(answers))
        let content = try host { () throws(FieldError) in
            try reply.content(vectorLength: vectorLength, format: .binary)
        }
        writer.field(.data, hexadecimal: .init(bytes: content.data))
        if vectorLength > 0 { writer.field(.nextVector, hexadecimal: .init(bytes: content.nextVector)) }
    }
}
