import HSMBridge
import Testing

@testable import HSMEngine

/// The e-purse's session MACs and UnionPay's MAC over lanes, by every kernel: against published values, and against libcrypto.
@Suite struct LaneSessionTests {
    private static func narrow(_ key: OpenKeySchedule) throws -> DESSchedule {
        guard case .narrow(let schedule) = key else { throw PrimitiveError.algorithmNotPermitted }
        return schedule
    }

    /// The answers to exchanges, each under a key with `levels` factors.
    private static func answers(
        _ lanes: [(key: DESSchedule, factors: [UInt64], exchange: PurseExchange)], levels: Int,
        isAuthorisation: Bool, _ kernel: DESKernel
    ) -> [PurseAnswer?] {
        // All factors in one place that does not move.
        let factors: [Block8] = lanes.flatMap(\.factors).map { Block8(number: $0) } + [0]
        var found = [PurseAnswer?](repeating: nil, count: lanes.count)
        unsafe factors.withUnsafeBytes { memory in
            let all = lanes.indices.map { index in
                let start = unsafe memory.baseAddress.map { unsafe $0 + 8 * levels * index }
                return unsafe BitslicedSession.Lane(lanes[index].key, factors: start, lanes[index].exchange)
            }
            let pass = BitslicedSession(levels: levels, isAuthorisation: isAuthorisation, kernel: kernel)
            let isDone = unsafe all.withUnsafeBufferPointer { all in
                unsafe pass.calculate(all) { found[$0] = $1 }
            }
            #expect(isDone)
        }
        return found
    }

