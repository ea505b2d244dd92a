import CryptoClient
import KMS
import NIOCore

extension JSONField {
    static let cardNumber = JSONField("account", .digits(CardCodeInput.accountLengths), "card number (PAN)")
    static let expiry = JSONField("expiry", .digits(4...4), "as the scheme signs it, usually YYMM")
    static let serviceCode = JSONField(
        "service_code", .digits(3...3), "000 for the value on the back, 999 for a chip's")
    static let cardCode = JSONField("card_code", .digits(3...3), "card verification value (CVV, CVC)")
    static let cardCodeRecords = JSONField(
        "records", .list(1...1_000, .object([cardNumber, expiry, serviceCode, cardCode])),
        "cards with their values, all under one key")
}

extension ServiceRoute {
    static let cardCodes = [
        ServiceRoute(
            "/v1/card-code/generate", "generateCardCode", .bank, "Make a card verification value.", command: "CW",
            grant: .generateCardCode, request: [.key, .cardNumber, .expiry, .serviceCode], answer: [.cardCode],
            example: (
                #"{"key":"canteen/card/cvk","account":"4123456789012345","expiry":"8701","service_code":"101"}"#,
                #"{"card_code":"116"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .generateCardCode(
                    GenerateCardCodeRequest(key: try body.reference(), input: try cardCodeInput(body))))
        } reply: { _, answers, writer throws(Refusal) in
            let reply: CardCodeReply = try reply(first(answers))
            writer.field(.cardCode, reply.cardCode)
        },
        ServiceRoute(
            "/v1/card-code/verify", "verifyCardCode", .bank, "Check a card verification value.", command: "CY",
            grant: .verifyCardCode, request: [.key, .cardNumber, .expiry, .serviceCode, .cardCode],
            answer: [.result],
            example: (
                #"{"key":"canteen/card/cvk","account":"4123456789012345","expiry":"8701","service_code":"101","card_code":"116"}"#,
                #"{"result":"verified"}"#
            )
        ) { body throws(Refusal) in
            .one(try cardCodeCheck(body, try body.reference()))
        } reply: { _, answers, writer throws(Refusal) in
            try writeVerdict(answers, &writer)
        },
        ServiceRoute(
            "/v1/card-code/batch", "verifyCardCodes", .bank, "Check the verification values of many cards.",
            command: "CY", grant: .verifyCardCode, request: [.key, .cardCodeRecords], answer: [.results],
            example: (
                #"{"key":"canteen/card/cvk","records":[{"account":"4123456789012345","expiry":"8701","service_code":"101","card_code":"116"},{"account":"4123456789012345","expiry":"8701","service_code":"101","card_code":"117"}]}"#,
                #"{"results":["verified","verification failed"]}"#
            )
        ) { body throws(Refusal) in
            let key = try body.reference()
            var requests: [HostRequest] = []
            for record in body.objects(.cardCodeRecords) { requests.append(try cardCodeCheck(record, key)) }
            return .many(requests)
        } reply: { _, answers, writer throws(Refusal) in
            try writeVerdicts(answers, &writer)
        },
    ]

    private static func cardCodeInput(_ body: JSONBody) throws(Refusal) -> CardCodeInput {
        try host { () throws(FieldError) in
            try CardCodeInput(
                account: String(buffer: body.text(.cardNumber)), expiry: String(buffer: body.text(.expiry)),
                serviceCode: String(buffer: body.text(.serviceCode)))
        }
    }

    private static func cardCodeCheck(_ body: JSONBody, _ key: HostKeyReference) throws(Refusal) -> HostRequest {
        let input = try cardCodeInput(body)
        return try host { () throws(FieldError) in
            .verifyCardCode(
                try VerifyCardCodeRequest(key: key, cardCode: String(buffer: body.text(.cardCode)), input: input))
        }
    }
}
