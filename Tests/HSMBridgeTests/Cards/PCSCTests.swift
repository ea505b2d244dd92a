import Foundation
import Testing

@testable import HSMBridge

/// The real pcscd with virtual readers, cards that leave, cards that say nothing, and a service that dies.
@Suite(.serialized, .enabled(if: PrivateRack.isPossible, "needs root and the virtual readers of vsmartcard-vpcd"))
struct PCSCTests {
    @Test func `cards answer, with follow-ups, on both line protocols`() async {
        await #expect(processExitsWith: .success) { PrivateRack.run(Rehearsal.answers) }
    }

    @Test func `server code gets its card on a thread of its own`() async {
        await #expect(processExitsWith: .success) { try await Rehearsal.asynchronous() }
    }

    @Test func `a card pulled mid-way is gone, and the next one is found`() async {
        await #expect(processExitsWith: .success) { PrivateRack.run(Rehearsal.pulledMidway) }
    }

    @Test func `a mute card costs the time-out, and its reader works again afterwards`() async {
        await #expect(processExitsWith: .success) { PrivateRack.run(Rehearsal.mute) }
    }

    @Test func `pcscd may die and come back`() async {
        await #expect(processExitsWith: .success) { PrivateRack.run(Rehearsal.serviceDies) }
    }
}

private enum Rehearsal {
    static let echo = CommandAPDU(cla: 0, ins: 0x10, p1: 0, p2: 0, data: [1, 2, 3], expectedLength: 256)
    static let readers = CardReaders()

    static func expectEcho(_ card: any CardChannel) throws {
        #expect(try card.transmit(echo) == ResponseAPDU(data: [1, 2, 3], status: .success))
    }

    static func use(_ reader: String = PrivateRack.reader) throws {
        try readers.waitForCard(in: reader, limit: .seconds(20))
        try readers.withCard(in: reader) { card in try expectEcho(card) }
    }

