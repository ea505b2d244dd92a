import CryptoClient
import NIOCore

/// The requests of one connection that wait, oldest first, and the answers that are ready and may not leave yet.
///
/// A request has a number, one more than the one before it. Answers are written in this order, each as soon as all before it
/// are. Nearly every answer is a code, or a code and a MAC, and nearly every header is short: these live in a ring of plain
/// values; what is larger stands beside it, by its number.
struct PendingAnswers {
    /// The longest header that a place of the ring holds.
    static let shortHeader = 8

    private struct Place {
        /// The client header's bytes in memory order, where it is no longer than `shortHeader`.
        var header: UInt64 = 0
        /// When the read came that its frame was cut from, on the meter's clock.
        var arrived: UInt64 = 0
        /// The MAC of the answer, its first byte highest, in the low `macCount` bytes.
        var mac: UInt64 = 0
        var command: UInt16 = 0
        /// The two digits of the answer's code; 0 while there is none.
        var code: UInt16 = 0
        var macCount: UInt8 = 0
        /// There is something for it in `extras`.
        var hasExtra = false
    }

    private struct Extra {
        /// Where it is longer than a place holds.
        var header: ByteBuffer?
        var trailer: ByteBuffer?
        /// Ready, and more than a code.
        var answer: HostAnswer?
    }

    let headerLength: Int
    private let door: ServiceDoor
    private let meter: LoopMeter
    /// The number of the oldest request that waits.
    private var first = 0
    private(set) var count = 0
    /// A power of two places; request number n stands at n modulo their number.
    private var ring = ContiguousArray<Place>(repeating: Place(), count: 16)
    private var extras: [Int: Extra] = [:]
    /// The answers of this turn, each a whole frame.
    private var writer = HostAnswerWriter()

    init(headerLength: Int, door: ServiceDoor, meter: LoopMeter) {
        self.headerLength = headerLength
        self.door = door
        self.meter = meter
    }

    var isEmpty: Bool { count == 0 }

    /// The number of the next request.
    var next: Int { first + count }

    private func isWaiting(_ sequence: Int) -> Bool { sequence >= first && sequence - first < count }

    mutating func removeAll() {
        first += count
        count = 0
        extras.removeAll()
        writer.clear()
    }

    // MARK: Requests

    /// Adds a request.
    mutating func append(_ frame: HostFrame, arrived: UInt64) {
        let sequence = next
        guard headerLength > Self.shortHeader else {
            var header: UInt64 = 0
            let bytes = frame.header.readableBytesUInt8Span
            for index in bytes.indices { header |= UInt64(bytes[index]) << UInt64(8 * index) }
            return append(header: header, command: frame.command.rawValue, arrived: arrived)
        }
        append(header: 0, command: frame.command.rawValue, arrived: arrived)
        setExtra(sequence) { $0.header = ByteBuffer(bytes: frame.header.readableBytesView) }
    }

    /// Adds a request whose header is short, its bytes in memory order.
    @inline(__always)
    mutating func append(header: UInt64, command: UInt16, arrived: UInt64) {
        if count == ring.count { grow() }
        ring[next & (ring.count - 1)] = Place(header: header, arrived: arrived, command: command)
        count += 1
    }

    /// Keeps the trailer that the answer has to end with, in bytes of its own: a slice would keep the whole read.
    mutating func setTrailer(_ trailer: ByteBuffer, _ sequence: Int) {
        setExtra(sequence) { $0.trailer = ByteBuffer(bytes: trailer.readableBytesView) }
    }

    private mutating func setExtra(_ sequence: Int, _ change: (inout Extra) -> Void) {
        guard isWaiting(sequence) else { return }
        ring[sequence & (ring.count - 1)].hasExtra = true
        change(&extras[sequence, default: Extra()])
    }

    private mutating func grow() {
        var larger = ContiguousArray<Place>(repeating: Place(), count: 2 * ring.count)
        for sequence in first..<next { larger[sequence & (larger.count - 1)] = ring[sequence & (ring.count - 1)] }
        ring = larger
    }

    // MARK: Answers

