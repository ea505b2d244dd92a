import CryptoClient
import KMS
import NIOCore

extension JSONField {
    static let account = JSONField("account", .digits(1...19), "card number (PAN)")
    static let cardSequence = JSONField("sequence", .integer(0...99), "of the card (5F34); 0 where it is missing")
        .optional
    static let transactionCounter = JSONField("atc", .hexadecimal(.init(2...2)), "transaction counter (9F36)")
    static let unpredictable = JSONField(
        "unpredictable", .hexadecimal(.init(4...4)), "unpredictable number (9F37), where the session key has it"
    ).optional
    static let signedData = JSONField(
        "data", .hexadecimal(.init(9...255)),
        "what the card signed, more than one block of the cipher; without it nothing is checked"
    ).optional
    static let applicationCryptogram = JSONField(
        "cryptogram", .hexadecimal(.init(8...8)), "ARQC, TC or AAC (9F26)")
    static let responseCode = JSONField(
        "response_code", .hexadecimal(.init(2...2)), "asks for a response by method 1"
    ).optional
    static let statusUpdate = JSONField(
        "status_update", .hexadecimal(.init(4...4)), "CSU: asks for a response by method 2"
    ).optional
    static let proprietary = JSONField(
        "proprietary", .hexadecimal(.init(0...8)), "with status_update: bytes of the issuer's own"
    ).optional
    static let response = JSONField(
        "response", .hexadecimal(.init(4...4, 8...8)), "ARPC, where one was asked for and the cryptogram is not wrong"
    ).optional

    static let derivation = JSONField(
        "derivation", .choice(["a", "b"]), "of the card's key: EMV option a or b; a where it is missing"
    ).optional
    static let sessions = ["pboc", "emv", "mastercard", "none"]
    static let session = JSONField("session", .choice(sessions), "how the card makes its session key")
    static let cryptogramPadding = JSONField(
        "padding", .choice(["method1", "method2"]), "of the data: zeros where needed, or 80 and zeros always; method2"
    ).optional

    static let emv3Scheme = JSONField("scheme", .choice(["visa", "mchip"]), "Visa version 10, or M/Chip")
    static let issuerDataKey = JSONField("issuer_data_key", .key, "with issuer_data: key of its MAC").optional
    static let issuerData = JSONField(
        "issuer_data", .hexadecimal(.init(1...255)), "issuer discretionary data with a MAC, visa only"
    ).optional
    static let issuerDataMAC = JSONField("issuer_data_mac", .hexadecimal(.init(4...4)), "with issuer_data").optional
    static let emv3Result = JSONField(
        "result", .choice(verdicts + ["issuer data verification failed"]), "missing where nothing was checked"
    ).optional
    static let cryptogramResult = JSONField(
        "result", .choice(verdicts), "a wrong cryptogram is an answer; missing where nothing was checked"
    ).optional

    static let cryptogramRecords = JSONField(
        "records",
        .list(
            1...1_000,
            .object([
                account, cardSequence, transactionCounter, unpredictable, signedData, applicationCryptogram,
                responseCode, statusUpdate, proprietary,
            ])), "cryptograms of cards of one master key")
    static let cryptogramAnswers = JSONField(
        "answers", .list(1...1_000, .object([cryptogramResult, response])), "in the order of the records")
}

