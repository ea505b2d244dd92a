import CryptoClient
import KMS
import NIOCore

extension JSONField {
    static let unionPayMethod = JSONField(
        "method", .choice(["ecb", "x9.19"]), "ecb: TDES and SM4 keys of usage M1; x9.19: TDES keys of usage M3")
    static let posMessage = JSONField(
        "data", .hexadecimal(.init(0...longestMessage)), "the message, type indicator to field 63")
    static let field64 = JSONField("mac", .hexadecimal(.init(8...8)), "field 64 of the message")
    static let unionPayRecords = JSONField(
        "records", .list(1...10_000, .object([posMessage, field64])), "messages with their field 64, all under one key")
}

extension ServiceRoute {
    static let unionPay = [
        ServiceRoute(
            "/v1/unionpay/mac", "makeUnionPayMAC", .unionPay,
            "Make the MAC of a UnionPay POS message (银联POS报文MAC, field 64).", command: "Y0", grant: .generateMAC,
            request: [.key, .unionPayMethod, .posMessage], answer: [.field64],
            example: (
                #"{"key":"canteen/pos/mac1","method":"ecb","data":"0200302004C020C0981100000000000000005100183402100006324392260009942820D1312101120084393136363838303134303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001"}"#,
                #"{"mac":"4133303936413131"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .generateUnionPayMAC(
                    GenerateUnionPayMACRequest(
                        method: method(body), key: try body.reference(),
                        message: Array(body.bytes(.posMessage).readableBytesView))))
        } reply: { _, answers, writer throws(Refusal) in
            try writeBytes(.field64, answers, &writer)
        },
        ServiceRoute(
            "/v1/unionpay/verify", "verifyUnionPayMAC", .unionPay, "Check the MAC of a UnionPay POS message.",
            command: "Y2", grant: .verifyMAC, request: [.key, .unionPayMethod, .posMessage, .field64],
            answer: [.result],
            example: (
                #"{"key":"canteen/pos/mac1","method":"ecb","data":"0200302004C020C0981100000000000000005100183402100006324392260009942820D1312101120084393136363838303134303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001","mac":"4133303936413131"}"#,
                #"{"result":"verified"}"#
            )
        ) { body throws(Refusal) in
            .one(check(body, method(body), try body.reference()))
        } reply: { _, answers, writer throws(Refusal) in
            try writeVerdict(answers, &writer)
        },
        ServiceRoute(
            "/v1/unionpay/batch", "verifyUnionPayMACs", .unionPay,
            "Check the MACs of many UnionPay POS messages under one key.", command: "Y2", grant: .verifyMAC,
            request: [.key, .unionPayMethod, .unionPayRecords], answer: [.results],
            example: (
                #"{"key":"canteen/pos/mac1","method":"ecb","records":[{"data":"0200302004C020C0981100000000000000005100183402100006324392260009942820D1312101120084393136363838303134303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001","mac":"4133303936413131"},{"data":"00","mac":"0000000000000000"}]}"#,
                #"{"results":["verified","verification failed"]}"#
            )
        ) { body throws(Refusal) in
            let (method, key) = (method(body), try body.reference())
            return .many(body.objects(.unionPayRecords).map { check($0, method, key) })
        } reply: { _, answers, writer throws(Refusal) in
            try writeVerdicts(answers, &writer)
        },
    ]

    private static func method(_ body: JSONBody) -> UnionPayMethod {
        body.choice(.unionPayMethod) == 1 ? .x919 : .ecb
    }

    private static func check(_ body: JSONBody, _ method: UnionPayMethod, _ key: HostKeyReference) -> HostRequest {
        .verifyUnionPayMAC(
            VerifyUnionPayMACRequest(
                method: method, key: key, mac: body.number(.field64),
                message: Array(body.bytes(.posMessage).readableBytesView)))
    }
}
