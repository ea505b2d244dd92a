import CryptoClient
import NIOCore
import Testing

@Suite struct MonitoringTests {
    @Test(arguments: [
        (0, "700101000000"), (951_782_399, "000228235959"), (951_782_400, "000229000000"),
        (951_868_800, "000301000000"),
        (1_795_420_800, "261123080000"), (4_107_542_399, "000228235959"), (4_107_542_400, "000301000000"),
        (-5, "700101000000"),
    ]) func `a moment is its digits in UTC, leap days and 2100 included`(_ seconds: Int64, _ digits: String) {
        // Expected values: date -u -d @N +%y%m%d%H%M%S.
        #expect(HostMoment(secondsSince1970: seconds).digits == digits)
    }

    @Test func `NO is read with two and with four digits of connections`() throws {
        let two = try StatusReply.parse(ByteBuffer(string: "31640001-E00000000"))
        let four = try StatusReply.parse(ByteBuffer(string: "3110240001-E00000000"))
        #expect(two == .hostPort(connections: 64, firmware: "0001-E000"))
        #expect(four == .hostPort(connections: 1_024, firmware: "0001-E000"))
        #expect(try StatusReply.parse(ByteBuffer(string: "2")) == .compliance(2))
        var written = ByteBuffer()
        StatusReply.hostPort(connections: 1_024, firmware: "0001-E000").write(into: &written)
        #expect(String(buffer: written) == "31990001-E00000000")
    }

    @Test func `a count beyond its field shows as nines`() throws {
        let moment = HostMoment(secondsSince1970: 0)
        let period = MonitoringPeriod(serial: "S", start: moment, end: moment, now: moment)
        var written = ByteBuffer()
        HealthCountsReply(period: period, restarts: .max).write(into: &written)
        #expect(written.readableBytes == 48 + 10 + 10 + 7 + 5 + 8)
        #expect(try HealthCountsReply.parse(written).restarts == 9_999_999_999)
    }

    @Test(arguments: ["J3", "J5", "J9", "JL"]) func `an answer cut short or changed is refused, never more`(
        _ answer: String
    ) throws {
        let command = try #require(HostCommandCode(answer))
        let example = try #require(
            ProtocolPage.messages.first { $0.title.hasSuffix("answer") && $0.bytes[6..<8].elementsEqual(answer.utf8) })
        let fields = Array(example.bytes.dropFirst(10))
        for count in 0..<fields.count {
            let part = ByteBuffer(bytes: fields.prefix(count))
            // Groups may end after any of them; nothing else may.
            guard let again = try? rewriteReply(command, part) else { continue }
            #expect(again == part)
        }
        #expect(try rewriteReply(command, ByteBuffer(bytes: fields)) == ByteBuffer(bytes: fields))
    }
}
