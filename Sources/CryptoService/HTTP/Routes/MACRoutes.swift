import CryptoClient
import KMS

extension ServiceRoute {
    static let macs = [
        ServiceRoute(
            "/v1/mac/generate", "generateMAC", .mac, "Make a MAC, or the chaining value of a part of a message.",
            command: "M6", grant: .generateMAC,
            request: [.key, .algorithm, .padding, .data, .length, .part, .chainingValue],
            answer: [.mac.about("of the whole message, or after its last part").optional, .chainingValue],
            example: (
                #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","data":"4E6F77206973207468652074696D6520666F7220616C6C20","length":4}"#,
                #"{"mac":"A1C72E74"}"#
            )
        ) { body throws(Refusal) in
            .one(.generateMAC(GenerateMACRequest(try body.macFields())))
        } reply: {
            body, answers, writer throws(Refusal) in
            try writeBytes(isContinued(body) ? .chainingValue : .mac, answers, &writer)
        },
        ServiceRoute(
            "/v1/mac/verify", "verifyMAC", .mac, "Check a MAC in constant time.", command: "M8", grant: .verifyMAC,
            request: [.key, .algorithm, .padding, .data, .mac.optional, .part, .chainingValue],
            answer: [.result.optional, .chainingValue],
            example: (
                #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","data":"4E6F77206973207468652074696D6520666F7220616C6C20","mac":"A1C72E74"}"#,
                #"{"result":"verified"}"#
            )
        ) { body throws(Refusal) in
            let mac = body.hostMAC()
            // The MAC stands with the last part, and only there.
            guard (mac == nil) == isContinued(body) else { throw .host(.inputData) }
            return .one(.verifyMAC(VerifyMACRequest(try body.macFields(), mac: mac)))
        } reply: { body, answers, writer throws(Refusal) in
            guard isContinued(body) else { return try writeVerdict(answers, &writer) }
            try writeBytes(.chainingValue, answers, &writer)
        },
        ServiceRoute(
            "/v1/mac/batch", "verifyMACs", .mac, "Check the MACs of many messages under one key.", command: "M8",
            grant: .verifyMAC, request: [.key, .algorithm, .padding, .macRecords], answer: [.results],
            example: (
                #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","records":[{"data":"4E6F77206973207468652074696D6520666F7220616C6C20","mac":"A1C72E74"},{"data":"00","mac":"00000000"}]}"#,
                #"{"results":["verified","verification failed"]}"#
            )
        ) { body throws(Refusal) in
            let key = try body.reference()
            var requests: [HostRequest] = []
            let records = body.objects(.macRecords)
            requests.reserveCapacity(records.count)
            for record in records {
                let fields = try body.macFields(data: record.bytes(.data), key: key)
                requests.append(.verifyMAC(VerifyMACRequest(fields, mac: record.hostMAC())))
            }
            return .many(requests)
        } reply: { _, answers, writer throws(Refusal) in
            try writeVerdicts(answers, &writer)
        },
    ]

    private static func isContinued(_ body: JSONBody) -> Bool {
        HostMACMode.allCases[body.choice(.part) ?? 0].isContinued
    }
}
