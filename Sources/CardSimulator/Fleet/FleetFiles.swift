import FoundationEssentials

extension CardFleet {
    /// Where `write` puts things. Every file is CSV with a header line.
    public struct Files: Sendable {
        public var records: String
        public var truth: String
        /// terminal_no,psam_no,merchant; not written when nil.
        public var terminals: String?
        /// card_asn,opening_balance_fen,first_seq; not written when nil.
        public var cards: String?

        public init(records: String, truth: String, terminals: String? = nil, cards: String? = nil) {
            self.records = records
            self.truth = truth
            self.terminals = terminals
            self.cards = cards
        }
    }

    /// Simulates and writes. The key file is JSON: `{"tac_master_key": "<32 hex digits>"}`, a demonstration key.
    @discardableResult
    public static func write(
        _ settings: Settings, keyFile: String, to files: Files
    ) throws(Failure) -> Simulation {
        let simulation = try simulate(settings, tacMasterKey: try readKey(keyFile))
        try write(recordLines(simulation), to: files.records)
        try write(truthLines(simulation), to: files.truth)
        if let path = files.terminals { try write(terminalLines(simulation), to: path) }
        if let path = files.cards { try write(cardLines(simulation), to: path) }
        return simulation
    }

    static func readKey(_ path: String) throws(Failure) -> [UInt8] {
        struct KeyFile: Decodable {
            let tacMasterKey: String

            enum CodingKeys: String, CodingKey { case tacMasterKey = "tac_master_key" }
        }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw .file(path) }
        guard let file = try? JSONDecoder().decode(KeyFile.self, from: data),
            let key = [UInt8](hex: file.tacMasterKey), key.count == 16
        else { throw .badKey }
        return key
    }

    static func recordLines(_ simulation: Simulation) -> [String] {
        let header =
            "record_id,terminal_no,psam_no,terminal_txn,card_asn,card_seq,amount_fen,balance_after_fen,txn_type,"
            + "date,time,key_version,tac"
        return [header] + simulation.records.map(recordLine)
    }

    static func recordLine(_ record: Record) -> String {
        let fields: [String] = [
            String(record.id), record.terminal.hex, record.psam.hex, String(record.terminalTransaction),
            record.card.hex, String(record.cardSequence), String(record.amount), String(record.balanceAfter),
            [record.type].hex, record.date.hex, record.time.hex, String(record.keyVersion), record.tac.hex,
        ]
        return fields.joined(separator: ",")
    }

    static func truthLines(_ simulation: Simulation) -> [String] {
        ["record_id,reason,other_record_id"]
            + simulation.findings.map { "\($0.id),\($0.defect.rawValue),\($0.other == 0 ? "" : String($0.other))" }
    }

    static func terminalLines(_ simulation: Simulation) -> [String] {
        ["terminal_no,psam_no,merchant"]
            + simulation.terminals.map { "\($0.number.hex),\($0.psam.hex),\($0.merchant)" }
    }

    static func cardLines(_ simulation: Simulation) -> [String] {
        ["card_asn,opening_balance_fen,first_seq"]
            + simulation.cards.map { "\($0.serialNumber.hex),\($0.openingBalance),\($0.firstSequence)" }
    }

    private static func write(_ lines: [String], to path: String) throws(Failure) {
        let data = Data((lines.joined(separator: "\n") + "\n").utf8)
        do { try data.write(to: URL(filePath: path), options: .atomic) } catch { throw .file(path) }
    }
}
