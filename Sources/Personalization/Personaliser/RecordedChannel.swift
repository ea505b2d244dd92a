internal import HSMBridge

/// A channel that keeps the transcript: commands and answers as they went over the line, with key data as ciphertext (there is no
/// other) and PINs masked.
final class RecordedChannel {
    private let channel: any CardChannel
    private var lines: [String] = []
    /// What the next exchanges belong to.
    var step = ""

    init(_ channel: any CardChannel) { self.channel = channel }

    /// The lines since the last call.
    func take() -> [String] {
        defer { lines = [] }
        return lines
    }

    func send(_ command: CommandAPDU, accepting: Set<StatusWord>) throws(SessionStop) -> ResponseAPDU {
        let response: ResponseAPDU
        do throws(CardError) { response = try channel.transmit(command) } catch {
            note(Hex.encode(command.bytes), "no answer: \(error)")
            throw .line(error)
        }
        note(Hex.encode(command.bytes), Hex.encode(response.bytes))
        guard accepting.contains(response.status) else { throw .status(response.status) }
        return response
    }

    /// A command whose last `secret` bytes are seen by the card alone.
    func send(_ visible: [UInt8], secret: TransportPIN, accepting: Set<StatusWord>) throws(SessionStop) -> StatusWord {
        var answer = [UInt8](repeating: 0, count: 258)
        let shown = Hex.encode(visible) + String(repeating: "*", count: 2 * secret.count)
        let status: StatusWord
        do throws(CardError) {
            status = try secret.withDigits { (digits) throws(CardError) in
                var command = visible + digits
                defer { for index in command.indices { command[index] = 0 } }
                var span = answer.mutableSpan
                var room = unsafe span.mutableBytes
                let count = try unsafe channel.exchangeSecret(command.span.bytes, answer: &room)
                guard count == 2 else { throw .malformedAnswer }
                return StatusWord(rawValue: UInt16(answer[0]) << 8 | UInt16(answer[1]))
            }
        } catch {
            note(shown, "no answer: \(error)")
            throw .line(error)
        }
        note(shown, Hex.encode([status.sw1, status.sw2]))
        guard accepting.contains(status) else { throw .status(status) }
        return status
    }

    private func note(_ command: String, _ answer: String) { lines.append("\(step) | \(command) | \(answer)") }
}
