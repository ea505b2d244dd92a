/// How commands travel to a contact card: ISO/IEC 7816-3, by bytes (T=0) or by blocks (T=1).
enum LineProtocol: Sendable {
    case t0, t1
}

/// A command as it goes over the line, ready to become the follow-up that the card asks for.
struct LineCommand: ~Copyable {
    /// Wiped when the command is given up.
    let buffer: WipedBuffer
    /// Bytes in use.
    private(set) var count: Int
    /// Whether the last byte is an Le that 6Cxx can correct.
    private(set) var endsWithLe: Bool

    /// Takes a short APDU; nil when its lengths contradict each other.
    ///
    /// T=1 carries it as written. T=0 has one length byte, P3 (ISO/IEC 7816-3 §12.2): case 1 gets P3 = 00, and case 4
    /// goes without Le, since the card announces its data with 61xx.
    init?(_ command: RawSpan, for line: LineProtocol) {
        guard (4...261).contains(command.byteCount) else { return nil }
        let buffer = WipedBuffer()
        buffer.copy(command)
        var count = command.byteCount
        var endsWithLe = count == 5
        if count > 5 {
            let end = 5 + Int(buffer[4])
            guard buffer[4] != 0, count == end || count == end + 1 else { return nil }
            endsWithLe = count == end + 1
        }
        if line == .t0 {
            if count == 4 {
                buffer[4] = 0
                count = 5
            } else if count > 5, endsWithLe {
                count -= 1
                endsWithLe = false
            }
        }
        self.buffer = buffer
        self.count = count
        self.endsWithLe = endsWithLe
    }

    /// `00 C0 00 00 Le`, ISO/IEC 7816-4 §11.4; Le 256 as 00.
    mutating func becomeGetResponse(expecting length: Int) {
        buffer.wipe()
        buffer[1] = 0xC0
        buffer[4] = UInt8(truncatingIfNeeded: length)
        count = 5
        endsWithLe = true
    }

    /// Le (P3) corrected as 6Cxx asks.
    mutating func setLe(_ length: Int) {
        buffer[count - 1] = UInt8(truncatingIfNeeded: length)
    }

    /// The command for a transcript, as it goes over the line; the header alone when it carries a secret.
    func apdu(isSecret: Bool) -> CommandAPDU {
        let header = CommandAPDU(cla: buffer[0], ins: buffer[1], p1: buffer[2], p2: buffer[3])
        return isSecret ? header : CommandAPDU(bytes: buffer.array(count: count)) ?? header
    }
}

/// What is sent next after an answer, so that callers never meet 61xx and 6Cxx.
enum FollowUp: Equatable {
    /// The answer is final.
    case none
    /// GET RESPONSE with this Le.
    case getResponse(Int)
    /// The same command again with this Le.
    case repeatWithLength(Int)

    init(after status: StatusWord) {
        if let bytes = status.waitingBytes {
            self = .getResponse(bytes)
        } else if let length = status.wantedLength {
            self = .repeatWithLength(length)
        } else {
            self = .none
        }
    }
}
