/// One command to a card in its short form, ISO/IEC 7816-4 §5 (命令APDU): header, up to 255 bytes of data, Le up to 256.
///
/// Never print `data`: it may be a PIN or a key in some dialects. `description` shows the header and lengths only.
public struct CommandAPDU: Sendable, Hashable {
    /// Class byte; low nibble 4 marks line protection (secure messaging).
    public var cla: UInt8
    /// Instruction byte.
    public var ins: UInt8
    /// First parameter.
    public var p1: UInt8
    /// Second parameter.
    public var p2: UInt8
    /// Command data, at most 255 bytes; Lc is made from its count.
    public var data: [UInt8]
    /// Le: bytes expected back, 1…256; nil when the command asks for none.
    public var expectedLength: Int?

    /// A command from its parts; lengths out of range are refused when it is sent (`CardError.malformedCommand`).
    public init(
        cla: UInt8, ins: UInt8, p1: UInt8, p2: UInt8, data: [UInt8] = [], expectedLength: Int? = nil
    ) {
        (self.cla, self.ins, self.p1, self.p2) = (cla, ins, p1, p2)
        self.data = data
        self.expectedLength = expectedLength
    }

    /// Reads one of the four short cases; nil when the lengths contradict each other.
    public init?(bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        self.init(cla: bytes[0], ins: bytes[1], p1: bytes[2], p2: bytes[3])
        switch bytes.count {
        case 4:
            break
        case 5:
            expectedLength = Self.length(fromByte: bytes[4])
        default:
            let end = 5 + Int(bytes[4])
            guard bytes[4] != 0, bytes.count == end || bytes.count == end + 1 else { return nil }
            data = Array(bytes[5..<end])
            expectedLength = bytes.count == end ? nil : Self.length(fromByte: bytes[end])
        }
    }

    /// Whether data and Le fit the short form.
    public var isWellFormed: Bool {
        data.count <= 255 && expectedLength.map { (1...256).contains($0) } ?? true
    }

    /// The command on the line, case 1 to 4: `CLA INS P1 P2 [Lc data] [Le]`, Le 256 written as 00.
    public var bytes: [UInt8] {
        var bytes = [cla, ins, p1, p2]
        if !data.isEmpty {
            bytes.append(UInt8(truncatingIfNeeded: data.count))
            bytes += data
        }
        if let expectedLength { bytes.append(UInt8(truncatingIfNeeded: expectedLength)) }
        return bytes
    }

    private static func length(fromByte byte: UInt8) -> Int { byte == 0 ? 256 : Int(byte) }
}

extension CommandAPDU: CustomStringConvertible {
    /// Header and lengths; the data itself stays out of logs.
    public var description: String {
        let header = [cla, ins, p1, p2].map(hexPair).joined(separator: " ")
        let input = data.isEmpty ? "" : ", \(data.count) bytes of data"
        let output = expectedLength.map { ", Le \($0)" } ?? ""
        return header + input + output
    }
}

/// One answer of a card (响应APDU): data and the status word that follows it.
public struct ResponseAPDU: Sendable, Hashable {
    /// Answer data without SW1 SW2.
    public var data: [UInt8]
    /// SW1 SW2.
    public var status: StatusWord

    /// An answer from its parts, for cards played in memory.
    public init(data: [UInt8] = [], status: StatusWord) {
        self.data = data
        self.status = status
    }

    /// Splits what came over the line. Fewer than two bytes mean that the card left while it was working: pcscd reports
    /// success with length 0 then (security.md §5.4).
    public init(bytes: [UInt8]) throws(CardError) {
        guard bytes.count >= 2 else { throw .cardGone }
        data = Array(bytes.dropLast(2))
        status = StatusWord(rawValue: UInt16(bytes[bytes.count - 2]) << 8 | UInt16(bytes[bytes.count - 1]))
    }

    /// Data and status as they came.
    public var bytes: [UInt8] { data + [status.sw1, status.sw2] }

    /// Whether the status is 9000.
    public var isSuccess: Bool { status.isSuccess }
}

extension ResponseAPDU: CustomStringConvertible {
    /// Length and status; the data itself stays out of logs.
    public var description: String { "\(data.count) bytes, \(status)" }
}

private func hexPair(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count == 1 ? "0" + digits : digits
}
