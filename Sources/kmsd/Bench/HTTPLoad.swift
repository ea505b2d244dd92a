import Foundation
import HSMBridge

/// HTTP/JSON: wrk drives both sides, ours with a MAC to verify, nginx with nothing to do.
enum HTTPLoad {
    static func measure(_ context: BenchContext, _ row: inout BenchRow) async throws {
        guard let token = try? String(contentsOfFile: context.references.tokenFile, encoding: .utf8) else {
            throw BenchTrouble("\(context.references.tokenFile) cannot be read")
        }
        let base = "http://127.0.0.1:\(context.settings.crypto.httpPort)"
        let http = StoryHTTP(base: base)
        let message = Hex.encode((0..<64).map { UInt8(truncatingIfNeeded: $0 &* 37) })
        let fields = ["key": context.macKey, "algorithm": "algorithm3", "padding": "method2", "data": message]
        let made = try await http.post("/v1/mac/generate", token: token, fields)
        guard let mac = made["mac"] as? String, mac.count >= 8 else { throw BenchTrouble("no MAC came: \(made)") }
        // A right one and a wrong one, so that it is known what the 200s of the measurement say.
        for (value, verdict) in [(mac, "verified"), (String(mac.dropLast(2)) + flipped(mac), "verification failed")] {
            let answer = try await http.post("/v1/mac/verify", token: token, fields.merging(["mac": value]) { $1 })
            guard answer["result"] as? String == verdict else { throw BenchTrouble("the answer is \(answer)") }
        }
        let body = try JSONSerialization.data(
            withJSONObject: fields.merging(["mac": mac]) { $1 }, options: [.sortedKeys, .withoutEscapingSlashes])
        let environment = [
            "KMSD_BENCH_BODY": String(decoding: body, as: UTF8.self), "KMSD_BENCH_TOKEN": context.references.tokenFile,
        ]
        try ProcessorPinning.hold(context.references.processes, on: 2) { _ in
            try context.inTurn(&row) {
                try wrk(context, ["-s", context.references.wrkScript, "\(base)/v1/mac/verify"], environment)
            } reference: {
                try wrk(context, ["http://127.0.0.1:\(context.references.nginxPort)/"], [:])
            }
        }
    }

    private static func flipped(_ mac: String) -> String { mac.hasSuffix("00") ? "01" : "00" }

    /// One thread and 50 connections; an answer other than 200 makes it no figure.
    private static func wrk(
        _ context: BenchContext, _ words: [String], _ environment: [String: String]
    ) throws -> Double {
        let seconds = Int(max(1, context.seconds.rounded()))
        let text = try OutsideProgram.run(["wrk", "-t1", "-c50", "-d\(seconds)s"] + words, environment: environment)
        if text.contains("Non-2xx") || text.contains("Socket errors") {
            throw BenchTrouble("wrk says: \(text.suffix(300))")
        }
        guard let rate = OutsideProgram.number(after: "Requests/sec", in: text) else {
            throw BenchTrouble("wrk says nothing of requests")
        }
        return rate
    }
}
