import Synchronization

@testable import PlatformLite

/// A small deterministic generator (SplitMix64), so that a failing test can be repeated.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Stands in for the crypto service: a TAC is right when it is `Scenario.tac` of the record; it can be told to fail.
final class ScriptedVerifier: TACVerifier {
    private struct State {
        var questions = 0
        var failures: [Int: VerificationFailure] = [:]
        var isAway: VerificationFailure?
    }

    private let state = Mutex(State())

    /// Fails at the question of this number (from 1), once.
    func fail(at question: Int, _ failure: VerificationFailure) { state.withLock { $0.failures[question] = failure } }
    func setAway(_ failure: VerificationFailure?) { state.withLock { $0.isAway = failure } }
    var questions: Int { state.withLock { $0.questions } }

    func verify(_ records: [ConsumptionRecord]) async throws(VerificationFailure) -> [Bool] {
        let failure = state.withLock { state in
            state.questions += 1
            return state.isAway ?? state.failures[state.questions]
        }
        if let failure { throw failure }
        return records.map { $0.tac == Scenario.tac($0) }
    }
}

/// Merchants, terminals and records for tests.
enum Scenario {
    static let terminals = (1...6).map { "0000000000A\($0)" }
    static let merchants = ["M1": 60, "M2": 0, "M3": 38]

    /// Not a MAC: a mixing of what a real TAC covers, so that a changed record has a wrong one.
    static func tac(_ record: ConsumptionRecord) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        let covered =
            "\(record.card)|\(record.amount.fen)|\(record.type)|\(record.terminal)|"
            + "\(record.terminalTransaction)|\(record.date.number)|\(record.time.number)"
        for byte in covered.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return hash
    }

    static func record(
        terminal: Int = 0, transaction: UInt32, card: Int, sequence: UInt16, fen: Int64, date: Int = 20_261_120,
        time: Int = 120_000, tac: UInt32? = nil, unknownTerminal: Bool = false
    ) -> String {
        let number = unknownTerminal ? "0000000000FF" : terminals[terminal]
        let psam = "1100000000000000000\(terminal)"
        let line =
            "r-\(number)-\(transaction),\(number),\(psam),\(transaction),\(cardNumber(card)),\(sequence),\(fen),5000,06,"
            + "\(date),\(sixDigits(time)),1,"
        guard case .success(let record) = RecordCSV.line(number: 1, line + "00000000").content else { return line }
        return line
            + HexText.text((0..<4).map { UInt8(truncatingIfNeeded: (tac ?? Self.tac(record)) >> (24 - 8 * $0)) })
    }

    private static func sixDigits(_ time: Int) -> String {
        String(repeating: "0", count: 6 - "\(time)".count) + "\(time)"
    }

    static func cardNumber(_ card: Int) -> String {
        let text = "\(card)"
        return "6217" + String(repeating: "0", count: 16 - text.count) + text
    }

    static func csv(_ records: [String]) -> [UInt8] {
        Array((RecordCSV.header + "\n" + records.joined(separator: "\n") + "\n").utf8)
    }

    /// Merchants M1 (0.60 %), M2 (no fee), M3 (0.38 %), two terminals each.
    static func prepare(_ office: BackOffice) async throws {
        for (number, rate) in merchants.sorted(by: { $0.key < $1.key }) {
            guard let fee = FeeRate(basisPoints: Int64(rate)),
                let merchant = Merchant(number: number, name: "食堂 <\(number)>", rate: fee)
            else { continue }
            _ = try await office.add(merchant, by: "test")
        }
        let list = terminals.enumerated().compactMap { index, number in
            Terminal(number: number, merchant: "M\(index / 2 + 1)", psam: index == 0 ? "11000000000000000000" : nil)
        }
        _ = try await office.add(list, by: "test")
    }

    /// Good purchases: cards take turns, numbers run without gaps.
    static func purchases(_ count: Int, cards: Int, seed: UInt64) -> [String] {
        var random = Seeded(seed)
        var sequences: [Int: UInt16] = [:]
        var transactions: [Int: UInt32] = [:]
        return (0..<count).map { _ in
            let card = Int.random(in: 1...cards, using: &random)
            let terminal = Int.random(in: 0..<terminals.count, using: &random)
            sequences[card, default: 0] += 1
            transactions[terminal, default: 100] += 1
            return record(
                terminal: terminal, transaction: transactions[terminal, default: 0], card: card,
                sequence: sequences[card, default: 0], fen: Int64.random(in: 1...5_000, using: &random),
                date: 20_261_118 + Int.random(in: 0...2, using: &random),
                time: Int.random(in: 0...23, using: &random) * 10_000 + Int.random(in: 0...59, using: &random) * 100)
        }
    }

    static let now = Timestamp(microseconds: 1_795_000_000_000_000)

}
