import CryptoClient
import NIOCore

extension FuzzTarget {
    /// A client's stream on the host-command port. First byte: length of the client header (3 bits) and size of the reads
    /// that the stream comes in (5 bits); all others are the stream.
    static let hostFrames = FuzzTarget(name: "host-frames") { input in
        guard let first = input.first else { return nil }
        var stream = HostFrameStream(HostFrameFormat(headerLength: Int(first & 7), maximumLength: 4_096))
        let size = first >> 3 == 0 ? Int.max : Int(first >> 3) * 7
        var rest = input.dropFirst()
        while !rest.isEmpty {
            let read = rest.prefix(size)
            rest = rest.dropFirst(read.count)
            stream.receive(ByteBuffer(bytes: read))
            do throws(FrameError) {
                while let frame = try nextFrame(&stream) {
                    if let finding = finding(in: frame) { return finding }
                }
            } catch {
                return error.code == .noError ? "a frame was refused with code 00" : nil
            }
        }
        return nil
    }

    /// The next frame behind those that are not one; throws what ends the connection.
    private static func nextFrame(_ stream: inout HostFrameStream) throws(FrameError) -> HostFrame? {
        while true {
            do throws(FrameError) { return try stream.next() } catch {
                if error.endsConnection { throw error }
            }
        }
    }

    /// A request is refused with a code, or is written again as it was read.
    private static func finding(in frame: HostFrame) -> String? {
        do throws(FieldError) {
            let (request, end) = try HostRequest.parse(frame)
            let again = request.command.body(end: end)
            return isSameButForCase(again, frame.body) ? nil : "\(frame.command) is not written as it was read"
        } catch {
            return error.code == .noError ? "\(frame.command) was refused with code 00" : nil
        }
    }

    /// Digits are read in either case and written in capitals; nothing else may change.
    static func isSameButForCase(_ one: ByteBuffer, _ other: ByteBuffer) -> Bool {
        one.readableBytes == other.readableBytes
            && zip(one.readableBytesView, other.readableBytesView).allSatisfy { $0 == $1 || $0 | 0x20 == $1 | 0x20 }
    }
}

extension FuzzTarget {
    /// An answer as a client reads it. First byte: length of the trailer that the request had (0 for none); then the body
    /// behind the answer's code, read as the fields of every command.
    static let hostReplies = FuzzTarget(name: "host-replies") { input in
        guard let first = input.first else { return nil }
        let body = ByteBuffer(bytes: input.dropFirst())
        let frame = HostFrame(header: ByteBuffer(), command: HostCommandCode.verifyMAC.reply, body: body)
        guard let reply = try? HostReply(frame, trailerLength: first == 0 ? nil : Int(first % 34)) else { return nil }
        for type in replyKinds {
            if let finding = finding(type, reply.body) { return finding }
        }
        // Other makers' machines have more to say in these than is kept.
        return findingOnceWritten(StatusReply.self, reply.body) ?? findingOnceWritten(HealthReply.self, reply.body)
    }

    private static let replyKinds: [any HostReplyFields.Type] = [
        EmptyReply.self, DiagnosticsReply.self, BytesReply.self, CheckValueReply.self, KeyReply.self, MACReply.self,
        PurseMACReply.self, TACBatchReply.self, CipheredDataReply.self, CardCodeReply.self, SchemeReply.self,
        SignatureReply.self, KeyPairReply.self, PublicKeyReply.self, LoadingReply.self, VolumesReply.self,
        HealthCountsReply.self,
    ]

    private static func finding<Fields: HostReplyFields>(_ type: Fields.Type, _ body: ByteBuffer) -> String? {
        guard let fields = try? type.parse(body) else { return nil }
        return isSameButForCase(written(fields), body) ? nil : "\(type) is not written as it was read"
    }

    private static func findingOnceWritten<Fields: HostReplyFields>(
        _ type: Fields.Type, _ body: ByteBuffer
    ) -> String? {
        guard let fields = try? type.parse(body) else { return nil }
        let once = written(fields)
        guard let again = try? type.parse(once) else { return "\(type) is not read as it is written" }
        return written(again) == once ? nil : "\(type) is read otherwise than it was written"
    }

    private static func written(_ fields: some HostReplyFields) -> ByteBuffer {
        var buffer = ByteBuffer()
        fields.write(into: &buffer)
        return buffer
    }
}
