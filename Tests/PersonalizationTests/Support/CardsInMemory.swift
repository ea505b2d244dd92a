import CardSimulator
import Dispatch
import HSMBridge
import Personalization
import Synchronization

/// Readers with cards in this process, which can be pulled at any APDU.
final class CardsInMemory: Sendable {
    /// When a card goes: before or after it has carried out its Nth APDU; the answer is lost in both cases.
    struct Pull: Sendable {
        let at: Int
        let isCarriedOut: Bool
    }

    struct Slot: Sendable {
        var card: any SmartCard
        var pull: Pull?
        var isPresent = true
        var count = 0
        /// Before the Nth APDU is carried out.
        var action: (at: Int, run: @Sendable () -> Void)?
    }

    private let slots = Mutex([String: Slot]())

    var access: CardAccess {
        CardAccess(
            names: { self.slots.withLock { Array($0.keys) } },
            withCard: { reader, body in
                try self.powerUp(reader)
                body(Channel(readers: self, reader: reader))
            })
    }

    func insert(_ card: any SmartCard, in reader: String, pull: Pull? = nil) {
        slots.withLock { $0[reader] = Slot(card: card, pull: pull) }
    }

    func reinsert(_ reader: String, pull: Pull? = nil) {
        slots.withLock {
            $0[reader]?.isPresent = true
            $0[reader]?.pull = pull
            $0[reader]?.count = 0
        }
    }

    /// Does something on the card's thread before its Nth APDU.
    func before(_ at: Int, in reader: String, _ action: @escaping @Sendable () -> Void) {
        slots.withLock { $0[reader]?.action = (at, action) }
    }

    /// Holds the card's first APDU until the semaphore is signalled.
    func hold(_ reader: String) -> DispatchSemaphore {
        let gate = DispatchSemaphore(value: 0)
        before(1, in: reader) { gate.wait() }
        return gate
    }

    func remove(_ reader: String) { slots.withLock { $0[reader]?.isPresent = false } }

    func count(_ reader: String) -> Int { slots.withLock { $0[reader]?.count ?? 0 } }

    func card(_ reader: String) -> any SmartCard { slots.withLock { $0[reader]!.card } }

    private func powerUp(_ reader: String) throws {
        try slots.withLock { slots in
            guard slots[reader]?.isPresent == true else { throw CardError.noCard }
            slots[reader]?.card.reset()
        }
    }

    fileprivate func exchange(_ command: [UInt8], _ reader: String) throws(CardError) -> [UInt8] {
        let action = slots.withLock { slots -> (@Sendable () -> Void)? in
            guard let slot = slots[reader], let action = slot.action, action.at == slot.count + 1 else { return nil }
            return action.run
        }
        action?()
        let answer: [UInt8]? = slots.withLock { slots in
            guard var slot = slots[reader], slot.isPresent else { return nil }
            slot.count += 1
            let isPulled = slot.count == slot.pull?.at
            if isPulled { slot.isPresent = false }
            let answer = !isPulled || slot.pull?.isCarriedOut == true ? slot.card.respond(to: command) : []
            slots[reader] = slot
            return isPulled ? nil : answer
        }
        guard let answer else { throw .cardGone }
        return answer
    }

    struct Channel: CardChannel {
        let readers: CardsInMemory
        let reader: String

        func transmit(_ command: CommandAPDU) throws(CardError) -> ResponseAPDU {
            try ResponseAPDU(bytes: try readers.exchange(command.bytes, reader))
        }
    }

    /// Power on, for tests that play a terminal.
    func channel(_ reader: String) throws -> Channel {
        try powerUp(reader)
        return Channel(readers: self, reader: reader)
    }
}

extension CardChannel {
    /// Sends hexadecimal and insists on 9000.
    func good(_ text: String, le: Int? = nil) throws -> [UInt8] {
        let bytes = Hex.decode(text.filter { $0 != " " }) ?? []
        let command = CommandAPDU(
            cla: bytes[0], ins: bytes[1], p1: bytes[2], p2: bytes[3], data: Array(bytes.dropFirst(4)),
            expectedLength: le)
        let response = try transmit(command)
        guard response.isSuccess else { throw TerminalRefused(command: text, status: response.status) }
        return response.data
    }
}

struct TerminalRefused: Error {
    let command: String
    let status: StatusWord
}
