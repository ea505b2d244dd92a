import CryptoClient

/// Asks the crypto service (host command YB) over one connection, made when needed and made again after a failure.
public actor CryptoServiceVerifier: TACVerifier {
    /// Where the service is and which key signs.
    public struct Settings: Sendable {
        public var host: String
        public var port: Int
        /// `issuer/product/label` of the TAC master key.
        public var keyLabel: String
        /// TAC masters of partner parks: cards whose application serial number begins with the prefix are checked under that key
        /// instead. The longest prefix that fits decides.
        public var keysByCardPrefix: [String: String] = [:]
        /// Ask with the version that the record names (`label/NN`) instead of the key's version in force.
        public var usesRecordKeyVersion = false

        public init(host: String, port: Int, keyLabel: String) {
            self.host = host
            self.port = port
            self.keyLabel = keyLabel
        }

        /// The key that a record's TAC is checked under.
        func label(of record: ConsumptionRecord) -> String {
            let prefix = keysByCardPrefix.keys.filter { record.card.hasPrefix($0) }.max { $0.count < $1.count }
            let name = prefix.flatMap { keysByCardPrefix[$0] } ?? keyLabel
            return usesRecordKeyVersion ? "\(name)/\(TwoDigits(Int(record.keyVersion)))" : name
        }
    }

    private let settings: Settings
    private var connection: CryptoConnection?

    public init(_ settings: Settings) {
        self.settings = settings
    }

    public func verify(_ records: [ConsumptionRecord]) async throws(VerificationFailure) -> [Bool] {
        var verdicts = [Bool](repeating: false, count: records.count)
        let groups = Dictionary(grouping: records.indices) { settings.label(of: records[$0]) }
        for (label, indices) in groups.sorted(by: { $0.key < $1.key }) {
            let answers = try await ask(indices.map { records[$0] }, label)
            for (index, isValid) in zip(indices, answers) { verdicts[index] = isValid }
        }
        return verdicts
    }

    public func close() async {
        await connection?.close()
        connection = nil
    }

    private func ask(_ records: [ConsumptionRecord], _ label: String) async throws(VerificationFailure) -> [Bool] {
        guard let key = try? HostKeyReference.label(label) else { throw .keyUnknown(label) }
        var checks: [TACCheck] = []
        for record in records {
            guard let check = Self.check(record) else { throw .nonsense }
            checks.append(check)
        }
        do throws(CryptoClientError) {
            let verdicts = try await open().verifyTACs(checks, key: key)
            guard verdicts.count == records.count else { throw CryptoClientError.outOfStep }
            return verdicts.map { $0 == .valid }
        } catch {
            throw failure(error, label)
        }
    }

    private func open() async throws(CryptoClientError) -> CryptoConnection {
        if let connection, connection.isOpen { return connection }
        let made = try await CryptoConnection.connect(host: settings.host, port: settings.port)
        connection = made
        return made
    }

    private func failure(_ error: CryptoClientError, _ label: String) -> VerificationFailure {
        switch error {
        case .refused(.lmkIdentifier): .sealed
        case .refused(.indexValue): .keyUnknown(label)
        case .refused(let code): .refused(code.rawValue)
        case .cannotConnect, .closed, .timedOut, .busy: .away
        case .requestTooLong, .outOfStep, .malformedFrame, .malformedReply: .nonsense
        }
    }

    /// What the card signed, in the service's words. The card's key is diversified with the rightmost 8 bytes of its
    /// application serial number (JR/T 0025 key derivation).
    static func check(_ record: ConsumptionRecord) -> TACCheck? {
        guard let serial = HexText.bytes(record.card), let factor = DiversificationFactor(rightmostOf: serial),
            let terminal = HexText.bytes(record.terminal).flatMap({ PurseTerminal($0) }),
            let amount = UInt32(exactly: record.amount.fen)
        else { return nil }
        let time = PurseTime(date: packed(record.date.number), time: packed(record.time.number))
        let purchase = CryptoClient.PurchaseRecord(
            amount: amount, type: record.type, terminal: terminal, terminalSequence: record.terminalTransaction,
            time: time)
        return TACCheck(card: factor, record: .purchase(purchase), tac: PurseMAC(record.tac))
    }

    /// Decimal digits as BCD.
    private static func packed(_ number: Int) -> UInt32 {
        var rest = number
        var result: UInt32 = 0
        var shift: UInt32 = 0
        while rest > 0 {
            result |= UInt32(rest % 10) << shift
            rest /= 10
            shift += 4
        }
        return result
    }
}