extension ServiceRoute {
    static let cryptograms = [
        ServiceRoute(
            "/v1/cryptogram/card", "answerCryptogram", .bank,
            "Check the cryptogram (ARQC) of a PBOC or EMV card, make the response (ARPC), or both.", command: "YV",
            grant: .verifyCryptogram,
            request: [
                .key, .derivation, .session, .cryptogramPadding, .account, .cardSequence, .transactionCounter,
                .unpredictable, .signedData, .applicationCryptogram, .responseCode, .statusUpdate, .proprietary,
            ], answer: [.cryptogramResult, .response],
            example: (
                #"{"key":"canteen/card/ac","session":"pboc","account":"6228000100001","sequence":1,"atc":"0240","unpredictable":"1E78EEBC","data":"000000000001000000000000015600800460000156140701001E78EEBC7D00024003A04002","cryptogram":"AE6012A909EC22E5","response_code":"3030"}"#,
                #"{"result":"verified","response":"57D25BD2890BB55D"}"#
            )
        ) { body throws(Refusal) in
            .one(try cardCryptogram(body, body, try body.reference()))
        } reply: { body, answers, writer throws(Refusal) in
            try writeCryptogram(body, first(answers), &writer)
        },
        ServiceRoute(
            "/v1/cryptogram/batch", "answerCryptograms", .bank,
            "Check and answer the cryptograms of many cards of one master key.", command: "YV",
            grant: .verifyCryptogram,
            request: [.key, .derivation, .session, .cryptogramPadding, .cryptogramRecords],
            answer: [.cryptogramAnswers],
            example: (
                #"{"key":"canteen/card/ac","session":"pboc","records":[{"account":"6228000100001","sequence":1,"atc":"0240","data":"000000000001000000000000015600800460000156140701001E78EEBC7D00024003A04002","cryptogram":"AE6012A909EC22E5","response_code":"3030"},{"account":"6228000100001","sequence":2,"atc":"0240","data":"000000000001000000000000015600800460000156140701001E78EEBC7D00024003A04002","cryptogram":"AE6012A909EC22E5"}]}"#,
                #"{"answers":[{"result":"verified","response":"57D25BD2890BB55D"},{"result":"verification failed"}]}"#
            )
        ) { body throws(Refusal) in
            let key = try body.reference()
            var requests: [HostRequest] = []
            for record in body.objects(.cryptogramRecords) { requests.append(try cardCryptogram(body, record, key)) }
            return .many(requests)
        } reply: { body, answers, writer throws(Refusal) in
            writer.name(JSONField.cryptogramAnswers.name)
            writer.beginList()
            for (record, answer) in zip(body.objects(.cryptogramRecords), answers) {
                writer.beginObject()
                try writeCryptogram(record, answer, &writer)
                writer.endObject()
            }
            writer.endList()
        },
        ServiceRoute(
            "/v1/cryptogram/emv3", "answerEMV3Cryptogram", .bank,
            "The same for an EMV 3.x card, with a MAC over issuer discretionary data if there is one.", command: "KQ",
            grant: .verifyCryptogram,
            request: [
                .key, .emv3Scheme, .account, .cardSequence, .transactionCounter, .unpredictable, .signedData,
                .applicationCryptogram, .responseCode, .issuerDataKey, .issuerData, .issuerDataMAC,
            ], answer: [.emv3Result, .response],
            example: (
                #"{"key":"canteen/card/ac","scheme":"visa","account":"6228000100001","sequence":1,"atc":"0240","unpredictable":"1E78EEBC","data":"0000000000000000000000000288800004800002881712200184F01F9D1402030018000018","cryptogram":"525564E52F296200","response_code":"3030"}"#,
                #"{"result":"verified","response":"0E7B85360EC6277A"}"#
            )
        ) { body throws(Refusal) in
            .one(.emv3Cryptogram(try emv3(body)))
        } reply: { body, answers, writer throws(Refusal) in
            if case .refused(.messageLength) = try first(answers), body.has(.issuerData) {
                return writer.field(.emv3Result, "issuer data verification failed")
            }
            try writeCryptogram(body, first(answers), &writer)
        },
        ServiceRoute(
            "/v1/cryptogram/emv4", "answerEMV4Cryptogram", .bank,
            "The same for an EMV 4.x card with common session keys.", command: "KW", grant: .verifyCryptogram,
            request: [
                .key, .derivation, .account, .cardSequence, .transactionCounter, .signedData, .applicationCryptogram,
                .responseCode, .statusUpdate, .proprietary,
            ], answer: [.cryptogramResult, .response],
            example: (
                #"{"key":"canteen/card/ac","account":"6228000100001","sequence":1,"atc":"0240","data":"0000000000000000000000000288800004800002881712200184F01F9D1402030018000018","cryptogram":"81A37D236908CB09","response_code":"3030"}"#,
                #"{"result":"verified","response":"0F538CAA9315B400"}"#
            )
        ) { body throws(Refusal) in
            let account = try cardAccount(body)
            return .one(
                .emv4Cryptogram(
                    EMV4CryptogramRequest(
                        key: try body.reference(),
                        account: body.choice(.derivation) == 1
                            ? .optionB(account.digits) : .optionA(account.rightDigits),
                        counter: UInt16(body.number(.transactionCounter)), data: signedData(body),
                        cryptogram: body.number(.applicationCryptogram), response: try cryptogramAnswer(body))))
        } reply: { body, answers, writer throws(Refusal) in
            try writeCryptogram(body, first(answers), &writer)
        },
    ]

