import Foundation
import HSMBridge

// Chapter 8: the record's MAC and TAC over both doors of the crypto service.
extension Story {
    func checks(_ notes: inout StoryNotes) async throws {
        let record = desk + "/purchase.json"
        let mac = try await doors.kmsd(["pos", "seal", "--record", record, "--key", Self.posKey]).text("mac")
        notes.publish("recordMAC", mac)
        notes.publish("recordMACData", Hex.encode(try POSRecord.load(record).sealedBytes))
        notes.tell("record MAC (ISO 9797-1 algorithm 3, padding 2): \(mac)")

        let words = ["pos", "check", "--record", record, "--mac", mac, "--key", Self.posKey, "--tac-key", Self.tacKey]
        let good = try await doors.kmsd(words).object()
        try expect(
            good["mac"] as? String == "verified" && good["tac"] as? String == "verified", "host commands: \(good)")
        let bad = try await doors.kmsd(words + ["--flip-bit"]).object()
        try expect(
            bad["mac"] as? String == "verification failed" && bad["tac"] as? String == "verification failed",
            "host commands with a flipped bit: \(bad)")
        let again = try await doors.kmsd(words).object()
        try expect(again["tac"] as? String == "verified", "the service must go on after a failed check")
        notes.tell(
            "host commands M8 and YT: verified; one bit of the amount changed: verification failed, both; the service goes on"
        )

        for flipped in [false, true] { try await overHTTP(record, mac, flipped: flipped, &notes) }
        notes.publish("hostCommands", "verified, verification failed with a flipped bit")
        notes.publish("http", "verified, verification failed with a flipped bit")
    }

    private func overHTTP(_ path: String, _ mac: String, flipped: Bool, _ notes: inout StoryNotes) async throws {
        var record = try POSRecord.load(path)
        if flipped { record.amount ^= 1 }
        let http = StoryHTTP(base: "http://\(settings.crypto.httpHost):\(settings.crypto.httpPort)")
        let token = try String(contentsOfFile: "\(desk)/token-auditor-http", encoding: .utf8)
        let macAnswer = try await http.post(
            "/v1/mac/verify", token: token,
            [
                "key": Self.posKey, "algorithm": "algorithm3", "padding": "method2",
                "data": Hex.encode(record.sealedBytes),
                "mac": mac,
            ])
        let tacAnswer = try await http.post(
            "/v1/tac/verify", token: token,
            [
                "key": Self.tacKey, "factors": [String(record.card.suffix(16))], "data": Hex.encode(record.tacData),
                "tac": record.tac,
            ])
        let expected = flipped ? "verification failed" : "verified"
        try expect(macAnswer["result"] as? String == expected, "HTTP MAC: \(macAnswer)")
        try expect(tacAnswer["result"] as? String == expected, "HTTP TAC: \(tacAnswer)")
        notes.tell("HTTP/JSON: MAC and TAC \(expected)")
    }
}
