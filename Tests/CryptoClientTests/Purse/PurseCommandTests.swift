import CryptoClient
import NIOCore
import Testing

@Suite struct PurseCommandTests {
    private let record: PurchaseRecord

    init() throws {
        record = PurchaseRecord(
            amount: 1250, type: 6, terminal: try #require(PurseTerminal(rawValue: 0x0011_2233_4455)),
            terminalSequence: 9, time: PurseTime(date: 0x2016_1216, time: 0x13_4600))
    }

    private func cardKey(_ levels: Int = 1) throws -> CardKey {
        let factors = (0..<levels).map { DiversificationFactor(rawValue: 0x1122_3344_5566_7788 + UInt64($0)) }
        return CardKey(master: try .label("a/b/c"), path: try #require(DiversificationPath(factors)))
    }

    @Test(arguments: 1...4)
    func `factors stand in the order they are used`(_ levels: Int) throws {
        let request = VerifyTACRequest(key: try cardKey(levels), record: .purchase(record), tac: PurseMAC(0xA5BF_C821))
        let wire = request.body()
        #expect(wire.readableBytes == 8 + 1 + 8 * levels + 1 + 22 + 4)
        let parsed = try VerifyTACRequest.parse(wire).command
        #expect(parsed.key == request.key)
        #expect(parsed.key.path.factors.map(\.rawValue) == (0..<levels).map { 0x1122_3344_5566_7788 + UInt64($0) })
        #expect(hex(DiversificationFactor(rawValue: 0x1122_3344_5566_7788).bytes) == "1122334455667788")
    }

    @Test func `five levels and values of wrong length are no values`() {
        #expect(DiversificationPath((0..<5).map { DiversificationFactor(rawValue: $0) }) == nil)
        #expect(DiversificationFactor([1, 2]) == nil && DiversificationFactor(rightmostOf: [1, 2]) == nil)
        #expect(DiversificationFactor(rightmostOf: bytes("0001 1122334455667788"))?.rawValue == 0x1122_3344_5566_7788)
        #expect(PurseTerminal([1]) == nil && PurseTerminal(rawValue: 1 << 48) == nil && PurseTime([1]) == nil)
        #expect(PurseMAC([1])?.value == nil)
        #expect(PurseTime(bytes("20161216134600")) == PurseTime(date: 0x2016_1216, time: 0x13_4600))
        #expect(hex(PurseTerminal(bytes("001122334455"))?.bytes ?? []) == "001122334455")
        #expect(hex(PurseMAC(bytes("A5BFC821"))?.bytes ?? []) == "A5BFC821")
    }

    @Test func `the data under a TAC is the record as the card signs it`() {
        #expect(
            hex(TACRecord.purchase(record).data)
                == "000004E2 06 001122334455 00000009 20161216 134600".filter { $0 != " " })
        let load = LoadRecord(
            newBalance: 0x10, onlineSequence: 0, amount: 0x10, type: 2,
            terminal: PurseTerminal(bytes("666666666666")) ?? record.terminal,
            time: PurseTime(date: 0x2024_0411, time: 0x21_2121))
        // C.load.tac of Tests/Vectors/pboc_edep.json, from the log of a real card.
        #expect(hex(TACRecord.load(load).data) == "000000100000000000100266666666666620240411212121")
    }

    @Test func `every request is as long as its layout and no byte more`() throws {
        let key = try cardKey()
        let prefix = 8 + 1 + 8
        let all: [(any HostCommand, Int)] = [
            (
                AuthorizeLoadRequest(
                    key: key, random: 1, onlineSequence: 2, oldBalance: 3, amount: 4, type: 2,
                    terminal: record.terminal,
                    mac1: PurseMAC(5), time: record.time), 32
            ),
            (MakePurchaseMACRequest(key: key, random: 1, offlineSequence: 2, record: record), 28),
            (
                CheckPurchaseMACRequest(
                    key: key, random: 1, offlineSequence: 2, terminalSequence: 3, amount: 4, mac2: PurseMAC(5)), 18
            ),
        ]
        for (request, length) in all {
            let wire = request.body()
            #expect(wire.readableBytes == prefix + length)
            let frame = try frame(type(of: request).code.description, wire)
            #expect(try HostRequest.parse(frame).request.command.body() == wire)
            for cut in 0..<wire.readableBytes {
                let short = try #require(wire.getSlice(at: 0, length: cut))
                #expect(throws: FieldError.self) {
                    try HostRequest.parse(HostFrame(header: frame.header, command: frame.command, body: short))
                }
            }
            var long = wire
            long.writeInteger(UInt8(0x41))
            #expect(throws: FieldError(.dataLength, in: .end)) {
                try HostRequest.parse(HostFrame(header: frame.header, command: frame.command, body: long))
            }
        }
    }

    @Test func `a batch keeps every entry`() throws {
        let checks = (0..<VerifyTACBatchRequest.maximumEntries).map { index in
            var record = record
            record.terminalSequence = UInt32(index)
            return TACCheck(
                card: DiversificationFactor(rawValue: UInt64(index)), record: .purchase(record),
                tac: PurseMAC(UInt32(index)))
        }
        let shared = try #require(DiversificationPath([DiversificationFactor(rawValue: 7)]))
        let request = try VerifyTACBatchRequest(key: try .label("a/b/c"), sharedPath: shared, checks: checks)
        let wire = request.body()
        #expect(wire.readableBytes == 8 + 1 + 8 + 1 + 4 + 1536 * 34)
        #expect(wire.readableBytes + 6 < 65_535)
        let parsed = try VerifyTACBatchRequest.parse(wire).command
        #expect(parsed.count == 1536 && parsed.kind == .purchase && parsed.sharedPath == shared)
        #expect(parsed.entryLength == 34)
        let last = try #require(parsed.check(at: 1535))
        #expect(last.card.rawValue == 1535 && last.tac.value == 1535)
        #expect(last.record == checks[1535].record)
        #expect(parsed.check(at: 1536)?.card == nil && parsed.check(at: -1)?.card == nil)
    }

    @Test func `a batch that cannot be sent is not made`() throws {
        let key = try HostKeyReference.label("a/b/c")
        let check = TACCheck(card: .init(rawValue: 0), record: .purchase(record), tac: PurseMAC(0))
        let load = TACCheck(
            card: .init(rawValue: 0),
            record: .load(
                .init(
                    newBalance: 0, onlineSequence: 0, amount: 0, type: 2, terminal: record.terminal, time: record.time)),
            tac: PurseMAC(0))
        #expect(throws: FieldError(.indexValue, in: .count)) { try VerifyTACBatchRequest(key: key, checks: []) }
        #expect(throws: FieldError(.indexValue, in: .count)) {
            try VerifyTACBatchRequest(key: key, checks: Array(repeating: check, count: 1537))
        }
        #expect(throws: FieldError(.inputData, in: .recordKind)) {
            try VerifyTACBatchRequest(key: key, checks: [check, load])
        }
        let four = try cardKey(4).path
        #expect(throws: FieldError(.indexValue, in: .factorCount)) {
            try VerifyTACBatchRequest(key: key, sharedPath: four, checks: [check])
        }
    }
}
