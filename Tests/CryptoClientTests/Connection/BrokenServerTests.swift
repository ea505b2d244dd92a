import CryptoClient
import NIOCore
import Testing

/// A server, or something in between, that does not keep to the protocol: each request ends with a typed error, none waits.
@Suite struct BrokenServerTests {
    @Test func `a foreign header ends the connection and every request on it`() async throws {
        let outcomes = try await attempt { frame in
            var answers = HostAnswerWriter()
            answers.answer(
                HostFrame(header: ByteBuffer(string: "FFFF"), command: frame.command, body: frame.body),
                with: BytesReply([]))
            return .init(bytes: answers.take())
        }
        #expect(outcomes.allSatisfy { $0 == .outOfStep || $0 == .closed })
        #expect(outcomes.contains(.outOfStep))
    }

    @Test func `the answer to another command ends it too`() async throws {
        let outcomes = try await attempt { frame in
            var answers = HostAnswerWriter()
            answers.answer(
                HostFrame(header: frame.header, command: .diagnostics, body: frame.body), with: BytesReply([]))
            return .init(bytes: answers.take())
        }
        #expect(outcomes.contains(.outOfStep))
    }

    @Test func `an answer that nobody asked for ends it too`() async throws {
        let outcomes = try await attempt(count: 1) { frame in
            var answers = HostAnswerWriter()
            answers.answer(frame, with: BytesReply([]))
            answers.answer(frame, with: BytesReply([]))
            return .init(bytes: answers.take())
        }
        #expect(outcomes == [nil])
    }

    @Test func `a connection closed without answer is closed`() async throws {
        let outcomes = try await attempt { _ in .init(closes: true) }
        #expect(outcomes.allSatisfy { $0 == .closed }, "\(outcomes)")
    }

    @Test func `half an answer is a cut frame`() async throws {
        let outcomes = try await attempt { _ in .init(bytes: ByteBuffer(bytes: bytes("0008 3030")), closes: true) }
        #expect(outcomes.contains(.malformedFrame(.truncated(missing: 6))))
    }

    @Test func `a frame too short for a header is malformed`() async throws {
        let outcomes = try await attempt { _ in .init(bytes: ByteBuffer(bytes: bytes("0002 3030"))) }
        #expect(outcomes.contains(.malformedFrame(.shorterThanHeader(length: 2))))
    }

    @Test func `an unknown error code spoils only its own request`() async throws {
        let server = try await ScriptedServer { frames in
            var bytes = ByteBuffer()
            for frame in frames {
                let code = frame.body.readableBytes > 4 ? "??" : "00"
                try? HostFrame(header: frame.header, command: frame.command.reply, body: ByteBuffer(string: code))
                    .write(into: &bytes)
            }
            return .init(bytes: bytes)
        }
        let connection = try await server.connect()
        await #expect(throws: CryptoClientError.malformedReply(FieldError(.inputData, in: .header))) {
            try await connection.run(EchoRequest([1]))
        }
        #expect(try await connection.run(EchoRequest([])).bytes == [])
        await #expect(throws: CryptoClientError.malformedReply(FieldError(.inputData, in: .checkValue))) {
            try await connection.run(DiagnosticsRequest())
        }
        await connection.close()
        await server.stop()
    }

    @Test func `silence is a timeout for the oldest request and ends the others`() async throws {
        var settings = ScriptedServer.patient
        settings.replyTimeout = .milliseconds(50)
        let outcomes = try await attempt(settings: settings) { _ in .init() }
        #expect(outcomes.filter { $0 == .timedOut }.count == 1)
        #expect(outcomes.filter { $0 == .closed }.count == outcomes.count - 1)
    }

    @Test func `a connection that was closed sends nothing more`() async throws {
        let server = try await ScriptedServer { _, _ in }
        let connection = try await server.connect()
        await connection.close()
        await #expect(throws: CryptoClientError.closed) { try await connection.run(DiagnosticsRequest()) }
        await server.stop()
    }

    @Test func `where nobody listens there is no connection`() async throws {
        // A port that no test's server can be given: those come from the range above 1,023.
        await #expect(throws: CryptoClientError.self) {
            _ = try await CryptoConnection.connect(host: "127.0.0.1", port: 1)
        }
    }

    @Test func `what cannot be sent is not sent and does no harm`() async throws {
        let server = try await ScriptedServer { frame, answers in answers.answer(frame, with: BytesReply([])) }
        let connection = try await server.connect()
        await #expect(throws: CryptoClientError.requestTooLong(65_536)) {
            try await connection.send(command: "B2", body: [UInt8](repeating: 0, count: 65_530))
        }
        await #expect(throws: CryptoClientError.refused(.commandNotLicensed)) {
            try await connection.send(command: "B23", body: [])
        }
        #expect(try await connection.send(command: "B2", body: [UInt8](repeating: 0, count: 65_529)).error == .noError)
        await connection.close()
        await server.stop()
    }

    private func attempt(
        count: Int = 10, settings: CryptoConnection.Settings = ScriptedServer.patient,
        answer: @escaping @Sendable (HostFrame) -> ScriptedServer.Answer
    ) async throws -> [CryptoClientError?] {
        let server = try await ScriptedServer { frames in answer(frames[0]) }
        let connection = try await server.connect(settings)
        let outcomes = await outcomes(of: count, on: connection)
        await connection.close()
        await server.stop()
        return outcomes
    }
}
