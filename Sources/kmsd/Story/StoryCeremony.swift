import Foundation
import HSMBridge

// Chapters 1 and 2: the module, its admin cards and its LMK.
extension Story {
    func powerUp(_ notes: inout StoryNotes) async throws {
        let status = try await doors.kmsd(["module", "status"]).object()
        try expect(
            status["state"] as? String == "uninitialised",
            "a new module must be uninitialised, it is \(status["state"] ?? "?")")
        let test = try await doors.kmsd(["module", "selftest"])
        let lines = try JSONSerialization.jsonObject(with: test.output) as? [[String: String]] ?? []
        try expect(!lines.isEmpty && lines.allSatisfy { $0["result"] == "passed" }, "a self-test failed")
        notes.tell("\(lines.count) known-answer tests passed; state: uninitialised")
        notes.publish("state", "uninitialised")
        notes.publish("selfTests", String(lines.count))
        notes.publish("firmware", status["firmware"] as? String ?? "")

        // Anything else is refused, with the reason.
        let bridge = ModuleBridge(path: settings.hsm.socket, lanes: 1)
        do {
            _ = try await bridge.execute(RandomBytes(count: 16))
            throw StoryMismatch("an uninitialised module gave random bytes")
        } catch let refusal as ModuleRefusal {
            try expect(refusal.error == .uninitialised, "refused with \(refusal.error), not with uninitialised")
            notes.tell("a calculation is refused: \(refusal.error)")
            notes.publish("refusal", "\(refusal.error)")
        }
    }

    func ceremony(_ notes: inout StoryNotes) async throws {
        for index in 0..<3 {
            let card = try await doors.kmsd(
                ["lmk", "format-card", "--custodian", String(index + 1), "--reader", Self.adminReaders[index]],
                typing: [people.pins[index]]
            ).object()
            notes.tell("SO\(index + 1): admin card \(card["serial"] ?? "?") formatted, PIN set")
        }
        try await doors.kmsd(["lmk", "begin", "generate"])
        for index in 0..<3 { try await present(index) }
        let made = try await doors.kmsd(["lmk", "finish"]).object()
        try expect(made["state"] as? String == "sealed", "after generation the module must be sealed")
        let components = made["componentCheckValues"] as? [String] ?? []
        let lmk = made["lmkCheckValue"] as? String ?? ""
        notes.tell(
            "three 32-byte components made inside the module, one on each card: KCV \(components.joined(separator: ", "))"
        )
        notes.tell("LMK term 1, KCV \(lmk); the module is sealed")
        notes.publish("lmk", lmk)
        for (index, value) in components.enumerated() { notes.publish("component\(index + 1)", value) }

        try await refusals(&notes)
        try await load()
        notes.tell("three cards with their PINs: the module is operational")

        _ = try await doors.run("/bin/sh", ["-c", restartModule])
        let restarted = try await waitForModule("sealed")
        try expect(restarted["lmkCheckValue"] as? String == lmk, "the restarted module names another LMK")
        notes.tell("kmsd hsm restarted: sealed")
        try await load()
        notes.tell("opened again from the three cards: operational")
        notes.publish("stateAfterRestart", "sealed, then operational")
    }

    private func present(_ index: Int) async throws {
        try await doors.kmsd(["lmk", "present", "--reader", Self.adminReaders[index]], typing: [people.pins[index]])
    }

    private func load() async throws {
        try await doors.kmsd(["lmk", "begin", "load"])
        for index in 0..<3 { try await present(index) }
        let status = try await doors.kmsd(["lmk", "finish"]).object()
        try expect(
            status["state"] as? String == "operational", "after loading three cards the module must be operational")
    }

    /// Everything that must not open the module.
    private func refusals(_ notes: inout StoryNotes) async throws {
        try await forgeThirdCard()
        try await doors.kmsd(["lmk", "begin", "load"])
        let wrong = people.pins[0] == "000000" ? "111111" : "000000"
        let pin = try await doors.refusal(["lmk", "present", "--reader", Self.adminReaders[0]], typing: [wrong])
        try expect(pin.contains("pinIncorrect") && pin.contains("2"), "a wrong PIN must cost a try: \(pin)")
        notes.tell("a wrong PIN: \(pin)")
        notes.publish("wrongPIN", pin)

        try await present(0)
        let twice = try await doors.refusal(
            ["lmk", "present", "--reader", Self.adminReaders[0]], typing: [people.pins[0]])
        notes.tell("the same card twice: \(twice)")
        notes.publish("sameCardTwice", twice)

        try await present(1)
        let forged = try await doors.refusal(
            ["lmk", "present", "--reader", Self.spareReader], typing: [people.sparePIN])
        notes.tell("a third card with a wrong component: \(forged)")
        notes.publish("wrongComponent", forged)
        try expect(!forged.contains("ceremonyNotOpen"), "the forged card was not even looked at: \(forged)")

        let two = try await doors.refusal(["lmk", "finish"])
        try expect(two.contains("ceremonyIncomplete"), "two of three cards: \(two)")
        notes.tell("two of three cards: \(two)")
        notes.publish("twoOfThree", two)

        _ = try await doors.attempt(["lmk", "abort"])
        let status = try await doors.kmsd(["module", "status"]).object()
        try expect(status["state"] as? String == "sealed", "after all these the module must still be sealed")
        notes.tell("still sealed")
    }

    /// The attack of somebody who has a fourth card and its PIN: it is formatted as custodian 3's, given custodian 3's public
    /// part, and a component of the attacker's own, all through PC/SC.
    private func forgeThirdCard() async throws {
        try await doors.kmsd(
            ["lmk", "format-card", "--custodian", "3", "--reader", Self.spareReader], typing: [people.sparePIN])
        let readers = CardReaders()
        let genuine = try await readers.withCard(in: Self.adminReaders[2]) { card in
            _ = try exchange(card, "select", [0x00, 0xA4, 0x00, 0x00, 0xDF, 0x10], le: 256)
            return try exchange(card, "read", [0x00, 0xB0, 0x81, 0x00], le: 16, answer: 16)
        }
        let pin = Array(people.sparePIN.utf8)
        try await readers.withCard(in: Self.spareReader) { card in
            _ = try exchange(card, "select", [0x00, 0xA4, 0x00, 0x00, 0xDF, 0x10], le: 256)
            _ = try exchange(card, "verify", [0x00, 0x20, 0x00, 0x00] + pin)
            _ = try exchange(card, "write public part", [0x00, 0xD6, 0x81, 0x00] + genuine)
            _ = try exchange(card, "write component", [0x00, 0xD6, 0x82, 0x00] + [UInt8](repeating: 0x5A, count: 32))
        }
    }

    /// Waits for the restarted module, at most half a minute.
    private func waitForModule(_ state: String) async throws -> [String: Any] {
        for _ in 0..<150 {
            let outcome = try await doors.attempt(["module", "status"])
            if outcome.status == 0 {
                let status = try outcome.object()
                if status["state"] as? String == state { return status }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw StoryMismatch("the module did not come back as \(state)")
    }
}
