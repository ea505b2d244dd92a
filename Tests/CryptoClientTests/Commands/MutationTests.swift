import CryptoClient
import NIOCore
import Testing

/// Damaged messages by the ten thousand: whatever comes in, the outcome is a value or a typed error, and what was taken
/// is written back as it was read.
@Suite struct MutationTests {
    /// Xorshift, so that a failure can be repeated.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    private static let seeds: [[UInt8]] =
        WireMessage.all.map { bytes($0.message) } + ProtocolPage.messages.map { Array($0.bytes.dropFirst(2)) }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `damaged messages are read or refused, never more`(_ seed: UInt64) throws {
        var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
        var taken = 0
        var refused = 0
        for _ in 0..<25_000 {
            let message = Self.damage(Self.seeds.randomElement(using: &dice) ?? [], &dice)
            var stream = HostFrameStream()
            var wire = ByteBuffer(integer: UInt16(min(message.count, 65_535)))
            wire.writeBytes(message.prefix(65_535))
            stream.receive(wire)
            guard let frame = try? stream.next() else {
                refused += 1
                continue
            }
            do throws(FieldError) {
                let (request, end) = try HostRequest.parse(frame)
                taken += 1
                let again = request.command.body(end: end)
                #expect(Self.isSameButForCase(again, frame.body))
            } catch {
                refused += 1
                #expect(error.code != .noError)
            }
            _ = try? HostReply(frame, trailerLength: Int.random(in: 0...33, using: &dice))
            _ = try? rewriteReply(frame.command, frame.body)
        }
        #expect(taken > 2_000)
        #expect(refused > 5_000)
    }

    @Test func `any bytes at all make frames or typed errors`() {
        var dice = Dice(state: 99)
        for _ in 0..<2_000 {
            var stream = HostFrameStream(
                HostFrameFormat(headerLength: Int.random(in: 0...8, using: &dice), maximumLength: 300))
            for _ in 0..<4 {
                let count = Int.random(in: 0...40, using: &dice)
                stream.receive(ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: 0...3, using: &dice) }))
                var isOpen = true
                while isOpen {
                    do throws(FrameError) {
                        isOpen = try stream.next() != nil
                    } catch {
                        isOpen = !error.endsConnection
                    }
                }
            }
        }
    }

    private static func damage(_ message: [UInt8], _ dice: inout Dice) -> [UInt8] {
        var message = message
        for _ in 0..<Int.random(in: 0...2, using: &dice) where message.count > 6 {
            let place = Int.random(in: 4..<message.count, using: &dice)
            switch Int.random(in: 0..<6, using: &dice) {
            case 0: message[place] ^= 1 << UInt8.random(in: 0...7, using: &dice)
            case 1: message[place] = UInt8.random(in: 0...255, using: &dice)
            case 2: message.remove(at: place)
            case 3: message.insert(UInt8.random(in: 0x20...0x7E, using: &dice), at: place)
            case 4: message.removeSubrange(place...)
            default: message += Array("%01#;&\u{19}LSR0".utf8).shuffled(using: &dice).prefix(3)
            }
        }
        return message
    }

    /// Digits are read in either case and written in capitals; nothing else may change.
    private static func isSameButForCase(_ one: ByteBuffer, _ other: ByteBuffer) -> Bool {
        one.readableBytes == other.readableBytes
            && zip(one.readableBytesView, other.readableBytesView).allSatisfy { $0 == $1 || $0 | 0x20 == $1 | 0x20 }
    }
}