    /// Takes the answer to a request; true when answers became ready to leave.
    mutating func complete(_ sequence: Int, _ answer: HostAnswer) -> Bool {
        guard isWaiting(sequence) else { return false }
        setExtra(sequence) { $0.answer = answer }
        return sequence == first ? writeReady() : false
    }

    /// Takes answers to a run of requests, from `first` on without those in the tally, as long as each is what its shape says.
    /// They leave with `writeReady`.
    mutating func complete(
        _ run: ModuleRun, first: Int, _ replies: inout ModuleReplies, _ tally: inout RunTally
    ) {
        switch run.shape {
        case .verdict:
            while tally.count < run.count, let byte = replies.nextByte() {
                let isRight = byte == 1
                set(first + tally.count, isRight ? HostAnswer.doneCode : HostAnswer.failedCode)
                tally.note(isRight)
            }
        case .mac:
            while tally.count < run.count, let mac = replies.nextMAC() {
                set(first + tally.count, HostAnswer.doneCode, mac.value, UInt8(mac.count))
                tally.succeeded += 1
            }
        default: break
        }
    }

    @inline(__always)
    private mutating func set(_ sequence: Int, _ code: UInt16, _ mac: UInt64 = 0, _ macCount: UInt8 = 0) {
        guard isWaiting(sequence) else { return }
        let index = sequence & (ring.count - 1)
        ring[index].code = code
        ring[index].mac = mac
        ring[index].macCount = macCount
    }

    /// Writes what is ready, from the oldest on; true when that is anything.
    mutating func writeReady() -> Bool {
        var alike = 0
        var (command, code, arrived) = (UInt16(0), UInt16(0), UInt64(0))
        let before = first
        while count > 0 {
            let place = ring[first & (ring.count - 1)]
            var written = place.code
            if place.hasExtra {
                guard let ready = write(place, extras[first]) else { break }
                written = ready
                extras[first] = nil
            } else {
                guard place.code != 0 else { break }
                writer.answer(
                    header: place.header, length: headerLength, command: HostCommandCode(rawValue: place.command),
                    code: place.code, mac: place.mac, macCount: Int(place.macCount))
            }
            if written == code, place.command == command, place.arrived == arrived {
                alike += 1
            } else {
                note(command, code, arrived, alike)
                (command, code, arrived, alike) = (place.command, written, place.arrived, 1)
            }
            first += 1
            count -= 1
        }
        note(command, code, arrived, alike)
        return first > before
    }

    private func note(_ command: UInt16, _ code: UInt16, _ arrived: UInt64, _ count: Int) {
        guard count > 0 else { return }
        meter.answered(
            HostCommandCode(rawValue: command), HostErrorCode(known: code), door: door, since: arrived, count: count)
    }

    /// Writes an answer that is more than its place holds; its code, or nil where there is none yet.
    private mutating func write(_ place: Place, _ extra: Extra?) -> UInt16? {
        let answer: HostAnswer
        if let ready = extra?.answer {
            answer = ready
        } else if place.macCount > 0 {
            let digits = (0..<Int(place.macCount)).map {
                UInt8(truncatingIfNeeded: place.mac >> UInt64(8 * (Int(place.macCount) - 1 - $0)))
            }
            answer = .mac(ByteBuffer(bytes: digits))
        } else if place.code != 0 {
            let code = HostErrorCode(known: place.code)
            answer = code == .noError ? .done : .refused(code)
        } else {
            return nil
        }
        var header = extra?.header ?? ByteBuffer()
        if extra?.header == nil {
            for index in 0..<headerLength {
                header.writeInteger(UInt8(truncatingIfNeeded: place.header >> UInt64(8 * index)))
            }
        }
        let frame = HostFrame(header: header, command: HostCommandCode(rawValue: place.command), body: ByteBuffer())
        answer.write(for: frame, trailer: extra?.trailer, into: &writer)
        return answer.code.bytes
    }

    // MARK: Writing

    /// Lends what is ready to leave; nil where nothing is. The memory is used again when the channel has let go of it.
    mutating func takeWritten() -> ByteBuffer? { writer.lend() }
}
