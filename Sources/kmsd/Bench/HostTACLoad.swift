import CryptoClient
import FoundationEssentials
import NIOCore

/// The work of the TAC rows: the offline purchases of the story's fleet, with the TACs that its cards made. Some were spoilt by
/// the simulation, and the service's verdicts on them are part of the right answers.
enum HostTACLoad {
    struct Batches {
        let pattern: LoadPattern
        /// On the average of the pattern.
        let recordsPerRequest: Double
    }

    /// YB with `size` records in each frame; unless told otherwise with as many as one takes.
    static func batches(
        _ context: BenchContext, size: Int = VerifyTACBatchRequest.maximumEntries
    ) async throws -> Batches {
        let checks = try records(context)
        let key = try HostKeyReference.label(context.tacKey)
        var requests: [HostFrame] = []
        for start in stride(from: 0, to: checks.count, by: size) {
            let part = checks[start..<min(checks.count, start + size)]
            requests.append(
                frame(requests.count, .verifyTACBatch, try VerifyTACBatchRequest(key: key, checks: part).body()))
        }
        var verdicts: Set<UInt8> = []
        let exchanges = try await RawExchange.exchanges(context.settings.crypto, requests) { reply in
            // Behind the error code and the count.
            verdicts.formUnion(reply.body.readableBytesView.dropFirst(6))
            return reply.body.readableBytesView.starts(with: Array("00".utf8))
        }
        // Most are right, and some are wrong: neither a service that always agrees nor one that never does.
        guard verdicts == [0x30, 0x31] else {
            throw BenchTrouble("the TACs of \(context.references.records) are all alike")
        }
        return Batches(
            pattern: LoadPattern(exchanges), recordsPerRequest: Double(checks.count) / Double(exchanges.count))
    }

    /// YT, one record each: the service derives the card's key, makes the MAC, compares and forgets the key.
    static func singles(_ context: BenchContext) async throws -> LoadPattern {
        let key = try HostKeyReference.label(context.tacKey)
        let requests = try records(context).prefix(512).enumerated().map { number, check in
            let card = CardKey(master: key, path: DiversificationPath(card: check.card))
            return frame(
                number, .verifyTAC, VerifyTACRequest(key: card, record: check.record, tac: check.tac).body())
        }
        let codes: Set<HostErrorCode> = [.noError, .verificationFailed]
        return LoadPattern(
            try await RawExchange.exchanges(context.settings.crypto, requests) { reply in
                (try? HostReply(reply)).map { codes.contains($0.error) } ?? false
            })
    }

    private static func frame(_ number: Int, _ command: HostCommandCode, _ body: ByteBuffer) -> HostFrame {
        HostFrame(header: ByteBuffer(integer: UInt32(number)), command: command, body: body)
    }

    /// The records of the fleet's CSV, by the names in its first line.
    private static func records(_ context: BenchContext) throws -> [TACCheck] {
        let path = context.references.records
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw BenchTrouble("\(path) cannot be read")
        }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        let names = (lines.first ?? "").split(separator: ",").map(String.init)
        let checks = lines.dropFirst().compactMap { line in
            check(Dictionary(zip(names, line.split(separator: ",").map(String.init)), uniquingKeysWith: { $1 }))
        }
        guard checks.count == lines.count - 1, !checks.isEmpty else { throw BenchTrouble("\(path) is not as expected") }
        return checks
    }

    private static func check(_ fields: [String: String]) -> TACCheck? {
        func number<I: FixedWidthInteger>(_ name: String, radix: Int) -> I? {
            fields[name].flatMap { I($0, radix: radix) }
        }
        guard let serial = fields["card_asn"]?.suffix(16), let card = UInt64(serial, radix: 16),
            let amount: UInt32 = number("amount_fen", radix: 10), let type: UInt8 = number("txn_type", radix: 16),
            let terminalNumber: UInt64 = number("terminal_no", radix: 16),
            let terminal = PurseTerminal(
                (0..<6).map { UInt8(truncatingIfNeeded: terminalNumber >> UInt64(40 - 8 * $0)) }),
            let transaction: UInt32 = number("terminal_txn", radix: 10),
            let date: UInt32 = number("date", radix: 16), let time: UInt32 = number("time", radix: 16),
            let tac: UInt32 = number("tac", radix: 16)
        else { return nil }
        let record = PurchaseRecord(
            amount: amount, type: type, terminal: terminal, terminalSequence: transaction,
            time: PurseTime(date: date, time: time))
        return TACCheck(card: DiversificationFactor(rawValue: card), record: .purchase(record), tac: PurseMAC(tac))
    }
}
