import CryptoClient
import HSMBridge
import NIOCore
import Testing

@testable import CryptoService

/// Our encoder and the bridge's write the same bytes.
struct ModuleMessageTests {
    private static let identity = KeyIdentity("canteen/pos/mac/01")
    private static let keys: [(ModuleMessage.Key, KeyReference)] = [
        (.handle(0x0102_0304_0506_0708), .handle(KeyHandle(rawValue: 0x0102_0304_0506_0708))),
        (.reference(.block("D0112", expected: nil)), .block("D0112", expected: nil)),
        (.reference(.block("D0112", expected: identity)), .block("D0112", expected: identity)),
    ]

    private static func bytes(_ write: (inout ModuleMessage) -> Void) -> [UInt8] {
        var message = ModuleMessage()
        write(&message)
        return Array(message.take().readableBytesView)
    }

    private static func bytes(_ commands: any ModuleCommand...) -> [UInt8] {
        var request = ModuleRequest()
        for command in commands { append(command, &request) }
        return unsafe request.withMessage { unsafe Array($0) }
    }

    private static func append(_ command: some ModuleCommand, _ request: inout ModuleRequest) {
        request.append(command)
    }

    @Test func `Commands of the hot path have the bridge's bytes`() throws {
        let path = try #require(DiversificationPath([.init(rawValue: 1), .init(rawValue: 0xF0F1_F2F3_F4F5_F6F7)]))
        let name = try HostKeyReference.label("canteen/pos/mac")
        let terminal = try #require(PurseTerminal([0, 1, 2, 3, 4, 5]))
        let number = try #require(TerminalNumber(0x0001_0203_0405))
        let time = PurseTime(date: 0x2026_1123, time: 0x06_0000)
        let moment = TransactionTime(date: 0x2026_1123, time: 0x06_0000)
        let record = PurchaseRecord(amount: 5, type: 6, terminal: terminal, terminalSequence: 9, time: time)
        let mac = try #require(HostMAC([1, 2, 3, 4, 5, 6, 7, 8]))
        let fields = HostMACFields(
            mode: .last, size: .eightBytes, algorithm: .algorithm3, padding: .method2, key: name,
            chainingValue: [8, 7, 6, 5, 4, 3, 2, 1], message: HostMACMessage([1, 2, 3], format: .hexadecimal))
        let card = CardKey(master: name, path: path)
        for (key, reference) in Self.keys {
            let derived = DerivedKey(reference, factors: path.factors.map(\.rawValue))
            let ours = Self.bytes { message in
                message.openKey(reference)
                message.randomBytes(count: 256)
                message.checkValue(key)
                message.generateMAC(key, fields)
                message.verifyMAC(key, fields, mac)
                message.authorise(
                    key,
                    AuthorizeLoadRequest(
                        key: card, random: 1, onlineSequence: 2, oldBalance: 3, amount: 4, type: 1, terminal: terminal,
                        mac1: PurseMAC(5), time: time))
                message.purchaseMAC1(
                    key, MakePurchaseMACRequest(key: card, random: 1, offlineSequence: 2, record: record))
                message.verifyPurchaseMAC2(
                    key,
                    CheckPurchaseMACRequest(
                        key: card, random: 1, offlineSequence: 2, terminalSequence: 3, amount: 4, mac2: PurseMAC(5)))
                message.verifyTAC(key, VerifyTACRequest(key: card, record: .purchase(record), tac: PurseMAC(7)))
            }
            let session = PurchaseSession(random: 1, offlineSequence: 2, terminalTransaction: 3)
            let theirs = Self.bytes(
                OpenKey(key: reference), RandomBytes(count: 256), CheckValue(key: reference),
                GenerateMAC(
                    key: reference, algorithm: .algorithm3, padding: .method2, initialVector: [8, 7, 6, 5, 4, 3, 2, 1],
                    length: 8, data: [1, 2, 3]),
                VerifyMAC(
                    key: reference, algorithm: .algorithm3, padding: .method2, initialVector: [8, 7, 6, 5, 4, 3, 2, 1],
                    data: [1, 2, 3], mac: [1, 2, 3, 4, 5, 6, 7, 8]),
                AuthorisePurseLoad(
                    key: derived, random: 1, onlineSequence: 2, oldBalance: 3, amount: 4, type: 1, terminal: number,
                    mac1: 5, time: moment),
                PurchaseMAC1(
                    key: derived, session: PurchaseSession(random: 1, offlineSequence: 2, terminalTransaction: 9),
                    amount: 5, type: 6, terminal: number, time: moment),
                VerifyPurchaseMAC2(key: derived, session: session, amount: 4, mac2: 5),
                VerifyTAC(key: derived, data: TACRecord.purchase(record).data, tac: 7))
            #expect(Hex.encode(ours) == Hex.encode(theirs))
        }
    }

