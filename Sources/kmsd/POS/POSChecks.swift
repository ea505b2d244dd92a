import ArgumentParser
import CryptoClient
import HSMBridge

extension POSCommandGroup {
    /// Seals a record with the terminal's MAC key, as a terminal does before it uploads.
    struct Seal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the record MAC of a stored record (ISO 9797-1 algorithm 3).")
        @OptionGroup var common: CommonOptions
        @Option(help: "Record file.") var record: String
        @Option(help: "Label of the terminal's MAC key.") var key: String

        func run() async throws {
            let stored = try POSRecord.load(record)
            let settings = try await common.settings()
            let reference = try HostKeyReference.label(key)
            let mac = try await onCards {
                let service = try await CryptoConnection.connect(host: settings.crypto.host, port: settings.crypto.port)
                let fields = POSChecks.fields(stored, reference)
                let reply = try await service.run(GenerateMACRequest(fields))
                await service.close()
                return reply.bytes
            }
            if common.json { try Terminal.json(["mac": Hex.encode(mac)]) } else { Terminal.say(Hex.encode(mac)) }
        }
    }

    /// Checks a record's MAC and TAC over the host-command port.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify the MAC and TAC of a record over the host-command port.")
        @OptionGroup var common: CommonOptions
        @Option(help: "Record file.") var record: String
        @Option(help: "The record's MAC, 16 hexadecimal digits.") var mac: String
        @Option(help: "Label of the terminal's MAC key.") var key: String
        @Option(help: "Label of the TAC master.") var tacKey: String
        @Flag(help: "Flip one bit of the amount first: both checks must then say no.") var flipBit = false

        func run() async throws {
            var stored = try POSRecord.load(record)
            if flipBit { stored.amount ^= 1 }
            guard let hostMAC = HostMAC(Hex.decode(mac) ?? []) else {
                throw ValidationError("--mac must be 8 or 16 hexadecimal digits")
            }
            let settings = try await common.settings()
            let (macKey, master) = (try HostKeyReference.label(key), try HostKeyReference.label(tacKey))
            let purchase = stored
            let (macGood, tacGood) = try await onCards {
                let service = try await CryptoConnection.connect(host: settings.crypto.host, port: settings.crypto.port)
                let macGood = try await service.verifyMAC(
                    VerifyMACRequest(POSChecks.fields(purchase, macKey), mac: hostMAC))
                let tacGood = try await service.verifyTAC(try POSChecks.tacRequest(purchase, master))
                await service.close()
                return (macGood, tacGood)
            }
            if common.json {
                try Terminal.json([
                    "mac": macGood ? "verified" : "verification failed",
                    "tac": tacGood ? "verified" : "verification failed",
                ])
            } else {
                Terminal.say("MAC \(macGood ? "verified" : "verification failed")")
                Terminal.say("TAC \(tacGood ? "verified" : "verification failed")")
            }
        }
    }
}

/// The questions that a POS asks the crypto service about a record.
enum POSChecks {
    static func fields(_ record: POSRecord, _ key: HostKeyReference) -> HostMACFields {
        HostMACFields(
            size: .eightBytes, algorithm: .algorithm3, padding: .method2, key: key,
            message: HostMACMessage(record.sealedBytes))
    }

    static func tacRequest(_ record: POSRecord, _ master: HostKeyReference) throws -> VerifyTACRequest {
        guard let terminal = PurseTerminal(Hex.decode(record.terminal) ?? []),
            let time = PurseTime((Hex.decode(record.date) ?? []) + (Hex.decode(record.time) ?? [])),
            let factor = DiversificationFactor(rightmostOf: Hex.decode(record.card) ?? []),
            let tac = PurseMAC(Hex.decode(record.tac) ?? [])
        else { throw POSFailure.macSetup }
        let purchase = PurchaseRecord(
            amount: record.amount, type: 0x06, terminal: terminal, terminalSequence: record.terminalTransaction,
            time: time)
        return VerifyTACRequest(
            key: CardKey(master: master, path: DiversificationPath(card: factor)), record: .purchase(purchase), tac: tac
        )
    }
}
