import CryptoClient
import NIOCore
import Testing

@Suite struct HostFrameStreamTests {
    private let two = bytes("0006 30303030 4E43 0009 30303031 4232 303030")

    @Test func `all frames of one read come out and share its storage`() throws {
        var stream = HostFrameStream()
        stream.receive(ByteBuffer(bytes: two))
        #expect(try stream.next()?.command == .diagnostics)
        let second = try #require(try stream.next())
        #expect(second.command == .echo && hex(second.body) == "303030" && hex(second.header) == "30303031")
        #expect(try stream.next() == nil)
        #expect(stream.pendingBytes == 0)
        try stream.end()
    }

    @Test(arguments: 1...19)
    func `a cut anywhere changes nothing`(_ cut: Int) throws {
        var stream = HostFrameStream()
        var commands: [HostCommandCode] = []
        for part in [two.prefix(cut), two.dropFirst(cut)] {
            stream.receive(ByteBuffer(bytes: part))
            while let frame = try stream.next() { commands.append(frame.command) }
        }
        #expect(commands == [.diagnostics, .echo])
        #expect(stream.pendingBytes == 0)
    }

    @Test func `a stream whose reads never end with a frame holds no more than a frame and a read`() throws {
        var stream = HostFrameStream()
        var frames = 0
        let wire = Array(repeating: two, count: 100).flatMap(\.self)
        stream.receive(ByteBuffer(bytes: wire.prefix(1)))
        for _ in 0..<500 {
            stream.receive(ByteBuffer(bytes: wire.dropFirst() + wire.prefix(1)))
            while try stream.next() != nil { frames += 1 }
        }
        #expect(frames == 100_000)
        #expect(stream.pendingBytes == 1)
        #expect(stream.pendingCapacity <= 8192)
    }

    @Test func `frames taken before stay what they were when more arrives`() throws {
        var stream = HostFrameStream()
        stream.receive(ByteBuffer(bytes: two.prefix(12)))
        let first = try #require(try stream.next())
        for byte in two.dropFirst(12) + two { stream.receive(ByteBuffer(bytes: [byte])) }
        #expect(hex(first.header) == "30303030")
        #expect(try stream.next()?.command == .echo)
    }

    @Test func `an empty frame and a short one are lost alone`() throws {
        var stream = HostFrameStream()
        stream.receive(ByteBuffer(bytes: bytes("0000 0005 3030303041 0006 30303030 4E43")))
        #expect(throws: FrameError.empty) { try stream.next() }
        #expect(throws: FrameError.shorterThanHeader(length: 5)) { try stream.next() }
        #expect(try stream.next()?.command == .diagnostics)
        #expect(!FrameError.empty.endsConnection && FrameError.empty.code == .messageHeader)
    }

    @Test func `an oversized length is refused before its bytes come, again and again`() throws {
        var stream = HostFrameStream(HostFrameFormat(maximumLength: 100))
        stream.receive(ByteBuffer(bytes: bytes("0065")))
        for _ in 0..<2 {
            #expect(throws: FrameError.oversized(length: 101, limit: 100)) { try stream.next() }
        }
        #expect(FrameError.oversized(length: 101, limit: 100).endsConnection)
        var exact = HostFrameStream(HostFrameFormat(maximumLength: 100))
        exact.receive(ByteBuffer(bytes: bytes("0064") + [UInt8](repeating: 0x41, count: 100)))
        #expect(try exact.next()?.length == 100)
    }

    @Test func `half a frame at the end is a cut one`() throws {
        var stream = HostFrameStream()
        stream.receive(ByteBuffer(bytes: two.prefix(5)))
        #expect(try stream.next() == nil)
        #expect(throws: FrameError.truncated(missing: 3)) { try stream.end() }
        var one = HostFrameStream()
        one.receive(ByteBuffer(bytes: [0]))
        #expect(throws: FrameError.truncated(missing: 1)) { try one.end() }
    }

    @Test(arguments: [0, 1, 8, 12, 255])
    func `any agreed header length works`(_ length: Int) throws {
        let frame = HostFrame(
            header: ByteBuffer(repeating: 0x2A, count: length), command: .echo, body: ByteBuffer(string: "0000"))
        var buffer = ByteBuffer()
        try frame.write(into: &buffer)
        #expect(buffer.readableBytes == length + 8)
        var stream = HostFrameStream(HostFrameFormat(headerLength: length))
        stream.receive(buffer)
        #expect(try stream.next() == frame)
    }

    @Test func `a frame that does not fit in its length is not written`() {
        var buffer = ByteBuffer()
        let frame = HostFrame(
            header: ByteBuffer(string: "0000"), command: .echo, body: ByteBuffer(repeating: 0, count: 65_530))
        #expect(throws: FrameError.oversized(length: 65_536, limit: 65_535)) { try frame.write(into: &buffer) }
        #expect(buffer.readableBytes == 0)
    }

    @Test func `limits outside the possible are moved inside`() {
        #expect(HostFrameFormat(headerLength: -1).headerLength == 0)
        #expect(HostFrameFormat(headerLength: 300, maximumLength: 7).maximumLength == 257)
        #expect(HostFrameFormat(maximumLength: 1 << 20).maximumLength == 65_535)
    }

    @Test func `the decoder for NIO's own handlers gives the same frames`() throws {
        var decoder = HostFrameDecoder()
        var buffer = ByteBuffer(bytes: two + [0])
        #expect(try decoder.decode(buffer: &buffer)?.command == .diagnostics)
        #expect(try decoder.decode(buffer: &buffer)?.command == .echo)
        #expect(try decoder.decode(buffer: &buffer) == nil)
        #expect(buffer.readableBytes == 1)
        #expect(throws: FrameError.truncated(missing: 1)) { try decoder.decodeLast(buffer: &buffer, seenEOF: true) }
    }

    @Test func `a batch of answers is one buffer of frames in order`() throws {
        var stream = HostFrameStream()
        stream.receive(ByteBuffer(bytes: two))
        var answers = HostAnswerWriter()
        answers.answer(
            try #require(try stream.next()), with: DiagnosticsReply(lmkCheckValue: "08d7b4", firmware: "0001-E000"))
        answers.refuse(try #require(try stream.next()), .dataLength, trailer: ByteBuffer(string: "T1"))
        answers.refuse(.empty, format: HostFrameFormat())
        #expect(
            hex(answers.take()) == "0021" + "30303030" + "4E44" + "3030"
                + hex("08D7B400000000000001-E000".utf8) + "000B" + "30303031" + "4233" + "3830" + "195431"
                + "0008" + "30303030" + "3F3F" + "3531")
        #expect(answers.take().readableBytes == 0)
    }
}
