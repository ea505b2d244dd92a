import Testing

@testable import PlatformLite

struct RecordTests {
    private let good =
        "r-1,0000000000a1,11000000000000000000,4294967295,62170000000000000003,65535,1250,0,06,20261120,093000,1,00ab12FF"

    @Test func `A good line is read to the last field`() throws {
        let record = try RecordCSV.line(number: 1, good).content.get()
        #expect(record.terminal == "0000000000A1")
        #expect(record.terminalTransaction == .max)
        #expect(record.cardSequence == 65_535)
        #expect(record.amount == Amount(fen: 1_250))
        #expect(record.date.number == 20_261_120)
        #expect(record.time.number == 93_000)
        #expect(record.tac == 0x00AB_12FF)
        #expect(try RecordCSV.line(number: 1, RecordCSV.text(of: record)).content.get() == record)
    }

    @Test(arguments: [
        (0, "r 1"), (0, ""), (0, "=cmd"), (1, "0000000000A"), (1, "0000000000AG"), (2, "110000000000000000001"),
        (3, "-1"),
        (3, "4294967296"), (3, "1.0"), (4, "6217"), (5, "65536"), (5, " 5"), (6, "0"), (6, "-100"), (6, "4294967296"),
        (6, "12.50"), (6, ""), (7, "x"), (8, "05"), (8, "6"), (9, "20261131"), (9, "2026-11-20"), (10, "250000"),
        (10, "9300"),
        (11, "100"), (12, "00AB12F"), (12, "00AB12FX"),
    ])
    func `A line with one wrong field says which`(column: Int, text: String) {
        var fields = good.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        fields[column] = text
        let line = RecordCSV.line(number: 1, fields.joined(separator: ","))
        #expect(line.content == .failure(.init(column: RecordCSV.columns[column])))
    }

    @Test func `A line with a field too few or too many is no record`() {
        for text in [String(good.dropLast(9)), good + ",", "", "\"" + good + "\""] {
            let line = RecordCSV.line(number: 1, text)
            guard case .failure = line.content else {
                Issue.record("\(text) was taken")
                continue
            }
        }
    }

    @Test func `A malformed line still says which card number it was`() {
        let line = RecordCSV.line(number: 1, good.replacing("1250", with: "x"))
        #expect(line.cardSequence == 65_535)
        #expect(line.cardNumber == "62170000000000000003")
    }

    @Test func `Files are refused as a whole when they are not ours`() throws {
        func refusal(_ bytes: [UInt8]) -> RecordCSV.Refusal? {
            do throws(RecordCSV.Refusal) {
                _ = try RecordCSV.lines(of: bytes)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal([]) == .empty)
        #expect(refusal(Array(RecordCSV.header.utf8)) == .empty)
        #expect(refusal(Array("a,b\n1,2".utf8)) == .wrongHeader)
        #expect(refusal([0xFF, 0xFE]) == .notUTF8)
        #expect(refusal(Scenario.csv(Array(repeating: good, count: 10_001))) == .tooManyLines)
        let windows = Array((RecordCSV.header + "\r\n" + good + "\r\n" + good + "\r\n\r\n").utf8)
        #expect(try RecordCSV.lines(of: windows).count == 2)
    }

    @Test(arguments: [
        ([UInt16](), [UInt16]()), ([5], []), ([5, 6, 7], []), ([5, 7], [7]), ([5, 7, 8, 9], [7]), ([0, 2, 4], [2, 4]),
        ([65_534, 65_535], []), ([0], []),
    ])
    func `Only the number right behind a gap is suspicious`(seen: [UInt16], behind: [UInt16]) {
        #expect(SequenceRule.behindGap(Set(seen)) == Set(behind))
    }

    @Test func `Faults are told in the order of their weight`() throws {
        let record = try RecordCSV.line(number: 1, good).content.get()
        var other = try RecordCSV.line(number: 1, good.replacing("1250", with: "1251")).content.get()
        let rate = try #require(FeeRate(basisPoints: 0))
        let merchant = try #require(Merchant(number: "M1", name: "x", rate: rate))
        func judge(
            _ merchant: Merchant?, psam: String? = nil, tac: Bool = true, terminal: ConsumptionRecord? = nil,
            card: ConsumptionRecord? = nil, follows: Bool = true
        ) -> RecordJudgement {
            RecordJudge.judge(
                record,
                RecordFacts(
                    merchant: merchant, boundPSAM: psam, isTACValid: tac, sameTerminalNumber: terminal,
                    sameCardSequence: card, followsOn: follows))
        }
        #expect(judge(merchant) == .post(merchant))
        #expect(judge(merchant, psam: record.psam) == .post(merchant))
        #expect(judge(merchant, follows: false) == .suspend(merchant))
        #expect(judge(merchant, card: other, follows: false) == .reject(.cardSequenceReused))
        #expect(judge(merchant, terminal: other, card: record) == .reject(.terminalNumberReused))
        #expect(judge(merchant, terminal: record, card: record) == .reject(.duplicate))
        #expect(judge(merchant, tac: false, terminal: record) == .reject(.wrongTAC))
        #expect(judge(merchant, psam: "00", tac: false) == .reject(.wrongPSAM))
        #expect(judge(nil, psam: "00", tac: false) == .reject(.unknownTerminal))
        other = record
        #expect(judge(merchant, terminal: other) == .reject(.duplicate))
    }
}
