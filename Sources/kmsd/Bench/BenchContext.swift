import ArgumentParser

/// Where the references of the rows are; scripts/bench starts them and says it.
struct BenchReferences: ParsableArguments {
    @Option(help: "Port of the redis-server on 127.0.0.1.") var redisPort = 6_399
    @Option(help: "Port of the nginx on 127.0.0.1 that returns 200.") var nginxPort = 6_380
    @Option(help: "Process of kmsd serve.") var servePID: Int32?
    @Option(help: "Process of kmsd hsm.") var hsmPID: Int32?
    @Option(
        name: .customLong("pin"),
        help: ArgumentHelp("Reference to hold on the same CPUs; repeat it.", valueName: "pid"))
    var pins: [Int32] = []
    @Option(help: "The program of scripts/softhsm-chain.c.") var softHSMProgram = "var/bench/softhsm-chain"
    @Option(help: "CSV of the story's fleet: records with genuine TACs.") var records =
        "var/story/desk/fleet/records.csv"
    @Option(help: "File with the HTTP token of a client that may verify MACs.") var tokenFile =
        "var/story/desk/token-auditor-http"
    @Option(help: "Script of wrk that makes our request.") var wrkScript = "scripts/wrk-mac.lua"

    /// Every process besides this one that takes part.
    var processes: [Int32] { pins + [servePID, hsmPID].compactMap(\.self) }
}

/// Why a row is not a figure.
struct BenchTrouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What the measuring of every row needs.
struct BenchContext {
    let settings: Settings
    let references: BenchReferences
    /// Label of the MAC key, of the TAC master of the records, and of the RSA key.
    let macKey: String
    let tacKey: String
    let rsaKey: String
    let rounds: Int
    let seconds: Double
    /// Short of everything: to see whether the rows can be measured, not for figures.
    let isQuick: Bool

    var port: Int { settings.crypto.port }
    var duration: Duration { .milliseconds(Int64(seconds * 1_000)) }

    /// Progress, for people who wait.
    func tell(_ text: String) { Terminal.complain("  \(text)") }

    /// Ours and the reference in turn, so that what disturbs the machine disturbs both.
    func inTurn(_ row: inout BenchRow, ours: () throws -> Double, reference: () throws -> Double) throws {
        for round in 1...rounds {
            row.ours.append(try ours())
            row.reference.append(try reference())
            let (mine, theirs) = (BenchTable.number(row.ours[round - 1]), BenchTable.number(row.reference[round - 1]))
            tell("  round \(round) of \(rounds): \(mine) against \(theirs) \(row.unit)")
        }
    }

    /// One run of the load generator against the service.
    func service(_ pattern: LoadPattern, connections: Int, depth: Int) throws -> Double {
        let load = LoadGenerator(port: port, connections: connections, depth: depth)
        do throws(LoadFailure) { return try load.run(pattern, for: duration).perSecond } catch {
            throw BenchTrouble("the service: \(error)")
        }
    }

    /// One run of the same load generator against redis.
    func redis(connections: Int, depth: Int) throws -> Double {
        let load = LoadGenerator(port: references.redisPort, connections: connections, depth: depth)
        do throws(LoadFailure) { return try load.run(RedisReference.ping, for: duration).perSecond } catch {
            throw BenchTrouble("redis: \(error)")
        }
    }
}
