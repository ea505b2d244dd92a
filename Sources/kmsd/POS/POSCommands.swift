import ArgumentParser
import CryptoClient
import FoundationEssentials
import HSMBridge

/// `kmsd pos …`: a small point of sale, using nothing but card readers and the network.
struct POSCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pos", abstract: "A small point of sale: load a purse, take a purchase, check a record.",
        subcommands: [Purchase.self, Load.self, Balance.self, Seal.self, Check.self])

    struct Purchase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take money from a purse with the help of a PSAM.")
        @OptionGroup var common: CommonOptions
        @Option(help: "Reader of the user card.") var cardReader: String
        @Option(help: "Reader of the PSAM.") var psamReader: String
        @Option(help: "Yuan with two decimals, such as 12.50.") var amount: String
        @Option(help: "Write the record to this file.") var record: String?

        func run() async throws {
            let fen = try YuanAmount(amount).fen
            let readers = CardReaders()
            let (card, layout, now) = (cardReader, PurseLayout(), Date())
            let result = try await onCards {
                try await readers.withCard(in: psamReader) { sam in
                    try readers.withCard(in: card) { user in
                        try POSTransactions.purchase(card: user, sam: sam, amount: fen, layout: layout, now: now)
                    }
                }
            }
            if let record { try result.save(to: record) }
            try POSReport.show(result, json: common.json)
        }
    }

    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load money into a purse; MAC1 is checked and MAC2 made by the crypto service.",
            discussion: "The cardholder's PIN is asked for, or read from standard input.")
        @OptionGroup var common: CommonOptions
        @Option(help: "Reader of the user card.") var cardReader: String
        @Option(help: "Yuan with two decimals.") var amount: String
        @Option(help: "Number of the loading terminal, 12 hexadecimal digits.") var terminal = "000000000001"
        @Option(help: "Label of the load master, issuer/product/label.") var key: String
        @Option(help: "Write the record to this file.") var record: String?

        func run() async throws {
            let fen = try YuanAmount(amount).fen
            guard let number = UInt64(terminal, radix: 16), terminal.count == 12,
                let purseTerminal = PurseTerminal(rawValue: number)
            else { throw ValidationError("--terminal must be 12 hexadecimal digits") }
            let settings = try await common.settings()
            let master = try HostKeyReference.label(key)
            let pin = try POSPIN.read()
            let service = try await CryptoConnection.connect(host: settings.crypto.host, port: settings.crypto.port)
            let readers = CardReaders()
            let (layout, now) = (PurseLayout(), Date())
            let result = try await onCards {
                try await readers.withCard(in: cardReader) { channel in
                    try POSTransactions.load(
                        card: channel, pin: pin, amount: fen, terminal: number, layout: layout, now: now
                    ) { card, start, clock in
                        guard let time = PurseTime(clock.bytes) else { throw POSFailure.macSetup }
                        let path = DiversificationPath(card: DiversificationFactor(rawValue: card.factor))
                        let request = AuthorizeLoadRequest(
                            key: CardKey(master: master, path: path), random: start.random,
                            onlineSequence: start.onlineSequence, oldBalance: start.oldBalance, amount: fen, type: 0x02,
                            terminal: purseTerminal, mac1: PurseMAC(start.mac1), time: time)
                        return try waitOnCardThread { try await service.authorizeLoad(request)?.value }
                    }
                }
            }
            await service.close()
            if let record { try result.save(to: record) }
            try POSReport.show(result, json: common.json)
        }
    }

    struct Balance: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the balance of a purse.")
        @OptionGroup var common: CommonOptions
        @Option(help: "Reader of the user card.") var cardReader: String

        func run() async throws {
            let layout = PurseLayout()
            let fen = try await onCards {
                try await CardReaders().withCard(in: cardReader) { channel in
                    try PurseCard(opening: channel, layout: layout).balance()
                }
            }
            if common.json { try Terminal.json(["balance": fen]) } else { Terminal.say(YuanAmount(fen: fen).text) }
        }
    }
}

/// Turns card troubles into one line.
func onCards<T>(_ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch let error as CardError {
        throw CommandFailure("Card reader: \(error).")
    } catch let error as POSFailure {
        throw CommandFailure(error.description)
    } catch let error as CryptoClientError {
        throw CommandFailure("Crypto service: \(error).")
    }
}

/// The cardholder's PIN on its way to the card: typed at the POS, not a key of ours; gone with the process.
enum POSPIN {
    static func read() throws -> [UInt8] {
        var digits: [UInt8] = []
        guard let line = readLine(strippingNewline: true) else { throw CommandFailure("No PIN was entered.") }
        for character in line.utf8 {
            guard (0x30...0x39).contains(character) else { throw CommandFailure("A PIN has digits only.") }
            digits.append(character)
        }
        guard (2...16).contains(digits.count) else { throw CommandFailure("A PIN has 4 to 16 digits.") }
        return digits
    }
}

/// Money as people write it, held as whole fen.
struct YuanAmount {
    let fen: UInt32

    init(fen: UInt32) { self.fen = fen }

    init(_ text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 2, let yuan = UInt32(parts[0]), let rest = UInt32(parts[1]),
            yuan <= 1_000_000
        else { throw ValidationError("an amount is yuan with two decimals, such as 12.50") }
        fen = yuan * 100 + rest
    }

    var text: String { "\(fen / 100).\(fen % 100 < 10 ? "0" : "")\(fen % 100)" }
}

enum POSReport {
    static func show(_ record: POSRecord, json: Bool) throws {
        if json { return try Terminal.json(record) }
        Terminal.say(
            "\(record.kind) of \(YuanAmount(fen: record.amount).text) yuan at terminal \(record.terminal), card \(record.card)"
        )
        Terminal.say(
            "balance \(YuanAmount(fen: record.balanceBefore).text) → \(YuanAmount(fen: record.balanceAfter).text)  "
                + "MAC1 \(record.mac1)  MAC2 \(record.mac2)  TAC \(record.tac)")
    }
}
