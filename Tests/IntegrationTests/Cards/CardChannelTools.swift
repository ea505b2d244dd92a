import Dispatch
import HSMBridge
import Personalization
import Synchronization

/// A card answered something else than 9000.
struct CardRefused: Error {
    let command: String
    let status: StatusWord
}

extension CardChannel {
    /// Sends an APDU in hexadecimal (header, then data; no length) and insists on 9000.
    func good(_ text: String, le: Int? = nil) throws -> [UInt8] {
        let bytes = Hex.decode(text.filter { $0 != " " }) ?? []
        let command = CommandAPDU(
            cla: bytes[0], ins: bytes[1], p1: bytes[2], p2: bytes[3], data: Array(bytes.dropFirst(4)),
            expectedLength: le)
        let response = try transmit(command)
        guard response.isSuccess else { throw CardRefused(command: text, status: response.status) }
        return response.data
    }
}

/// Waits on a card's own thread for something asynchronous. Never call it from the cooperative pool: it blocks.
func waiting<T: Sendable>(_ body: sending @escaping () async throws -> T) throws -> T {
    let done = DispatchSemaphore(value: 0)
    let outcome = Mutex<Result<T, any Error>?>(nil)
    Task.detached {
        let result = await Result { try await body() }
        outcome.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    guard let result = outcome.withLock({ $0 }) else { throw CancellationError() }
    return try result.get()
}

/// The readers of the rack, with something that happens just before the Nth APDU of a session goes out.
///
/// So the rest of the world can fall away between two APDUs, at a place that the test chooses, with the real card powered.
struct Gate: Sendable {
    let at: Int
    let event: @Sendable () -> Void

    var access: CardAccess {
        CardAccess(
            names: { try Rack.readers.names() },
            withCard: { reader, body in
                try Rack.readers.withCard(in: reader) { body(GatedChannel(channel: $0, gate: self)) }
            })
    }
}

/// One session through a gate; used on the card's thread alone.
private final class GatedChannel: CardChannel {
    private let channel: any CardChannel
    private let gate: Gate
    private var count = 0

    init(channel: any CardChannel, gate: Gate) {
        self.channel = channel
        self.gate = gate
    }

    func transmit(_ command: CommandAPDU) throws(CardError) -> ResponseAPDU {
        pass()
        return try channel.transmit(command)
    }

    func exchangeSecret(_ command: RawSpan, answer: inout MutableRawSpan) throws(CardError) -> Int {
        pass()
        return try channel.exchangeSecret(command, answer: &answer)
    }

    private func pass() {
        count += 1
        if count == gate.at { gate.event() }
    }
}
