import CryptoClient
import NIOCore
import Synchronization
import Testing

@Suite struct CryptoConnectionTests {
    @Test func `two thousand tasks share one connection and each gets its own answer`() async throws {
        let server = try await ScriptedServer { frame, answers in
            answers.answer(frame, with: BytesReply(ByteBuffer(bytes: frame.body.readableBytesView.dropFirst(4))))
        }
        let connection = try await server.connect()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<2000 {
                group.addTask {
                    let data = Array("request \(number)".utf8)
                    let answer = try await connection.run(EchoRequest(data))
                    #expect(answer.bytes == data)
                }
            }
            try await group.waitForAll()
        }
        #expect(connection.isOpen)
        await connection.close()
        #expect(!connection.isOpen)
        await server.stop()
    }

    @Test func `no more requests are under way than allowed, and those beyond the queue are refused`() async throws {
        let seen = Mutex(0)
        let server = try await ScriptedServer { frames in
            seen.withLock { $0 += frames.count }
            return .init()
        }
        var settings = ScriptedServer.patient
        settings.maximumInFlight = 4
        settings.maximumWaiting = 8
        let connection = try await server.connect(settings)
        var busy = 0
        var closed = 0
        await withTaskGroup(of: CryptoClientError?.self) { group in
            for _ in 0..<40 { group.addTask { await outcome(of: EchoRequest([]), on: connection) } }
            // Nothing is answered, so 4 are sent, 8 wait, and the other 28 come back at once.
            for await outcome in group {
                busy += outcome == .busy ? 1 : 0
                closed += outcome == .closed ? 1 : 0
                if busy == 28, closed == 0 { await connection.close() }
            }
        }
        #expect(busy == 28 && closed == 12)
        #expect(seen.withLock { $0 } <= 4)
        await server.stop()
    }

    @Test func `ten thousand TACs go in seven frames and come back in order`() async throws {
        let sizes = Mutex<[Int]>([])
        let server = try await ScriptedServer { frame, answers in
            guard case .verifyTACBatch(let batch) = try? HostRequest.parse(frame).request else {
                answers.refuse(frame, .inputData)
                return
            }
            sizes.withLock { $0.append(batch.count) }
            let verdicts = (0..<batch.count).map { (batch.check(at: $0)?.tac.value ?? 0) % 7 == 0 }
            answers.answer(frame, with: TACBatchReply(verdicts.map { $0 ? .valid : .invalid }))
        }
        let connection = try await server.connect()
        let checks = try (0..<10_000).map(check)
        let verdicts = try await connection.verifyTACs(checks, key: try .label("canteen/purse/tac"))
        #expect(verdicts == (0..<10_000).map { $0 % 7 == 0 ? .valid : .invalid })
        #expect(sizes.withLock { $0.sorted() } == [784, 1536, 1536, 1536, 1536, 1536, 1536])
        #expect(try await connection.verifyTACs([], key: try .label("canteen/purse/tac")).isEmpty)
        await connection.close()
        await server.stop()
    }

    @Test func `a batch of purchases and loads is split where the kind changes`() async throws {
        let kinds = Mutex<[TACRecord.Kind]>([])
        let server = try await ScriptedServer { frame, answers in
            guard case .verifyTACBatch(let batch) = try? HostRequest.parse(frame).request else { return }
            kinds.withLock { $0.append(batch.kind) }
            answers.answer(frame, with: TACBatchReply(Array(repeating: .valid, count: batch.count)))
        }
        let connection = try await server.connect()
        let load = TACCheck(
            card: .init(rawValue: 1),
            record: .load(
                .init(
                    newBalance: 1, onlineSequence: 2, amount: 3, type: 2,
                    terminal: try #require(PurseTerminal(rawValue: 1)), time: .init(date: 0, time: 0))),
            tac: PurseMAC(0))
        let verdicts = try await connection.verifyTACs(
            [try check(0), try check(1), load, try check(2)], key: try .label("canteen/purse/tac"))
        #expect(verdicts.count == 4)
        #expect(kinds.withLock { $0.count } == 3)
        await connection.close()
        await server.stop()
    }

    @Test func `a refused batch is refused as a whole, and a reply of the wrong length is none`() async throws {
        let server = try await ScriptedServer { frame, answers in
            if frame.body.readableBytes > 20_000 {
                answers.refuse(frame, .keyUsage)
            } else {
                answers.answer(frame, with: TACBatchReply([.valid]))
            }
        }
        let connection = try await server.connect()
        let key = try HostKeyReference.label("canteen/purse/tac")
        let many = try (0..<3000).map(check)
        await #expect(throws: CryptoClientError.refused(.keyUsage)) { try await connection.verifyTACs(many, key: key) }
        await #expect(throws: CryptoClientError.malformedReply(FieldError(.dataLength, in: .results))) {
            try await connection.verifyTACs(Array(many.prefix(2)), key: key)
        }
        await connection.close()
        await server.stop()
    }

    @Test func `a wrong TAC is an answer and a wrong usage is an error`() async throws {
        let code = Mutex(HostErrorCode.verificationFailed)
        let server = try await ScriptedServer { frame, answers in answers.refuse(frame, code.withLock { $0 }) }
        let connection = try await server.connect()
        let key = CardKey(master: try .label("canteen/purse/tac"), path: .init(card: .init(rawValue: 0)))
        let one = try check(0)
        let request = VerifyTACRequest(key: key, record: one.record, tac: one.tac)
        #expect(try await connection.verifyTAC(request) == false)
        #expect(
            try await connection.authorizeLoad(
                .init(
                    key: key, random: 0, onlineSequence: 0, oldBalance: 0, amount: 0, type: 2,
                    terminal: try #require(PurseTerminal(rawValue: 0)), mac1: PurseMAC(0), time: .init(date: 0, time: 0)
                ))?
                .value == nil)
        code.withLock { $0 = .keyUsage }
        await #expect(throws: CryptoClientError.refused(.keyUsage)) { try await connection.verifyTAC(request) }
        let raw = try await connection.send(command: "ZZ", body: Array("x".utf8))
        #expect(raw.error == .keyUsage && raw.command == HostCommandCode("Z["))
        await connection.close()
        await server.stop()
    }

    @Test(arguments: [0, 1, 8, 20])
    func `header length and trailer are those agreed`(_ length: Int) async throws {
        let server = try await ScriptedServer(headerLength: length) { frame, answers in
            guard let parsed = try? EchoRequest.parse(frame.body) else { return answers.refuse(frame, .inputData) }
            answers.answer(frame, with: BytesReply(parsed.command.data), trailer: parsed.end.trailer)
        }
        var settings = ScriptedServer.patient
        settings.headerLength = length
        let connection = try await server.connect(settings)
        for number in UInt8(0)..<40 {
            let end = MessageEnd(lmkIdentifier: 0, trailer: ByteBuffer(string: "T"))
            #expect(try await connection.run(EchoRequest([number, 0x19]), end: end).bytes == [number, 0x19])
        }
        await connection.close()
        await server.stop()
    }

    private func check(_ number: Int) throws -> TACCheck {
        let record = PurchaseRecord(
            amount: 100, type: 6, terminal: try #require(PurseTerminal(rawValue: 7)),
            terminalSequence: UInt32(number), time: PurseTime(date: 0x2026_1123, time: 0x12_0000))
        return TACCheck(
            card: DiversificationFactor(rawValue: UInt64(number)), record: .purchase(record),
            tac: PurseMAC(UInt32(number)))
    }
}

/// What became of so many echo requests made at once; nil for an answer.
func outcomes(of count: Int, on connection: CryptoConnection) async -> [CryptoClientError?] {
    await withTaskGroup(of: CryptoClientError?.self) { group in
        for _ in 0..<count { group.addTask { await outcome(of: EchoRequest([]), on: connection) } }
        return await group.reduce(into: []) { $0.append($1) }
    }
}

/// Nil for an answer.
func outcome(of request: some HostCommand, on connection: CryptoConnection) async -> CryptoClientError? {
    do throws(CryptoClientError) {
        _ = try await connection.run(request)
        return nil
    } catch {
        return error
    }
}
