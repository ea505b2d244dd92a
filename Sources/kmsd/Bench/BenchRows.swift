import HSMEngine

/// One row of the benchmark and how its two sides are measured. A row that throws is not a figure.
struct BenchPlan: Sendable {
    let row: BenchRow
    let measure: @Sendable (BenchContext, inout BenchRow) async throws -> Void

    init(
        _ id: String, _ title: String, unit: String, target: Double,
        _ measure: @escaping @Sendable (BenchContext, inout BenchRow) async throws -> Void
    ) {
        row = BenchRow(id: id, title: title, unit: unit, target: target)
        self.measure = measure
    }

    static let all: [BenchPlan] = [memory] + batches + network + others

    /// Never throws: what went wrong stands in the row.
    func run(_ context: BenchContext) async -> BenchRow {
        var row = row
        context.tell("\(row.id): \(row.title)")
        do { try await measure(context, &row) } catch { row.trouble = "\(error)" }
        if let trouble = row.trouble { context.tell("  no figure: \(trouble)") }
        return row
    }
}

// MARK: - In process

extension BenchPlan {
    /// With the fastest version that this processor has, and forced to the others.
    private static let batches = [
        ("", DESVersion.best), ("-avx2", .avx2), ("-portable", .portable),
    ].filter(\.1.isAvailable).flatMap { suffix, version in
        let target: Double =
            switch version {
            case .avx512: 15
            case .avx2: 10
            case .portable: 3
            }
        return [
            BenchPlan(
                "tac-batch" + suffix,
                "TACs checked in a batch in process, \(version.rawValue), against low-level libcrypto",
                unit: "TACs/s per core", target: target
            ) { context, row in
                try inProcess(
                    &row, TACBenchmark.run(rounds: context.rounds, seconds: context.seconds / 2, version: version))
            },
            BenchPlan(
                "diversify-batch" + suffix,
                "PBOC diversification of a card batch in process, \(version.rawValue), likewise",
                unit: "keys/s per core", target: target
            ) { context, row in
                try inProcess(
                    &row,
                    DiversificationBenchmark.run(rounds: context.rounds, seconds: context.seconds / 2, version: version)
                )
            },
        ]
    }

    private static func inProcess(_ row: inout BenchRow, _ rates: BatchRates?) throws {
        guard let rates else { throw BenchTrouble("this processor cannot run it") }
        guard rates.wrongVerdicts == 0 else { throw BenchTrouble("\(rates.wrongVerdicts) results were wrong") }
        (row.ours, row.reference) = (rates.ours, rates.reference)
    }
}

// MARK: - MACs over TCP, against redis

extension BenchPlan {
    private static let network = [
        BenchPlan(
            "mac-tcp", "MAC of 64 bytes verified over TCP, 50 connections x 16, against redis PING", unit: "requests/s",
            target: 0.7
        ) { try await macs($0, &$1, connections: 50, depth: 16, processors: 2) },
        BenchPlan(
            "mac-wide", "the same, 50 connections x 1", unit: "requests/s", target: 0.6
        ) { try await macs($0, &$1, connections: 50, depth: 1, processors: 2) },
        BenchPlan(
            "mac-depth1", "the same, one connection, one in flight, every process on one CPU", unit: "round trips/s",
            target: 0.5
        ) { try await macs($0, &$1, connections: 1, depth: 1, processors: 1) },
        BenchPlan(
            "crowd", "mac-wide beside 500 idle connections and 50 in the middle of a frame, against mac-wide alone",
            unit: "requests/s", target: 0.9
        ) { context, row in
            let pattern = try await HostMACLoad.prepare(context.settings.crypto, key: context.macKey)
            try ProcessorPinning.hold(context.references.processes, on: 2) { _ in
                try context.inTurn(&row) {
                    let crowd = try Crowd(port: context.settings.crypto.port, idle: 500, stalled: 50)
                    defer { crowd.leave() }
                    return try context.service(pattern, connections: 50, depth: 1)
                } reference: {
                    try context.service(pattern, connections: 50, depth: 1)
                }
            }
        },
    ]

    private static func macs(
        _ context: BenchContext, _ row: inout BenchRow, connections: Int, depth: Int, processors: Int
    ) async throws {
        let pattern = try await HostMACLoad.prepare(context.settings.crypto, key: context.macKey)
        try ProcessorPinning.hold(context.references.processes, on: processors) { held in
            context.tell("  every process on CPU \(held)")
            try context.inTurn(&row) {
                try context.service(pattern, connections: connections, depth: depth)
            } reference: {
                try context.redis(connections: connections, depth: depth)
            }
        }
    }
}

// MARK: - TACs, RSA, HTTP, SoftHSM

extension BenchPlan {
    private static let others = [
        BenchPlan(
            "tac-tcp", "purchase TACs through the TCP batch command, against libcrypto in process", unit: "TACs/s",
            target: 3
        ) { context, row in
            let batches = try await HostTACLoad.batches(context)
            try ProcessorPinning.hold(context.references.processes, on: 2) { _ in
                try context.inTurn(&row) {
                    // Each reply stands for a batch of records.
                    try context.service(batches.pattern, connections: 4, depth: 2) * batches.recordsPerRequest
                } reference: {
                    guard let rate = TACReference.rate(dataLength: 22, seconds: context.seconds) else {
                        throw BenchTrouble("libcrypto gave no TACs")
                    }
                    return rate
                }
            }
        },
        BenchPlan(
            "mac-http", "MAC of 64 bytes verified over HTTP/JSON, 50 connections, against nginx return 200 (wrk)",
            unit: "requests/s", target: 0.25
        ) { try await HTTPLoad.measure($0, &$1) },
        BenchPlan(
            "rsa-sign", "RSA-2048 signatures through the port, against openssl speed on as many cores",
            unit: "signatures/s", target: 0.9
        ) { try await SignatureLoad.measure($0, &$1) },
        BenchPlan(
            "softhsm-chain", "derive, MAC, forget over TCP, 50 x 16, against SoftHSM2 in process", unit: "chains/s",
            target: 15
        ) { context, row in
            let pattern = try await HostTACLoad.singles(context)
            try context.inTurn(&row) {
                try context.service(pattern, connections: 50, depth: 16)
            } reference: {
                try SoftHSMReference.rate(context)
            }
        },
    ]
}

// MARK: - Memory

extension BenchPlan {
    /// The first of all: what the other rows make the service keep would hide its growth.
    private static let memory = BenchPlan(
        "memory", "resident memory after 100 thousand requests, divided by that after 10 million", unit: "KiB",
        target: 1 / 1.05
    ) { try await MemoryGrowth.measure($0, &$1) }
}
