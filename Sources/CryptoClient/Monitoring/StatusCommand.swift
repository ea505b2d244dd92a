public import NIOCore

/// NO: mode 2 (`00` the state of the host port, `01` PCI HSM compliance).
///
/// Layouts of this and of J2, J4, J8 and JK as the decoders of the open monitoring client payshield-pressure-test 1.5 read them.
public struct StatusRequest: HostCommand {
    public typealias Reply = StatusReply
    public static let code = HostCommandCode.status

    public var mode: Mode

    public enum Mode: String, Sendable, Hashable, CaseIterable {
        case hostPort = "00"
        case compliance = "01"
    }

    public init(_ mode: Mode = .hostPort) { self.mode = mode }

    public init(from reader: inout FieldReader) throws(FieldError) { mode = try reader.pair(.mode, .inputData) }

    public func write(into buffer: inout ByteBuffer) { buffer.writeString(mode.rawValue) }
}

/// NP.
public enum StatusReply: HostReplyFields, Hashable {
    /// I/O buffer 1 (`3`: 32 kB or more) | protocol 1 (`1`: TCP) | connections 2 or 4 | firmware 9 | reserved 1 | reserved 4.
    case hostPort(connections: Int, firmware: String)
    /// One digit: `1` all settings are compliant, `0` and `2` they are not.
    case compliance(UInt8)

    private static let longest = 18

    public init(from reader: inout FieldReader) throws(FieldError) {
        if reader.remaining == 1 {
            self = .compliance(UInt8(truncatingIfNeeded: try reader.decimal(digits: 1, .figures)))
            return
        }
        let digits = reader.remaining > Self.longest ? 4 : 2
        _ = try reader.printable(2, .figures)
        let connections = try reader.decimal(digits: digits, .figures)
        let firmware = try reader.printable(9, .firmware)
        _ = try reader.printable(5, .figures)
        self = .hostPort(connections: connections, firmware: firmware)
    }

    /// Eighteen characters with two digits of connections: the form that every known client reads right. 99 stands for more.
    public func write(into buffer: inout ByteBuffer) {
        switch self {
        case .hostPort(let connections, let firmware):
            buffer.writeString("31")
            buffer.writeCount(UInt64(max(0, connections)), digits: 2)
            buffer.writeString(String((firmware + "         ").prefix(9)))
            buffer.writeString("00000")
        case .compliance(let digit): buffer.writeDecimal(Int(digit % 10), digits: 1)
        }
    }
}
