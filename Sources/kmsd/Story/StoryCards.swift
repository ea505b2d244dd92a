import Foundation
import HSMBridge

// Chapters 5 to 7: PSAM, user card, purchase.
extension Story {
    static let psamSerial = "31010000000000000001"
    static let terminal = "310000000001"
    static let cardSerial = "00003101000000000042"
    /// The transport PIN printed in the cardholder's letter; changed at first use.
    static let cardPIN = "123456"

    func psam(_ notes: inout StoryNotes) async throws {
        try await doors.kmsd(["card", "stock-in", "--kind", "psam", "--count", "2"], as: "olga")
        try await personalise(
            "psam-pboc", reader: Self.psamReader,
            data: ["psamSerial": Self.psamSerial, "terminal": Self.terminal], typing: [], &notes)
    }

    func userCard(_ notes: inout StoryNotes) async throws {
        try await doors.kmsd(["card", "stock-in", "--kind", "fmcos", "--count", "2"], as: "olga")
        try await personalise(
            "fmcos-canteen", reader: Self.userReader,
            data: ["asn": Self.cardSerial, "holder": "Demo Holder"], typing: [Self.cardPIN], &notes)
        let record = desk + "/load.json"
        let load = try await doors.kmsd(
            [
                "pos", "load", "--card-reader", Self.userReader, "--amount", "100.00", "--key", Self.loadKey,
                "--terminal",
                Self.terminal, "--record", record,
            ], typing: [Self.cardPIN]
        ).object()
        try expect(load["balanceAfter"] as? Int == 10_000, "after the load the purse must hold 100.00 yuan")
        notes.tell(
            "100.00 yuan loaded: MAC1 \(load["mac1"] ?? "") checked, MAC2 \(load["mac2"] ?? "") made by the crypto service, TAC \(load["tac"] ?? "")"
        )
        try publish(record: record, as: "load", &notes)
    }

    func purchase(_ notes: inout StoryNotes) async throws {
        let record = desk + "/purchase.json"
        let bought = try await doors.kmsd(
            [
                "pos", "purchase", "--card-reader", Self.userReader, "--psam-reader", Self.psamReader, "--amount",
                "12.50",
                "--record", record,
            ]
        ).object()
        try expect(bought["balanceAfter"] as? Int == 8_750, "after the purchase the purse must hold 87.50 yuan")
        notes.tell(
            "12.50 yuan: PSAM MAC1 \(bought["mac1"] ?? ""), card debited, MAC2 \(bought["mac2"] ?? "") accepted by the PSAM, TAC \(bought["tac"] ?? "")"
        )
        notes.tell("balance 100.00 → 87.50")
        try publish(record: record, as: "purchase", &notes)
    }

    private func personalise(
        _ profile: String, reader: String, data: [String: String], typing lines: [String], _ notes: inout StoryNotes
    ) async throws {
        var words = ["card", "personalise", "--profile", profile, "--reader", reader, "--issuer", Self.issuer]
        for (name, value) in data.sorted(by: { $0.key < $1.key }) { words += ["--data", "\(name)=\(value)"] }
        let job = try await doors.kmsd(words, typing: lines, as: "olga").object()
        try expect(job["state"] as? String == "finished", "the job ended as \(job["state"] ?? "?")")
        let transcript = job["transcript"] as? [String] ?? []
        notes.tell("\(profile): \(transcript.count) exchanges, read back, tried, finished")
        notes.publish("job", "\(job["id"] ?? job["job"] ?? "")")
        notes.transcript(profile, transcript)
    }

    private func publish(record path: String, as name: String, _ notes: inout StoryNotes) throws {
        let text = try Data(contentsOf: URL(filePath: path))
        for (field, value) in try JSONSerialization.jsonObject(with: text) as? [String: Any] ?? [:] {
            notes.publish("\(name).\(field)", "\(value)")
        }
    }
}
