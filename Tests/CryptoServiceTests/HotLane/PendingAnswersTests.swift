import CryptoClient
import HSMBridge
import KMS
import NIOCore
import Testing

@testable import CryptoService

/// Answers leave in the order of the requests, each once, whatever the order in which they become ready.
struct PendingAnswersTests {
    private static func frame(_ number: Int, _ headerLength: Int) -> HostFrame {
        let header = (0..<headerLength).map { UInt8(truncatingIfNeeded: number + 31 * $0) }
        return HostFrame(header: ByteBuffer(bytes: header), command: .verifyMAC, body: ByteBuffer())
    }

    private static func answer(_ number: Int) -> HostAnswer {
        switch number % 4 {
        case 0: .done
        case 1: .refused(.verificationFailed)
        case 2: .mac(ByteBuffer(bytes: [1, 2, 3, UInt8(number % 256)]))
        default: .bytes(ByteBuffer(bytes: [UInt8](repeating: UInt8(number % 256), count: number % 50)))
        }
    }

    private static func expected(_ count: Int, _ headerLength: Int) -> [UInt8] {
        var writer = HostAnswerWriter()
        for number in 0..<count {
            answer(number).write(
                for: frame(number, headerLength), trailer: number % 5 == 0 ? ByteBuffer(bytes: [9, 9]) : nil,
                into: &writer)
        }
        return Array(writer.take().readableBytesView)
    }

    @Test(arguments: [0, 1, 4, 8, 9, 255])
    func `Any order of completion writes the same bytes`(headerLength: Int) {
        var random = SplitMix(state: UInt64(headerLength))
        let count = 300
        for _ in 0..<5 {
            let meter = ServiceMetrics().makeLoopMeter()
            var pending = PendingAnswers(headerLength: headerLength, door: .tcp, meter: meter)
            var written: [UInt8] = []
            var open: [Int] = []
            var next = 0
            while next < count || !open.isEmpty {
                if next < count, open.count < 40, random.next() % 2 == 0 || open.isEmpty {
                    #expect(pending.next == next)
                    pending.append(Self.frame(next, headerLength), arrived: 0)
                    if next % 5 == 0 { pending.setTrailer(ByteBuffer(bytes: [9, 9]), next) }
                    open.append(next)
                    next += 1
                } else {
                    let number = open.remove(at: Int(random.next() % UInt64(open.count)))
                    _ = pending.complete(number, Self.answer(number))
                    // A second answer to the same request counts for nothing.
                    if number % 3 == 0, pending.isEmpty { _ = pending.complete(number, .done) }
                    if random.next() % 4 == 0, let buffer = pending.takeWritten() {
                        written += Array(buffer.readableBytesView)
                    }
                }
            }
            if let buffer = pending.takeWritten() { written += Array(buffer.readableBytesView) }
            #expect(pending.isEmpty)
            #expect(written == Self.expected(count, headerLength))
        }
    }

    @Test func `A run of verdicts is answered as one by one, up to the first that is none`() {
        let meter = ServiceMetrics().makeLoopMeter()
        var pending = PendingAnswers(headerLength: 4, door: .tcp, meter: meter)
        var bytes: [UInt8] = [0, 0, 0, 5]
        for verdict: UInt8 in [1, 0, 1] { bytes += [0, 0, 0, 0, 0, 1, verdict] }
        bytes += [0, 7, 0, 0, 0, 2, 0, 0]
        bytes += [0, 0, 0, 0, 0, 1, 1]
        for number in 0..<5 { pending.append(Self.frame(number, 4), arrived: 0) }
        let entry = KeyEntry(
            key: GrantedKey(reference: .block("", expected: nil), name: "*"), client: "", operation: .verifyMAC,
            field: [],
            tick: 0)
        let run = ModuleRun(purpose: .open(entry), shape: .verdict, key: nil, isRetry: false, count: 5)
        var tally = RunTally()
        unsafe bytes.withUnsafeBytes { memory in
            var replies = unsafe ModuleReplies(memory)
            pending.complete(run, first: 0, &replies, &tally)
            #expect(tally.succeeded == 2 && tally.wrong == 1 && tally.count == 3)
            guard case .refused = replies.next() else {
                Issue.record("the refusal is the next answer")
                return
            }
            tally.failed += 1
            _ = pending.complete(3, .refused(.internalError))
            pending.complete(run, first: 0, &replies, &tally)
            #expect(replies.isWhole && replies.isAtEnd)
        }
        let hasAnswers = pending.writeReady()
        #expect(hasAnswers)
        var expected = HostAnswerWriter()
        for (number, code) in ["00", "01", "00", "41", "00"].enumerated() {
            expected.refuse(Self.frame(number, 4), HostErrorCode(rawValue: code) ?? .inputData)
        }
        let written = pending.takeWritten()
        #expect(written == expected.take())
    }
}

struct ModuleRepliesTests {
    @Test func `A short answer reads as the same as a whole one`() {
        for body: [UInt8] in [[], [0], [1], [2], [255], [1, 1], [0, 0, 0, 4, 1, 2, 3, 4], [0, 0, 0, 3, 1, 2, 3]] {
            for error: UInt8 in [0, 3] {
                let bytes = [0, 0, 0, 1, 0, error, 0, 0, 0, UInt8(body.count)] + body
                unsafe bytes.withUnsafeBytes { memory in
                    var first = unsafe ModuleReplies(memory)
                    var second = unsafe ModuleReplies(memory)
                    var third = unsafe ModuleReplies(memory)
                    let byte = first.nextByte()
                    #expect(byte == (error == 0 && body.count == 1 ? body[0] : nil))
                    let mac = second.nextMAC()
                    #expect(mac?.value == (error == 0 && body.count == 8 ? 0x0102_0304 : nil))
                    guard case .success(let whole) = third.next() else {
                        #expect(error != 0)
                        return
                    }
                    #expect(Array(whole.readableBytesView) == body)
                    #expect(third.isAtEnd)
                }
            }
        }
    }

    @Test func `Whatever is cut off reads as a fault and no further`() {
        let whole: [UInt8] = [0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 2, 7, 7]
        for count in 0..<whole.count {
            unsafe Array(whole.prefix(count)).withUnsafeBytes { memory in
                var replies = unsafe ModuleReplies(memory)
                var faults = 0
                for _ in 0..<2 {
                    if replies.nextByte() == nil, case .refused(.internalFault) = replies.next() { faults += 1 }
                }
                #expect(faults > 0 && !replies.isWhole)
            }
        }
    }
}