    @Test(arguments: DESVersion.allCases, 0...DerivedKey.maximumLevels)
    func `exchanges with keys, factors and purposes of their own get what they deserve`(
        version: DESVersion, levels: Int
    ) throws {
        var dice = Dice(state: UInt64(levels))
        for kernel in try LaneTests.kernels(version) {
            let keys = try (0..<5).map { _ in
                try OpenKeySchedule(try KeyMaterial.generate(.tripleDES2), algorithm: .tripleDES2)
            }
            for isAuthorisation in [false, true] {
                let kinds = PurseCase.Kind.allCases.filter { $0.isAuthorisation == isAuthorisation }
                for count in [1, 9, 63, 64, 65, kernel.lanes] where count <= kernel.lanes {
                    // Of one kind alone, all messages are as long.
                    let mixture = count == 9 ? [kinds[0]] : kinds
                    let cases = try (0..<count).map { _ in
                        let factors = (0..<levels).map { _ in dice.next() }
                        let index = count == 63 ? 0 : Int.random(in: 0..<5, using: &dice)
                        let kind = try #require(mixture.randomElement(using: &dice))
                        let key = DerivedKey(.handle(KeyHandle(rawValue: UInt64(index))), factors: factors)
                        return (
                            keys[index],
                            try PurseCase(kind, key, keys[index], isRight: Bool.random(using: &dice), &dice)
                        )
                    }
                    let lanes = try cases.map { key, one in (try Self.narrow(key), one.key.factors, one.exchange) }
                    let found = Self.answers(lanes, levels: levels, isAuthorisation: isAuthorisation, kernel)
                    for (lane, (key, one)) in cases.enumerated() {
                        let answer = try #require(found[lane])
                        let alone = try key.answer(one.exchange, factors: one.key.factors)
                        #expect(
                            answer.isRight == one.isRight && answer.mac == one.expected, "lane \(lane) of \(count)")
                        #expect(alone.isRight == one.isRight && alone.mac == one.expected)
                    }
                }
            }
        }
    }

    // MARK: Published exchanges

    private static func number(_ text: Substring) throws -> UInt64 { try #require(UInt64(text, radix: 16)) }

    /// The fields of a MAC's data, in digits: amount 8 | type 2 | terminal 12 | date 8 | time 6, as far as they go.
    private struct Fields {
        let amount: UInt32
        let type: UInt8
        let terminal: TerminalNumber
        let time: TransactionTime

        init(_ digits: String) throws {
            var rest = Substring(digits)
            func take(_ count: Int) throws -> UInt64 {
                defer { rest = rest.dropFirst(count) }
                return try LaneSessionTests.number(rest.prefix(count))
            }
            amount = UInt32(try take(8))
            type = UInt8(try take(2))
            terminal = try #require(TerminalNumber(try take(12)))
            time =
                rest.isEmpty
                ? TransactionTime(date: 0, time: 0)
                : TransactionTime(date: UInt32(try take(8)), time: UInt32(try take(6)))
        }
    }

    /// The exchange of a log, from its lines `.sess`, `.mac1` and `.mac2`, and the MAC that comes of it.
    private static func published(_ session: Vector) throws -> [(exchange: PurseExchange, mac: UInt32)] {
        let name = session.id.dropLast(".sess".count)
        let lines = CardVectorTests.purse
        let mac1 = try #require(lines.first { $0.id == name + ".mac1" })
        let mac2 = lines.first { $0.id == name + ".mac2" }
        let first = UInt32(try number(Substring(mac1.expect)))
        let second = try mac2.map { UInt32(try number(Substring($0.expect))) }
        let random = UInt32(try session.number("rand"))
        let data = try #require(mac1.fields["data"])
        if session.fields["dpk"] != nil {
            let fields = try Fields(data)
            let purchase = PurchaseSession(
                random: random, offlineSequence: UInt16(try session.number("offline_seq")),
                terminalTransaction: UInt32(try session.number("term_txn")))
            let made = PurseExchange.purchaseMAC1(
                purchase, amount: fields.amount, type: fields.type, terminal: fields.terminal, time: fields.time)
            guard let second else { return [(made, first)] }
            return [(made, first), (.purchaseMAC2(purchase, amount: fields.amount, mac2: second), 0)]
        }
        // Without a line for MAC2 the log tells that MAC1 is right, and no more.
        let fields = try Fields(mac2?.fields["data"] ?? String(data.dropFirst(8)))
        let load = PurseExchange.authorisation(
            random: random, onlineSequence: UInt16(try session.number("online_seq")),
            oldBalance: UInt32(try number(data.prefix(8))), amount: fields.amount, type: fields.type,
            terminal: fields.terminal, mac1: first, time: fields.time)
        return [(load, second ?? 0)]
    }

    @Test(arguments: DESVersion.allCases) func `the exchanges of card logs come out of every lane`(
        version: DESVersion
    ) throws {
        let sessions = CardVectorTests.purse.filter { $0.id.hasSuffix(".sess") }
        #expect(sessions.count == 4)
        var withMAC2 = 0
        for kernel in try LaneTests.kernels(version) {
            for session in sessions {
                let key = try Self.narrow(try session.key(session.fields["dlk"] == nil ? "dpk" : "dlk"))
                for (exchange, mac) in try Self.published(session) {
                    let lanes = (0..<kernel.lanes).map { _ in (key, [UInt64](), exchange) }
                    let isAuthorisation = exchange.purpose == .authorise
                    for answer in Self.answers(lanes, levels: 0, isAuthorisation: isAuthorisation, kernel) {
                        let answer = try #require(answer)
                        #expect(answer.isRight, "\(session.id)")
                        if isAuthorisation, mac == 0 { continue }
                        #expect(answer.mac == mac, "\(session.id)")
                    }
                    withMAC2 += isAuthorisation && mac != 0 ? 1 : 0
                }
            }
        }
        // Two logs show MAC2 of a load.
        #expect(withMAC2 == 2 * version.kernels.count)
    }

    // MARK: UnionPay

    /// MACs of messages under keys of their own.
    private static func unionPay(_ items: [(key: DESSchedule, data: [UInt8])], _ kernel: DESKernel) -> [[UInt8]] {
        let all = items.flatMap(\.data) + [0]
        var offsets = [0]
        for item in items { offsets.append(offsets[offsets.count - 1] + item.data.count) }
        var found = [[UInt8]](repeating: [], count: items.count)
        unsafe all.withUnsafeBufferPointer { memory in
            let lanes = items.indices.map { index in
                let data = unsafe UnsafeBufferPointer(rebasing: memory[offsets[index]..<offsets[index + 1]])
                return unsafe BitslicedMAC.Lane(items[index].key, PaddedMessage(data, .method1))
            }
            let isDone = unsafe lanes.withUnsafeBufferPointer { lanes in
                unsafe BitslicedMAC(scheme: .unionPay, kernel: kernel).calculate(lanes) {
                    found[$0] = MACValue($1, count: 8).bytes
                }
            }
            #expect(isDone)
        }
        return found
    }

    @Test(arguments: DESVersion.allCases) func `UnionPay's field 64 comes out of every lane`(version: DESVersion) throws
    {
        let vectors = Vector.all("pos_mac.json")
        let message = try #require(vectors.first { $0.id == "cup.xor" }).bytes("data")
        let field = try #require(vectors.first { $0.id == "cup.field64" })
        let key = try Self.narrow(try field.key("tak", .des))
        for kernel in try LaneTests.kernels(version) {
            let items = (0..<kernel.lanes).map { _ in (key, message) }
            for mac in Self.unionPay(items, kernel) {
                #expect(String(decoding: mac, as: UTF8.self) == String(field.expect.prefix(8)))
            }
        }
    }

    @Test(arguments: DESVersion.allCases)
    func `UnionPay MACs with keys and lengths of their own equal those made one by one`(version: DESVersion) throws {
        for kernel in try LaneTests.kernels(version) {
            let keys = try (0..<6).map { index in
                let kind: KeyAlgorithm = [.des, .tripleDES2, .tripleDES3][index % 3]
                return try OpenKeySchedule(try KeyMaterial.generate(kind), algorithm: kind)
            }
            for count in [1, 9, 64, 65, kernel.lanes] where count <= kernel.lanes {
                let items = try (0..<count).map { index in
                    (keys[index * 5 % 6], try SecureRandom.bytes(count: 1 + index * 7 % 61))
                }
                let found = Self.unionPay(try items.map { (try Self.narrow($0.0), $0.1) }, kernel)
                for (lane, (key, data)) in items.enumerated() {
                    #expect(found[lane] == (try ReferenceUnionPay.mac(key, data)), "lane \(lane) of \(count)")
                    #expect(try key.unionPayMAC(over: data.span).matches(found[lane]))
                }
            }
        }
    }
}

/// UnionPay's "ECB" MAC step by step (facts/domain.md 5.3), with arrays and libcrypto's cipher.
enum ReferenceUnionPay {
    /// Eight digits in ASCII; sixteen-byte blocks under SM4.
    static func mac(_ key: OpenKeySchedule, _ data: [UInt8]) throws -> [UInt8] {
        let size = key.blockLength
        var folded = [UInt8](repeating: 0, count: size)
        for index in data.indices { folded[index % size] ^= data[index] }
        let text = Array(Hex.encode(folded).utf8)
        let first = try key.encipher(.ecb, Array(text[..<size]).span)
        let second = zip(first, text[size...]).map { $0 ^ $1 }
        let last = try key.encipher(.ecb, second.span)
        return Array(Hex.encode(last).utf8.prefix(8))
    }
}
