import CryptoClient
import NIOCore
import Testing

/// The page that integrators read must not rot: its examples are messages and its table is our table.
@Suite struct ProtocolPageTests {
    @Test(arguments: ProtocolPage.messages)
    func `each example is one whole message that is read and written back`(_ example: ProtocolPage.Message) throws {
        var stream = HostFrameStream()
        stream.receive(ByteBuffer(bytes: example.bytes))
        let frame = try #require(try stream.next())
        #expect(stream.pendingBytes == 0)
        if example.title.contains("request") {
            #expect(example.title.hasPrefix(frame.command.description))
            let (request, end) = try HostRequest.parse(frame)
            #expect(hex(request.command.body(end: end)) == hex(frame.body))
        } else {
            let trailer = example.title.contains("trailer") ? 8 : nil
            let reply = try HostReply(frame, trailerLength: trailer)
            guard reply.error == .noError else {
                #expect(reply.body.readableBytes == 0)
                return
            }
            let again = try #require(try rewriteReply(reply.command, reply.body))
            #expect(again == reply.body)
        }
    }

    @Test func `the table of all commands is what is read, and nothing else is`() throws {
        let table = Set(ProtocolPage.commands)
        #expect(table.count == ProtocolPage.commands.count)
        let characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        var known: Set<String> = []
        for first in characters {
            for second in characters {
                do throws(FieldError) {
                    _ = try HostRequest.parse(
                        HostFrame(
                            header: ByteBuffer(), command: try code("\(first)\(second)"), body: ByteBuffer()))
                } catch {
                    guard error.code != .commandNotLicensed else { continue }
                }
                known.insert("\(first)\(second)")
            }
        }
        #expect(known == table)
    }

    private func code(_ text: String) throws(FieldError) -> HostCommandCode {
        guard let code = HostCommandCode(text) else { throw FieldError(.commandNotLicensed, in: .command) }
        return code
    }

    @Test(
        arguments: [
            "NC", "B2", "N0", "BU", "A0", "A6", "A8", "M6", "M8", "YL", "YP", "YR", "YT", "YB", "YD", "M0", "M2", "M4",
            "MS", "CW", "CY", "KQ", "KW",
            "YN", "YG", "YI", "Y0", "Y2", "YV", "A4", "B0", "BW", "GM", "EO", "EW", "EY", "NO", "J2", "J4", "J8", "JK",
        ])
    func `every command has an example of request and answer`(_ command: String) {
        for kind in ["request", "answer"] {
            #expect(ProtocolPage.messages.contains { $0.title.hasPrefix("\(command) \(kind)") })
        }
    }

    @Test func `examples of commands with vectors are those vectors`() throws {
        let vectors = Dictionary(uniqueKeysWithValues: CommandVector.all.map { ($0.request, $0.answer) })
        let commands = ["M0", "M2", "M4", "MS", "CW", "CY", "KQ", "KW", "YN", "YG", "YI", "Y0", "Y2", "YV"]
        for message in ProtocolPage.messages where commands.contains(String(message.title.prefix(2))) {
            guard message.title.contains("request") else { continue }
            let title = message.title.replacing("request", with: "answer")
            let answer = try #require(ProtocolPage.messages.first { $0.title == title })
            #expect(vectors[hex(message.bytes)] == hex(answer.bytes), "\(message.title)")
        }
    }

    @Test func `the table of error codes is the closed set`() {
        #expect(ProtocolPage.codes == HostErrorCode.allCases.map { [$0.rawValue, $0.meaning] })
    }

    @Test func `the worked purchase is what the client sends`() throws {
        let key = CardKey(
            master: try .label("canteen/purse/tac"), path: .init(card: .init(rawValue: 0x1122_3344_5566_7788)))
        let record = PurchaseRecord(
            amount: 1250, type: 6, terminal: try #require(PurseTerminal(bytes("001122334455"))), terminalSequence: 9,
            time: PurseTime(date: 0x2016_1216, time: 0x13_4600))
        let request = VerifyTACRequest(key: key, record: .purchase(record), tac: PurseMAC(0xA5BF_C821))
        #expect(try example("YT request") == written(request, header: "000F"))
        let batch = try VerifyTACBatchRequest(
            key: key.master,
            checks: [0x88, 0x89].map { last in
                TACCheck(
                    card: .init(rawValue: 0x1122_3344_5566_7700 + last), record: .purchase(record),
                    tac: PurseMAC(0xA5BF_C821))
            })
        #expect(try example("YB request") == written(batch, header: "0010"))
    }

    @Test func `the refusal is what a server writes`() throws {
        var answers = HostAnswerWriter()
        answers.refuse(try frame("YT", ByteBuffer(), header: "0012"), .keyScheme)
        #expect(try example("refusal") == hex(answers.take()))
        answers.refuse(.empty, format: HostFrameFormat())
        #expect(try example("answer to what is not a frame") == hex(answers.take()))
        answers.answer(
            try frame("B2", ByteBuffer(), header: "0002"), with: BytesReply([0x19, 0x25]),
            trailer: ByteBuffer(string: "BRANCH-7"))
        #expect(try example("B2 answer with trailer") == hex(answers.take()))
    }

    private func example(_ title: String) throws -> String {
        hex(try #require(ProtocolPage.messages.first { $0.title == title }).bytes)
    }

    private func written(_ command: some HostCommand, header: String) throws -> String {
        var buffer = ByteBuffer()
        try frame(type(of: command).code.description, command.body(), header: header).write(into: &buffer)
        return hex(buffer)
    }
}