    static func answers(_ rack: PrivateRack) throws {
        #expect(
            try readers.names() == (1...4).flatMap { rack in (0...1).map { "Rack \(rack) 00 0\($0)" } })
        for reader in [PrivateRack.reader, PrivateRack.readerT0] {
            try use(reader)
            try readers.withCard(in: reader) { card in
                let long = try card.transmit(
                    CommandAPDU(cla: 0, ins: 0xC1, p1: 0, p2: 200, data: [0], expectedLength: 256))
                #expect(long == ResponseAPDU(data: (0..<200).map { UInt8($0) }, status: .success))
                let corrected = try card.transmit(CommandAPDU(cla: 0, ins: 0xC2, p1: 0, p2: 0, expectedLength: 256))
                #expect(corrected.data == Array(0..<8))
                #expect(throws: CardError.malformedAnswer) {
                    try card.transmit(CommandAPDU(cla: 0, ins: 0xC3, p1: 0, p2: 0, expectedLength: 256))
                }
                try expectEcho(card)
                #expect(throws: CardError.readerBusy(reader)) { try readers.withCard(in: reader) { _ in } }
            }
        }
        // INS EC shows the command as the card got it.
        let shown = CommandAPDU(cla: 0, ins: 0xEC, p1: 0, p2: 0, data: [5], expectedLength: 256)
        #expect(
            try readers.withCard(in: PrivateRack.reader) { try $0.transmit(shown).data } == [0, 0xEC, 0, 0, 1, 5, 0])
        #expect(
            try readers.withCard(in: PrivateRack.readerT0) { try $0.transmit(shown).data } == [0, 0xEC, 0, 0, 1, 5])
        #expect(throws: CardError.readerUnknown("No such")) { try readers.withCard(in: "No such") { _ in } }
        #expect(throws: CardError.noCard) { try readers.withCard(in: "Rack 2 00 00") { _ in } }
        #expect(throws: CardError.noCard) {
            try readers.withCard(in: "Rack 2 00 00", waitingForCard: .milliseconds(50)) { _ in }
        }
        let states = try readers.states()
        #expect(states.map(\.isCardPresent) == [true, true] + Array(repeating: false, count: 6))
        #expect(states.first?.answerToReset == [0x3B, 0x80, 0x80, 0x01, 0x01])
    }

    static func asynchronous() async throws {
        try await withRack {
            async let first = readers.withCard(in: PrivateRack.reader, waitingForCard: .seconds(20)) { card in
                try card.transmit(echo).data
            }
            async let second = readers.withCard(in: PrivateRack.readerT0, waitingForCard: .seconds(20)) { card in
                try card.transmit(echo).data
            }
            let answers = try await [first, second]
            #expect(answers == [[1, 2, 3], [1, 2, 3]])
            await #expect(throws: CardError.noCard) { try await readers.withCard(in: "Rack 2 00 00") { _ in } }
            await #expect(throws: CardError.timedOut) {
                try await readers.waitForCard(in: "Rack 2 00 00", limit: .milliseconds(50))
            }
        }
    }

    static func pulledMidway(_ rack: PrivateRack) throws {
        try use()
        try rack.tellCard("pull-after 2")
        try readers.withCard(in: PrivateRack.reader) { card in
            try expectEcho(card)
            try expectEcho(card)
            #expect(throws: CardError.cardGone) { try card.transmit(echo) }
            // Nothing more is sent into an unknown state.
            #expect(throws: CardError.cardGone) { try card.transmit(echo) }
        }
        try readers.waitForRemoval(in: PrivateRack.reader, limit: .seconds(20))
        #expect(throws: CardError.noCard) { try readers.withCard(in: PrivateRack.reader) { _ in } }
        try rack.tellCard("insert")
        try use()
    }

    static func mute(_ rack: PrivateRack) throws {
        try use()
        try rack.tellCard("mute-after 1")
        let start = ContinuousClock.now
        // The session's own limit counts, not that of all sessions.
        let patient = CardReaders(transmitLimit: .seconds(600))
        try patient.withCard(in: PrivateRack.reader, timeout: .milliseconds(300)) { card in
            try expectEcho(card)
            #expect(throws: CardError.timedOut) { try card.transmit(echo) }
            #expect(throws: CardError.timedOut) { try card.transmit(echo) }
        }
        #expect(ContinuousClock.now - start < .seconds(300))
        #expect(Abandonment.threads == 1)
        #expect(throws: CardError.readerBusy(PrivateRack.reader)) {
            try readers.withCard(in: PrivateRack.reader) { _ in }
        }
        try use(PrivateRack.readerT0)  // The other readers do not suffer.
        try rack.tell("card 1 stop")
        try readers.waitForRemoval(in: PrivateRack.reader, limit: .seconds(20))
        try rack.tell("card 1 start")
        try use()
        #expect(Abandonment.threads == 0)
    }

    static func serviceDies(_ rack: PrivateRack) throws {
        try use()
        try readers.withCard(in: PrivateRack.reader) { card in
            try expectEcho(card)
            try rack.tell("pcscd kill")
            #expect(throws: CardError.serviceUnavailable) { try card.transmit(echo) }
            #expect(throws: CardError.serviceUnavailable) { try card.transmit(echo) }
        }
        #expect(throws: CardError.serviceUnavailable) { try readers.names() }
        #expect(throws: CardError.serviceUnavailable) { try readers.withCard(in: PrivateRack.reader) { _ in } }
        #expect(throws: CardError.serviceUnavailable) {
            try readers.waitForCard(in: PrivateRack.reader, limit: .seconds(1))
        }
        try rack.tell("pcscd start")
        try use()
    }

    /// The rack for an asynchronous body.
    private static func withRack(_ body: () async throws -> Void) async throws {
        let rack = try PrivateRack.begin()
        do {
            try await body()
        } catch {
            rack.end()
            throw error
        }
        rack.end()
    }
}