    @Test func `The short form of a MAC check has the bridge's bytes`() throws {
        let name = try HostKeyReference.label("canteen/pos/mac")
        for digits: [UInt8] in [[1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7, 8]] {
            for data: [UInt8] in [[], [9], [UInt8](repeating: 7, count: 300)] {
                let mac = try #require(HostMAC(digits))
                let fields = HostMACFields(
                    algorithm: .algorithm3, padding: .method2, key: name, message: HostMACMessage(data))
                let ours = Self.bytes { message in
                    for (key, _) in Self.keys { message.verifyMAC(key, fields, mac) }
                }
                var request = ModuleRequest()
                for (_, key) in Self.keys {
                    request.append(
                        VerifyMAC(key: key, algorithm: .algorithm3, padding: .method2, data: data, mac: digits))
                }
                #expect(Hex.encode(ours) == Hex.encode(unsafe request.withMessage { unsafe Array($0) }))
            }
        }
    }

    @Test func `An item that goes again carries the key itself and is else the same`() throws {
        let name = try HostKeyReference.label("canteen/pos/mac")
        let mac = try #require(HostMAC([1, 2, 3, 4]))
        let fields = HostMACFields(
            algorithm: .algorithm3, padding: .method2, key: name, message: HostMACMessage([1, 2, 3]))
        var first = ModuleMessage()
        first.randomBytes(count: 7)
        first.verifyMAC(.handle(5), fields, mac)
        first.checkValue(.handle(6))
        var items = SentItems(first.take())
        for (_, reference) in Self.keys.dropFirst() {
            var items = items
            let again = Self.bytes { message in
                if let item = items.item(1) { message.append(again: item, reference) }
                if let item = items.item(2) { message.append(again: item, reference) }
            }
            let expected = Self.bytes { message in
                message.verifyMAC(.reference(reference), fields, mac)
                message.checkValue(.reference(reference))
            }
            #expect(Hex.encode(again) == Hex.encode(expected))
        }
        var second = ModuleMessage()
        if let item = items.item(0) { second.append(again: item, .block("D0112", expected: nil)) }
        #expect(second.count == 0)
        let none = items.item(3)
        #expect(none == nil)
    }

    @Test(arguments: [1, 7, 8, 9, 1_536])
    func `The verdicts of a batch are written as the codec writes them`(count: Int) {
        var random = SplitMix(state: UInt64(count))
        let bits = (0..<(count + 7) / 8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let map = VerdictMap(count: count, bits: bits)
        let verdicts = (0..<count).map { map[$0] == .match ? TACVerdict.valid : .invalid }
        var expected = ByteBuffer()
        TACBatchReply(verdicts).write(into: &expected)
        #expect(HostAnswer.digits(count, ByteBuffer(bytes: bits)) == expected)
    }

    @Test(arguments: [0, 1, 3])
    func `A batch has the shared factors before each entry's own`(shared: Int) throws {
        let factors = (0..<shared).map { DiversificationFactor(rawValue: UInt64($0 + 1)) }
        let terminal = try #require(PurseTerminal([0, 1, 2, 3, 4, 5]))
        let record = PurchaseRecord(
            amount: 5, type: 6, terminal: terminal, terminalSequence: 9, time: PurseTime(date: 1, time: 2))
        let checks = (0..<5).map {
            TACCheck(card: .init(rawValue: UInt64($0)), record: .purchase(record), tac: PurseMAC(UInt32($0)))
        }
        let batch = try VerifyTACBatchRequest(
            key: .label("canteen/purse/tac"), sharedPath: try #require(DiversificationPath(factors)), checks: checks)
        var records: [UInt8] = []
        for check in checks {
            for factor in factors { records += factor.bytes }
            records += check.card.bytes + check.record.data + check.tac.bytes
        }
        let ours = Self.bytes { $0.verifyTACBatch(.handle(7), batch) }
        let theirs = Self.bytes(
            VerifyTACBatch(
                key: .handle(KeyHandle(rawValue: 7)), levels: UInt8(shared + 1), dataLength: 22, records: records))
        #expect(Hex.encode(ours) == Hex.encode(theirs))
    }
}
