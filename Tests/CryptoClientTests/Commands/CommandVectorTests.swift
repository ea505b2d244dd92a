import CryptoClient
import NIOCore
import Testing

/// Messages written down a second time, apart from the Swift code.
@Suite struct CommandVectorTests {
    @Test func `the vectors are all there`() {
        #expect(CommandVector.all.count >= 190)
    }

    @Test(arguments: CommandVector.all)
    func `each request and each answer is read and written back byte for byte`(_ vector: CommandVector) throws {
        let frame = try frame(vector.request)
        let (request, end) = try HostRequest.parse(frame)
        #expect(hex(request.command.body(end: end)) == hex(frame.body))
        let reply = try HostReply(try self.frame(vector.answer))
        #expect(reply.command == frame.command.reply)
        guard reply.error == .noError else {
            #expect(reply.body.readableBytes == 0)
            return
        }
        let again = try #require(try rewriteReply(reply.command, reply.body))
        #expect(hex(again) == hex(reply.body))
    }

    private func frame(_ text: String) throws -> HostFrame {
        var stream = HostFrameStream()
        stream.receive(ByteBuffer(bytes: bytes(text)))
        return try #require(try stream.next())
    }
}
