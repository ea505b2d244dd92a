import CryptoClient
import KMS
import NIOCore

extension ServiceRoute {
    static let tacs = [
        ServiceRoute(
            "/v1/tac/verify", "verifyTAC", .tac, "Check the TAC (交易验证码) of one record.", command: "YT",
            grant: .verifyTAC, request: [.key, .factors, .tacData, .tac], answer: [.result],
            example: (
                #"{"key":"canteen/purse/tac","factors":["1122334455667788"],"data":"000004E2060011223344550000000920161216134600","tac":"A5BFC821"}"#,
                #"{"result":"verified"}"#
            )
        ) { body throws(Refusal) in
            .one(
                .verifyTAC(
                    VerifyTACRequest(key: try body.cardKey(), record: try body.tacRecord(), tac: body.purseMAC(.tac))))
        } reply: { _, answers, writer throws(Refusal) in
            try writeVerdict(answers, &writer)
        },
        ServiceRoute(
            "/v1/tac/batch", "verifyTACs", .tac, "Check the TACs of many records of one master key.", command: "YB",
            grant: .verifyTAC, request: [.key, .tacRecords], answer: [.results],
            example: (
                #"{"key":"canteen/purse/tac","records":[{"factors":["1122334455667788"],"data":"000004E2060011223344550000000920161216134600","tac":"A5BFC821"},{"factors":["1122334455667789"],"data":"000004E2060011223344550000000920161216134600","tac":"A5BFC821"}]}"#,
                #"{"results":["verified","verification failed"]}"#
            )
        ) { body throws(Refusal) in
            .many(try tacBatches(body))
        } reply: { _, answers, writer throws(Refusal) in
            writer.name(JSONField.results.name)
            writer.beginList()
            for answer in answers {
                switch answer {
                case .verdicts(let count, let bits):
                    let span = bits.readableBytesUInt8Span
                    for index in 0..<count {
                        writer.value(JSONField.verdicts[span[index / 8] << (index % 8) & 0x80 == 0 ? 1 : 0])
                    }
                case .refused(let code): throw .host(code)
                default: throw .host(.internalError)
                }
            }
            writer.endList()
        },
    ]

    /// Runs of records of one kind with the same levels above the card's own, as host commands take them.
    private static func tacBatches(_ body: JSONBody) throws(Refusal) -> [HostRequest] {
        let key = try body.reference()
        var requests: [HostRequest] = []
        var shared = DiversificationPath.none
        var checks: [TACCheck] = []
        func cut() throws(Refusal) {
            guard !checks.isEmpty else { return }
            do throws(FieldError) {
                requests.append(
                    .verifyTACBatch(try VerifyTACBatchRequest(key: key, sharedPath: shared, checks: checks)))
            } catch { throw .host(error.code) }
            checks.removeAll(keepingCapacity: true)
        }
        for record in body.objects(.tacRecords) {
            let factors = record.list(.factors)
            let path = try JSONBody.path(factors)
            let above = DiversificationPath(Array(path.factors.dropLast())) ?? .none
            let check = TACCheck(
                card: path[path.count - 1], record: try record.tacRecord(), tac: record.purseMAC(.tac))
            if checks.count == VerifyTACBatchRequest.maximumEntries || above != shared
                || checks.first.map({ $0.record.kind != check.record.kind }) ?? false
            {
                try cut()
            }
            shared = above
            checks.append(check)
        }
        try cut()
        return requests
    }
}
