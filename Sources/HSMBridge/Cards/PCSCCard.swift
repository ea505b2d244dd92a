/// A card in a PC/SC reader, for the length of one session.
///
/// The only place that knows of 61xx, 6Cxx and the forms of T=0.
final class PCSCCard: CardChannel {
    private let reader: String
    private let line: any LineToCard
    private let limit: Duration
    private let trace: CardTrace?

    /// A misbehaving card may answer 61xx for ever.
    private static let maximumExchanges = 32
    /// Room for the parts of one answer fetched by GET RESPONSE.
    private static let maximumAnswer = 4096

    init(reader: String, line: any LineToCard, limit: Duration, trace: CardTrace?) {
        self.reader = reader
        self.line = line
        self.limit = limit
        self.trace = trace
    }

    func transmit(_ command: CommandAPDU) throws(CardError) -> ResponseAPDU {
        guard command.isWellFormed else { throw .malformedCommand }
        let bytes = command.bytes
        var answer = [UInt8](repeating: 0, count: Self.maximumAnswer)
        var span = answer.mutableSpan
        var room = unsafe span.mutableBytes
        let count = unsafe try converse(bytes.span.bytes, answer: &room, isSecret: false)
        return try ResponseAPDU(bytes: Array(answer.prefix(count)))
    }

    func exchangeSecret(_ command: RawSpan, answer: inout MutableRawSpan) throws(CardError) -> Int {
        try converse(command, answer: &answer, isSecret: true)
    }

    /// Sends the command and whatever the card asks for next; `answer` ends up with all data and the last status word.
    private func converse(_ bytes: RawSpan, answer: inout MutableRawSpan, isSecret: Bool) throws(CardError) -> Int {
        guard var command = LineCommand(bytes, for: line.lineProtocol) else { throw .malformedCommand }
        let part = WipedBuffer()
        var gathered = 0
        for _ in 0..<Self.maximumExchanges {
            let count = try exchange(command.buffer, command.count, command.apdu(isSecret: isSecret), part, isSecret)
            guard part.paste(into: &answer, at: gathered, count: count) else { throw .malformedAnswer }
            switch FollowUp(after: part.status(endingAt: count)) {
            case .getResponse(let length):
                gathered += count - 2
                command.becomeGetResponse(expecting: length)
            case .repeatWithLength(let length) where count == 2 && command.endsWithLe:
                command.setLe(length)
            case .repeatWithLength, .none:
                return gathered + count
            }
        }
        throw .malformedAnswer
    }

    /// One exchange on the line, told to the trace; returns the length of the answer in `part`.
    private func exchange(
        _ command: WipedBuffer, _ length: Int, _ shown: CommandAPDU, _ part: WipedBuffer, _ isSecret: Bool
    ) throws(CardError) -> Int {
        let start = ContinuousClock.now
        func tell(_ response: ResponseAPDU?, _ error: CardError?) {
            trace?(
                CardExchange(
                    reader: reader, command: shown, response: response, error: error, duration: .now - start,
                    isSecret: isSecret))
        }
        do {
            let count = try line.exchange(command, count: length, answer: part, limit: limit)
            let data = isSecret || trace == nil ? [] : part.array(count: count - 2)
            tell(ResponseAPDU(data: data, status: part.status(endingAt: count)), nil)
            return count
        } catch {
            tell(nil, error)
            throw error
        }
    }
}

/// A line that carries bytes to a card and back: `CardLine` over PC/SC, or one scripted in a test.
protocol LineToCard: AnyObject {
    /// The protocol that card and reader agreed on.
    var lineProtocol: LineProtocol { get }

    /// Sends the first `count` bytes of `command` as they stand; returns the length of the answer, at least 2.
    func exchange(_ command: WipedBuffer, count: Int, answer: WipedBuffer, limit: Duration) throws(CardError) -> Int
}

extension WipedBuffer {
    /// The status word that ends an answer of `count` bytes.
    fileprivate func status(endingAt count: Int) -> StatusWord {
        StatusWord(rawValue: UInt16(self[count - 2]) << 8 | UInt16(self[count - 1]))
    }
}
