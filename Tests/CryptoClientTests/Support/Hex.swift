import CryptoClient
import NIOCore
import Testing

/// Bytes out of hexadecimal digits; everything else is skipped.
func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "0" + digits : digits
    }.joined()
}

func hex(_ buffer: ByteBuffer) -> String { hex(buffer.readableBytesView) }

/// A body of characters; `~` stands for X'19'.
func body(_ text: String) -> ByteBuffer {
    ByteBuffer(string: text.replacing("~", with: "\u{19}"))
}

func frame(_ command: String, _ body: ByteBuffer, header: String = "0000") throws -> HostFrame {
    HostFrame(
        header: ByteBuffer(string: header), command: try #require(HostCommandCode(command)), body: body)
}
