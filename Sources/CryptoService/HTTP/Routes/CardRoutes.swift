import CryptoClient
import KMS
import NIOCore

extension JSONField {
    static let cardCipher = JSONField("cipher", .choice(["3des", "sm4"]), "of the card; the key's own")
    static let isEnciphered = JSONField("encipher", .flag, "the data too; without it only a MAC is added").optional
    static let commandHeader = JSONField(
        "command", .hexadecimal(.init(4...4)), "CLA INS P1 P2; the low half of CLA is 4")
    static let challenge = JSONField(
        "challenge", .hexadecimal(.init(4...4, 8...8, 16...16)), "of the card (GET CHALLENGE): 4 bytes or a block")
    static let commandData = JSONField("data", .hexadecimal(.init(0...255)), "of the command")
    static let protectedData = JSONField(
        "data", .hexadecimal(.init(4...255)), "what stands behind Lc: data or cryptogram, and the MAC of 4 bytes")
}

extension ServiceRoute {
    static let lineProtection = [
        ServiceRoute(
            "/v1/card/protect", "protectCommand", .card,
            "Protect a card command (线路保护), such as the update of a file: MAC, or cipher and MAC.", command: "YI",
            grant: .protectCommand,
            request: [.key, .factors, .cardCipher, .isEnciphered, .commandHeader, .challenge, .commandData],
            answer: [.protectedData],
            example: (
                #"{"key":"canteen/purse/maintain","factors":["1122334455667788"],"cipher":"3des","encipher":true,"command":"04D69500","challenge":"A1B2C3D4","data":"4E6F7720697320"}"#,
                #"{"data":"FA80C6A26428C969642B99D0"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .protectCommand(
                    ProtectCommandRequest(
                        key: try body.cardKey(), cipher: body.choice(.cardCipher) == 1 ? .sm4 : .tripleDES,
                        isEnciphered: body.flag(.isEnciphered), commandHeader: UInt32(body.number(.commandHeader)),
                        challenge: Array(body.bytes(.challenge).readableBytesView),
                        data: Array(body.bytes(.commandData).readableBytesView))))
        } reply: { _, answers, writer throws(Refusal) in
            try writeBytes(.protectedData, answers, &writer)
        }
    ]
}
