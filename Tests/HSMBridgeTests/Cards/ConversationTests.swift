import Synchronization
import Testing

@testable import HSMBridge

/// `PCSCCard` over a line that answers from a script: what goes over the line is compared byte for byte.
@Suite struct ConversationTests {
    @Test func `a T=1 card gets the command as written`() throws {
        let line = ScriptedLine(.t1, [[0xAA, 0x90, 0x00]])
        let response = try line.card.transmit(select)
        #expect(response == ResponseAPDU(data: [0xAA], status: .success))
        #expect(line.sent == [[0, 0xA4, 0, 0, 2, 0x3F, 0, 0]])
    }

    @Test func `a T=0 card gets no Le with data and is asked for what it holds`() throws {
        let line = ScriptedLine(.t0, [[0x61, 0x02], [1, 2, 0x90, 0x00]])
        let response = try line.card.transmit(select)
        #expect(response == ResponseAPDU(data: [1, 2], status: .success))
        #expect(line.sent == [[0, 0xA4, 0, 0, 2, 0x3F, 0], [0, 0xC0, 0, 0, 2]])
    }

    @Test func `a T=0 card gets P3 for an empty command`() throws {
        let line = ScriptedLine(.t0, [[0x90, 0x00]])
        _ = try line.card.transmit(CommandAPDU(cla: 0x80, ins: 0x0E, p1: 0, p2: 0))
        #expect(line.sent == [[0x80, 0x0E, 0, 0, 0]])
    }

    @Test(arguments: [LineProtocol.t0, .t1]) func `commands of case 2 and 3 are alike on both`(kind: LineProtocol)
        throws
    {
        let line = ScriptedLine(kind, [[7, 0x90, 0x00], [0x90, 0x00]])
        _ = try line.card.transmit(CommandAPDU(cla: 0, ins: 0x84, p1: 0, p2: 0, expectedLength: 256))
        _ = try line.card.transmit(CommandAPDU(cla: 0, ins: 0xD6, p1: 0, p2: 0, data: [5]))
        #expect(line.sent == [[0, 0x84, 0, 0, 0], [0, 0xD6, 0, 0, 1, 5]])
    }

    @Test func `a long answer is gathered from its parts`() throws {
        let line = ScriptedLine(.t1, [[1, 2, 0x61, 0x00], [3, 0x61, 0x01], [4, 0x62, 0x81]])
        let response = try line.card.transmit(select)
        #expect(response == ResponseAPDU(data: [1, 2, 3, 4], status: 0x6281))
        #expect(line.sent.dropFirst() == [[0, 0xC0, 0, 0, 0], [0, 0xC0, 0, 0, 1]])
    }

