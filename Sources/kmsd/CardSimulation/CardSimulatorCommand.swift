import ArgumentParser
import CardSimulator
import FoundationEssentials
import Glibc
import HSMBridge

/// `kmsd card-simulator …`: virtual cards behind pcscd's vpcd driver, and a simulated fleet of them.
struct CardSimulatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "card-simulator", abstract: "Run a virtual card, or simulate the records of many.",
        subcommands: [Run.self, Fleet.self])

    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Be one card: fmcos (user or admin card) or psam.",
            discussion:
                "The control socket takes lines: pull, insert, pull-after N, mute-after N, count, reset-count, quit.")
        @Option(help: "fmcos or psam") var kind: String
        @Option(help: "File with the card's memory; a blank card is made if it is not there.") var state: String
        @Option(help: "Port of the virtual reader.") var port: UInt16
        @Option(help: "Host of the virtual reader.") var host = "127.0.0.1"
        @Option(help: "Unix socket for control lines.") var control: String?
        @Option(help: "Seed of the serial number.") var seed: UInt64?

        func run() throws {
            guard let cardKind = CardKind(rawValue: kind) else { throw ValidationError("--kind must be fmcos or psam") }
            umask(0o077)
            var settings = VirtualCard.Settings(kind: cardKind, stateFile: state, port: port)
            settings.host = host
            settings.controlSocket = control
            settings.seed = seed
            do { try VirtualCard.run(settings) } catch { throw CommandFailure("The virtual card stopped: \(error)") }
        }
    }
}

extension CardSimulatorCommand {
    struct Fleet: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Simulate the offline records of many cards, some of them spoilt, from a seed.",
            discussion: "Writes records.csv, truth.csv (which are bad and why), terminals.csv and cards.csv.")
        @Option(help: "Seed; the same seed gives the same files.") var seed: UInt64
        @Option(help: "Records, bad ones included.") var records = 10_000
        @Option(help: "Bad records among them.") var bad = 25
        @Option(help: "JSON file with the demonstration TAC master that the fleet's cards have.") var tacMaster: String
        @Option(help: "Folder for the files.") var out: String
        @Flag(help: .hidden) var json = false
        @Option(help: .hidden) var config: String?

        func run() throws {
            var settings = CardFleet.Settings(seed: seed)
            settings.records = records
            settings.bad = bad
            do {
                _ = try CardFleet.write(
                    settings, keyFile: tacMaster,
                    to: .init(
                        records: out + "/records.csv", truth: out + "/truth.csv", terminals: out + "/terminals.csv",
                        cards: out + "/cards.csv"))
            } catch { throw CommandFailure("The fleet could not be simulated: \(error)") }
            Terminal.say(json ? "{}" : "\(records) records, \(bad) of them bad, in \(out)")
        }
    }
}