    // MARK: Pieces

    /// What all cards of a batch have in common is in `body`, the rest in `record`.
    private static func cardCryptogram(
        _ body: JSONBody, _ record: JSONBody, _ key: HostKeyReference
    ) throws(Refusal) -> HostRequest {
        .cardCryptogram(
            CardCryptogramRequest(
                key: key, derivation: body.choice(.derivation) == 1 ? .optionB : .optionA,
                session: [.pboc, .common, .mastercard, .none][body.choice(.session) ?? 0],
                padding: body.choice(.cryptogramPadding) == 0 ? .method1 : .method2,
                account: try cardAccount(record), counter: UInt16(record.number(.transactionCounter)),
                unpredictable: UInt32(record.number(.unpredictable)), data: signedData(record),
                cryptogram: record.number(.applicationCryptogram), response: try cryptogramAnswer(record)))
    }

    private static func emv3(_ body: JSONBody) throws(Refusal) -> EMV3CryptogramRequest {
        var issuerData: EMV3CryptogramRequest.IssuerData?
        if let key = try body.optionalReference(.issuerDataKey) {
            issuerData = EMV3CryptogramRequest.IssuerData(
                key: key, mac: UInt32(body.number(.issuerDataMAC)), data: body.bytes(.issuerData))
        }
        // The three go together, and with a cryptogram of the one scheme that has them.
        let count = [JSONField.issuerDataKey, .issuerData, .issuerDataMAC].count { body.has($0) }
        let isVisa = body.choice(.emv3Scheme) == 0
        guard count == 0 || count == 3 && isVisa && body.has(.signedData),
            body.has(.signedData) || body.has(.responseCode)
        else { throw .host(.inputData) }
        return EMV3CryptogramRequest(
            scheme: isVisa ? .visa : .mChip, key: try body.reference(), account: try cardAccount(body).rightDigits,
            counter: UInt16(body.number(.transactionCounter)), unpredictable: UInt32(body.number(.unpredictable)),
            data: signedData(body), cryptogram: body.number(.applicationCryptogram),
            responseCode: body.has(.responseCode) ? UInt16(body.number(.responseCode)) : nil, issuerData: issuerData)
    }

    private static func cardAccount(_ body: JSONBody) throws(Refusal) -> CardAccount {
        try host { () throws(FieldError) in
            try CardAccount(number: String(buffer: body.text(.account)), sequence: body.integer(.cardSequence))
        }
    }

    private static func signedData(_ body: JSONBody) -> ByteBuffer? {
        body.has(.signedData) ? body.bytes(.signedData) : nil
    }

    /// By one method or the other; something must be asked.
    private static func cryptogramAnswer(_ body: JSONBody) throws(Refusal) -> CryptogramAnswer? {
        switch (body.has(.responseCode), body.has(.statusUpdate)) {
        case (true, false) where !body.has(.proprietary): .method1(code: UInt16(body.number(.responseCode)))
        case (false, true):
            .method2(
                statusUpdate: UInt32(body.number(.statusUpdate)),
                proprietary: Array(body.bytes(.proprietary).readableBytesView))
        case (false, false) where body.has(.signedData) && !body.has(.proprietary): nil
        default: throw .host(.inputData)
        }
    }

    /// `result` where something was checked, `response` where there is one.
    private static func writeCryptogram(
        _ body: JSONBody, _ answer: HostAnswer, _ writer: inout JSONWriter
    ) throws(Refusal) {
        switch answer {
        case .refused(.verificationFailed): writer.field(.cryptogramResult, JSONField.verdicts[1])
        case .refused(let code): throw .host(code)
        case .done: writer.field(.cryptogramResult, JSONField.verdicts[0])
        case .bytes(let response):
            if body.has(.signedData) { writer.field(.cryptogramResult, JSONField.verdicts[0]) }
            // KX fills a response of method 2 with zeros; what it stands for here has its own length.
            let count = body.has(.statusUpdate) ? 4 : 8
            writer.field(.response, hexadecimal: response.getSlice(at: response.readerIndex, length: count) ?? response)
        default: throw .host(.internalError)
        }
    }
}
