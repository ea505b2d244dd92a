import HSMEngine

/// How each row is measured: ours and the reference take turns, so that what disturbs the machine disturbs both.
struct BenchRows {
    static let macTCP = BenchRow(
        id: "mac-tcp", title: "MAC of 64 bytes verified over TCP, 50 connections x 16, against redis PING",
        unit: "requests/s", target: 0.3)
    static let macDepth1 = BenchRow(
        id: "mac-depth1", title: "the same, one connection, one in flight, every process on one CPU",
        unit: "round trips/s", target: 0.4)
    static let tacBatch = BenchRow(
        id: "tac-batch", title: "TACs checked in a batch, in process, against low-level libcrypto DES",
        unit: "TACs/s per core", target: 1.0)
    static let ids = [macTCP, macDepth1, tacBatch].map(\.id)

    let port: Int
    let redisPort: Int
    /// Processes that take part in the depth-1 row besides this one.
    let pins: [Int32]
    let rounds: Int
    let seconds: Double
    /// Progress, for people who wait.
    let tell: (String) -> Void

    func measureMACTCP(_ macs: LoadPattern) -> BenchRow { overTCP(Self.macTCP, macs, connections: 50, depth: 16) }

    func measureMACDepth1(_ macs: LoadPattern) -> BenchRow {
        guard !pins.isEmpty else {
            var row = Self.macDepth1
            row.trouble = "no --pin: the servers were not on one CPU"
            return row
        }
        do {
            return try ProcessorPinning.onOneProcessor(pins) { processor in
                tell("every process on CPU \(processor)")
                return overTCP(Self.macDepth1, macs, connections: 1, depth: 1)
            }
        } catch {
            var row = Self.macDepth1
            row.trouble = "\(error)"
            return row
        }
    }

    func measureTACBatch() -> BenchRow {
        var row = Self.tacBatch
        tell("\(row.id): \(row.title)")
        guard let rates = TACBenchmark.run(rounds: rounds, seconds: seconds / 2) else {
            row.trouble = "no key could be made"
            return row
        }
        (row.ours, row.reference) = (rates.ours, rates.reference)
        if rates.wrongVerdicts > 0 { row.trouble = "\(rates.wrongVerdicts) verdicts were wrong" }
        return row
    }

    private func overTCP(_ start: BenchRow, _ macs: LoadPattern, connections: Int, depth: Int) -> BenchRow {
        var row = start
        tell("\(row.id): \(row.title)")
        let duration = Duration.milliseconds(Int64(seconds * 1_000))
        let service = LoadGenerator(port: port, connections: connections, depth: depth)
        let redis = LoadGenerator(port: redisPort, connections: connections, depth: depth)
        for round in 1...rounds {
            do throws(LoadFailure) {
                let ours = try service.run(macs, for: duration)
                guard ours.wrong == 0 else {
                    row.trouble = "\(ours.wrong) replies of the service were wrong"
                    return row
                }
                row.ours.append(ours.perSecond)
            } catch {
                row.trouble = "the service in round \(round): \(error)"
                return row
            }
            do throws(LoadFailure) {
                let theirs = try redis.run(RedisReference.ping, for: duration)
                guard theirs.wrong == 0 else {
                    row.trouble = "\(theirs.wrong) replies of redis were wrong"
                    return row
                }
                row.reference.append(theirs.perSecond)
            } catch {
                row.trouble = "redis in round \(round): \(error)"
                return row
            }
            let (ours, theirs) = (Int(row.ours[round - 1]), Int(row.reference[round - 1]))
            tell("  round \(round) of \(rounds): \(ours) against \(theirs) \(row.unit)")
        }
        return row
    }
}
