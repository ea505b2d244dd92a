import FoundationEssentials
import HSMBridge

/// What a POS keeps of a transaction and hands to the back office, with everything an auditor needs to recompute its
/// MACs and TAC from the masters.
struct POSRecord: Codable, Sendable {
    var kind: String
    var terminal: String
    var psam: String
    var card: String
    /// Fen.
    var amount: UInt32
    var type: String
    var terminalTransaction: UInt32
    /// Offline sequence of a purchase, online sequence of a load; the value before the transaction.
    var cardSequence: UInt16
    var random: String
    var balanceBefore: UInt32
    var balanceAfter: UInt32
    var date: String
    var time: String
    var keyVersion: String
    var algorithm: String
    var mac1: String
    var mac2: String
    var tac: String

    /// The bytes that the TAC covers.
    var tacData: [UInt8] {
        let clock = (Hex.decode(date) ?? []) + (Hex.decode(time) ?? [])
        let middle = amount.octets + (Hex.decode(type) ?? []) + (Hex.decode(terminal) ?? [])
        return kind == "load"
            ? balanceAfter.octets + cardSequence.octets + middle + clock
            : middle + terminalTransaction.octets + clock
    }

    /// The bytes that the terminal's record MAC covers: every field of the record, in this order.
    var sealedBytes: [UInt8] {
        (Hex.decode(psam) ?? []) + (Hex.decode(card) ?? []) + cardSequence.octets + balanceAfter.octets + tacData
            + (Hex.decode(tac) ?? [])
    }

    func save(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(filePath: path))
    }

    static func load(_ path: String) throws -> POSRecord {
        try JSONDecoder().decode(POSRecord.self, from: Data(contentsOf: URL(filePath: path)))
    }
}

/// Date and time as cards take them: BCD.
struct POSClock {
    let date: [UInt8]
    let time: [UInt8]
    var bytes: [UInt8] { date + time }

    /// Local wall time of the terminal.
    init(_ now: Date) {
        let parts = Calendar.current.dateComponents([.year, .month, .day, .hour, .minute, .second], from: now)
        func bcd(_ value: Int) -> UInt8 { UInt8(value / 10 % 10) << 4 | UInt8(value % 10) }
        let year = parts.year ?? 2000
        date = [bcd(year / 100), bcd(year % 100), bcd(parts.month ?? 1), bcd(parts.day ?? 1)]
        time = [bcd(parts.hour ?? 0), bcd(parts.minute ?? 0), bcd(parts.second ?? 0)]
    }
}