    @Test func `the Le that the card wants is used`() throws {
        let line = ScriptedLine(.t1, [[0x6C, 0x01], [9, 0x90, 0x00], [0x6C, 0x03], [1, 2, 3, 0x90, 0x00]])
        let short = try line.card.transmit(CommandAPDU(cla: 0, ins: 0xB0, p1: 0, p2: 0, expectedLength: 256))
        #expect(short.data == [9])
        let long = try line.card.transmit(select)
        #expect(long.data == [1, 2, 3])
        #expect(
            line.sent == [
                [0, 0xB0, 0, 0, 0], [0, 0xB0, 0, 0, 1], [0, 0xA4, 0, 0, 2, 0x3F, 0, 0], [0, 0xA4, 0, 0, 2, 0x3F, 0, 3],
            ])
    }

    @Test func `6Cxx after a command without Le is the card's last word`() throws {
        let line = ScriptedLine(.t1, [[0x6C, 0x03]])
        #expect(try line.card.transmit(CommandAPDU(cla: 0, ins: 0xD6, p1: 0, p2: 0, data: [5])).status == 0x6C03)
    }

    @Test func `a card that promises data for ever is given up`() {
        let line = ScriptedLine(.t1, Array(repeating: [0x61, 0x01], count: 100))
        #expect(throws: CardError.malformedAnswer) { try line.card.transmit(select) }
        #expect(line.sent.count == 32)
    }

    @Test func `an ill-formed command is not sent`() {
        let line = ScriptedLine(.t1, [])
        #expect(throws: CardError.malformedCommand) {
            try line.card.transmit(CommandAPDU(cla: 0, ins: 0xD6, p1: 0, p2: 0, data: Array(repeating: 0, count: 256)))
        }
        #expect(line.sent.isEmpty)
    }

    @Test func `a secret goes both ways but not into the trace`() throws {
        let line = ScriptedLine(.t1, [[0x61, 0x03], [7, 8, 9, 0x90, 0x00]])
        let verify: [UInt8] = [0, 0x20, 0, 0, 2, 0x31, 0x32]
        var answer = [UInt8](repeating: 0, count: 258)
        var span = answer.mutableSpan
        var room = unsafe span.mutableBytes
        let count = try unsafe line.card.exchangeSecret(verify.span.bytes, answer: &room)
        #expect(Array(answer.prefix(count)) == [7, 8, 9, 0x90, 0x00])
        #expect(line.sent.first == verify)
        #expect(line.traced.count == 2)
        for exchange in line.traced {
            #expect(exchange.isSecret)
            #expect(exchange.command.data.isEmpty)
            #expect(exchange.response?.data == [])
        }
    }

    @Test func `an answer longer than the room given is refused`() throws {
        let line = ScriptedLine(.t1, [[1, 2, 3, 0x90, 0x00]])
        let read: [UInt8] = [0, 0xB0, 0, 0, 0]
        var answer = [UInt8](repeating: 0, count: 4)
        var span = answer.mutableSpan
        var room = unsafe span.mutableBytes
        var failure: CardError?
        do throws(CardError) { _ = try unsafe line.card.exchangeSecret(read.span.bytes, answer: &room) } catch {
            failure = error
        }
        #expect(failure == .malformedAnswer)
    }

    @Test func `the trace is told of every exchange and of its failure`() throws {
        let line = ScriptedLine(.t1, [[0x61, 0x01], [5, 0x90, 0x00]])
        _ = try line.card.transmit(select)
        #expect(throws: CardError.cardGone) { try line.card.transmit(select) }
        #expect(line.traced.map(\.command.ins) == [0xA4, 0xC0, 0xA4])
        #expect(line.traced.map(\.response?.status) == [0x6101, 0x9000, nil])
        #expect(line.traced.last?.error == .cardGone)
    }

    private let select = CommandAPDU(cla: 0, ins: 0xA4, p1: 0, p2: 0, data: [0x3F, 0], expectedLength: 256)
}

/// A line whose answers are written down beforehand; with none left the card is gone.
private final class ScriptedLine: LineToCard {
    let lineProtocol: LineProtocol
    private var answers: [[UInt8]]
    private(set) var sent: [[UInt8]] = []
    private let trace = Trace()

    init(_ lineProtocol: LineProtocol, _ answers: [[UInt8]]) {
        self.lineProtocol = lineProtocol
        self.answers = answers
    }

    var card: PCSCCard {
        let trace = trace
        return PCSCCard(reader: "Script", line: self, limit: .seconds(1)) { trace.add($0) }
    }

    var traced: [CardExchange] { trace.all }

    func exchange(_ command: WipedBuffer, count: Int, answer: WipedBuffer, limit: Duration) throws(CardError) -> Int {
        sent.append(command.array(count: count))
        guard !answers.isEmpty else { throw .cardGone }
        let next = answers.removeFirst()
        unsafe answer.copy(next.span.bytes)
        return next.count
    }

    private final class Trace: Sendable {
        private let exchanges = Mutex<[CardExchange]>([])
        var all: [CardExchange] { exchanges.withLock { $0 } }
        func add(_ exchange: CardExchange) { exchanges.withLock { $0.append(exchange) } }
    }
}
