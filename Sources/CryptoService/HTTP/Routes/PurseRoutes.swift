import CryptoClient
import KMS

extension ServiceRoute {
    static let purse = [
        ServiceRoute(
            "/v1/purse/load", "authorisePurseLoad", .purse,
            "Check the card's MAC1 of a load (圈存) and, if it is right, make MAC2.", command: "YL", grant: .purseLoad,
            request: [
                .key, .factors, .random, .onlineSequence, .oldBalance, .amount, .loadType, .terminal, .mac1, .date,
                .time,
            ], answer: [.result, .mac2.optional],
            example: (
                #"{"key":"canteen/purse/load","factors":["1122334455667788"],"random":"11223344","online_sequence":0,"old_balance":0,"amount":4096,"type":"01","terminal":"001122334455","mac1":"4539CBEC","date":"20111221","time":"214822"}"#,
                #"{"result":"verified","mac2":"5FBFE8E4"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .authorizeLoad(
                    AuthorizeLoadRequest(
                        key: try body.cardKey(), random: UInt32(body.number(.random)),
                        onlineSequence: body.half(.onlineSequence), oldBalance: body.word(.oldBalance),
                        amount: body.word(.amount), type: UInt8(body.choice(.loadType) ?? 0) + 1,
                        terminal: try body.purseTerminal(), mac1: body.purseMAC(.mac1), time: body.purseTime())))
        } reply: { _, answers, writer throws(Refusal) in
            if case .refused(.verificationFailed) = try first(answers) { return try writeVerdict(answers, &writer) }
            writer.field(.result, JSONField.verdicts[0])
            try writePurseMAC(.mac2, answers, &writer)
        },
        ServiceRoute(
            "/v1/purse/purchase-mac", "makePurchaseMAC", .purse, "Make MAC1 of a purchase (消费), as a PSAM would.",
            command: "YP", grant: .pursePurchase,
            request: [
                .key, .factors, .random, .offlineSequence, .terminalTransaction, .amount, .type, .terminal, .date,
                .time,
            ], answer: [.mac1],
            example: (
                #"{"key":"canteen/purse/pay","factors":["1122334455667788"],"random":"584633C9","offline_sequence":7,"terminal_transaction":9,"amount":1250,"type":"06","terminal":"001122334455","date":"20161216","time":"134600"}"#,
                #"{"mac1":"635669B8"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .makePurchaseMAC(
                    MakePurchaseMACRequest(
                        key: try body.cardKey(), random: UInt32(body.number(.random)),
                        offlineSequence: body.half(.offlineSequence),
                        record: PurchaseRecord(
                            amount: body.word(.amount), type: UInt8(body.number(.type)),
                            terminal: try body.purseTerminal(), terminalSequence: body.word(.terminalTransaction),
                            time: body.purseTime()))))
        } reply: { _, answers, writer throws(Refusal) in
            try writePurseMAC(.mac1, answers, &writer)
        },
        ServiceRoute(
            "/v1/purse/purchase-check", "checkPurchaseMAC", .purse, "Check MAC2 of a purchase.", command: "YR",
            grant: .purseVerify,
            request: [.key, .factors, .random, .offlineSequence, .terminalTransaction, .amount, .mac2],
            answer: [.result],
            example: (
                #"{"key":"canteen/purse/pay","factors":["1122334455667788"],"random":"584633C9","offline_sequence":7,"terminal_transaction":9,"amount":1250,"mac2":"921F3805"}"#,
                #"{"result":"verified"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .checkPurchaseMAC(
                    CheckPurchaseMACRequest(
                        key: try body.cardKey(), random: UInt32(body.number(.random)),
                        offlineSequence: body.half(.offlineSequence), terminalSequence: body.word(.terminalTransaction),
                        amount: body.word(.amount), mac2: body.purseMAC(.mac2))))
        } reply: { _, answers, writer throws(Refusal) in
            try writeVerdict(answers, &writer)
        },
        ServiceRoute(
            "/v1/purse/unload", "authorisePurseUnload", .purse,
            "Check the card's MAC1 of an unload (圈提) and, if it is right, make MAC2.", command: "YN",
            grant: .purseUnload,
            request: [
                .key, .factors, .random, .onlineSequence, .oldBalance, .amount, .terminal, .mac1, .date, .time,
            ], answer: [.result, .mac2.optional],
            example: (
                #"{"key":"canteen/purse/unload","factors":["1122334455667788"],"random":"A1B2C3D4","online_sequence":7,"old_balance":10000,"amount":1250,"terminal":"001122334455","mac1":"B0499638","date":"20161216","time":"134600"}"#,
                #"{"result":"verified","mac2":"58A37233"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .authorizeUnload(
                    AuthorizeUnloadRequest(
                        AuthorizeLoadRequest(
                            key: try body.cardKey(), random: UInt32(body.number(.random)),
                            onlineSequence: body.half(.onlineSequence), oldBalance: body.word(.oldBalance),
                            amount: body.word(.amount), type: AuthorizeUnloadRequest.type,
                            terminal: try body.purseTerminal(), mac1: body.purseMAC(.mac1), time: body.purseTime()))))
        } reply: { _, answers, writer throws(Refusal) in
            if case .refused(.verificationFailed) = try first(answers) { return try writeVerdict(answers, &writer) }
            writer.field(.result, JSONField.verdicts[0])
            try writePurseMAC(.mac2, answers, &writer)
        },
        ServiceRoute(
            "/v1/purse/unload-check", "checkUnloadMAC", .purse,
            "Check MAC3 of an unload, the card's word that it has given the money back.", command: "YG",
            grant: .purseVerify,
            request: [
                .key, .factors, .random, .onlineSequence, .newBalance, .amount, .terminal, .date, .time, .mac3,
            ], answer: [.result],
            example: (
                #"{"key":"canteen/purse/unload","factors":["1122334455667788"],"random":"A1B2C3D4","online_sequence":7,"new_balance":8750,"amount":1250,"terminal":"001122334455","date":"20161216","time":"134600","mac3":"BD0292EC"}"#,
                #"{"result":"verified"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .checkUnloadMAC(
                    CheckUnloadMACRequest(
                        key: try body.cardKey(), random: UInt32(body.number(.random)),
                        onlineSequence: body.half(.onlineSequence), newBalance: body.word(.newBalance),
                        amount: body.word(.amount), terminal: try body.purseTerminal(), time: body.purseTime(),
                        mac3: body.purseMAC(.mac3))))
        } reply: { _, answers, writer throws(Refusal) in
            try writeVerdict(answers, &writer)
        },
    ]
}
