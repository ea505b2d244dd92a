import HSMBridge
import Testing

@testable import HSMEngine

/// The e-purse's exchanges and UnionPay's MACs, side by side in a message and one after another.
@Suite struct PurseInPlaceTests {
    let folder: TestFolder
    let module: SoftwareModule

    init() throws {
        folder = try TestFolder()
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
    }

    /// A key for cards of so many levels, opened: a single one without levels, else a master.
    private func key(
        _ usage: KeyUsage, levels: Int, _ algorithm: KeyAlgorithm = .tripleDES2
    ) async throws -> KeyReference {
        try await module.open(module.newKey(usage, levels == 0 ? .unrestricted : .derive, algorithm, levels: levels))
    }

    private struct PurseKey {
        let usage: KeyUsage
        let levels: Int
        let key: KeyReference
    }

    /// Two masters of a level for each usage, one for each other number of levels, one of SM4.
    private func purseKeys() async throws -> [PurseKey] {
        var keys: [PurseKey] = []
        for usage in [KeyUsage.load, .purchase, .unload] {
            for levels in [1, 1, 0, 2, 3, 4] {
                keys.append(PurseKey(usage: usage, levels: levels, key: try await key(usage, levels: levels)))
            }
            keys.append(PurseKey(usage: usage, levels: 1, key: try await key(usage, levels: 1, .sm4)))
        }
        return keys
    }

    private func purseCase(
        _ kind: PurseCase.Kind, _ keys: [PurseKey], levels: Int?, _ dice: inout Dice
    ) throws -> PurseCase {
        let fitting = keys.filter { $0.usage == kind.usage && (levels == nil || $0.levels == levels) }
        let key = try #require(fitting.randomElement(using: &dice))
        let factors = (0..<key.levels).map { _ in dice.next() }
        return try PurseCase(
            kind, DerivedKey(key.key, factors: factors), module.schedule(key.key),
            isRight: Int.random(in: 0..<3, using: &dice) > 0, &dice)
    }

    /// Every kind and level, right and wrong, among each other; what waits for a pass, what is too rare for one, and what
    /// cannot go into one.
    @Test func `exchanges of the e-purse are answered in their order, each for itself`() async throws {
        let keys = try await purseKeys()
        var dice = Dice(state: 41)
        var seen = 0
        for count in [1, 2, 8, 9, 13, 64, 65, 300, 700, 1_400] {
            // Of every level, or of the common one, which fills passes.
            for levels in [nil, 1] {
                var request = ModuleRequest()
                var cases: [PurseCase?] = []
                for index in 0..<count {
                    if index % 17 == 16 {
                        request.append(RandomBytes(count: 3))
                        cases.append(nil)
                        continue
                    }
                    let kind = try #require(PurseCase.Kind.allCases.randomElement(using: &dice))
                    let one = try purseCase(kind, keys, levels: levels, &dice)
                    one.append(to: &request)
                    cases.append(one)
                }
                let message = Array(request.bytes().dropFirst(4))
                let read = try ModuleReply(message: Array(module.answer(message, inPlace: true).dropFirst(4)))
                let generic = try ModuleReply(message: Array(module.answer(message, inPlace: false).dropFirst(4)))
                #expect(read.count == count && generic.count == count)
                for (index, one) in cases.enumerated() {
                    guard let one else {
                        #expect(try read.reply(index, to: RandomBytes.self).bytes.count == 3)
                        continue
                    }
                    #expect(try one.isAnswered(by: read, index), "\(one.kind) \(index) of \(count)")
                    #expect(try one.isAnswered(by: generic, index), "\(one.kind) \(index) of \(count), generic")
                    seen += 1
                }
            }
        }
        #expect(seen > 4_500)
    }

    /// Whatever a message says, the two paths say the same about it, byte for byte.
    @Test func `both paths give one answer to mutated exchanges`() async throws {
        let keys = try await purseKeys()
        var dice = Dice(state: 42)
        for round in 0..<60 {
            var request = ModuleRequest()
            for _ in 0..<[1, 30, 90][round % 3] {
                let kind = try #require(PurseCase.Kind.allCases.randomElement(using: &dice))
                try purseCase(kind, keys, levels: 1, &dice).append(to: &request)
            }
            let honest = Array(request.bytes().dropFirst(4))
            #expect(module.answer(honest, inPlace: true) == module.answer(honest, inPlace: false))
            for _ in 0..<6 {
                var mutated = honest
                for _ in 0..<Int.random(in: 1...4, using: &dice) {
                    mutated[Int.random(in: 0..<mutated.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
                }
                #expect(module.answer(mutated, inPlace: true) == module.answer(mutated, inPlace: false))
            }
        }
    }

    /// Types of transaction that a command is not for, times and terminals of too many bytes, trailing bytes, too many factors, a
    /// key of another usage: all of them in a long message, where a pass is not the place to refuse.
    @Test func `what is not in order is refused among exchanges that are answered`() async throws {
        let master = try await key(.load, levels: 1)
        let other = try await key(.purchase, levels: 1)
        var dice = Dice(state: 43)
        let good = try PurseCase(
            .load, DerivedKey(master, factors: [1]), module.schedule(master), isRight: true, &dice)
        let terminal = try #require(TerminalNumber(5))
        let time = TransactionTime(date: 1, time: 1)
        func load(_ key: DerivedKey, type: UInt8) -> AuthorisePurseLoad {
            AuthorisePurseLoad(
                key: key, random: 1, onlineSequence: 1, oldBalance: 1, amount: 1, type: type, terminal: terminal,
                mac1: 1, time: time)
        }
        let wrong: [(AuthorisePurseLoad, ModuleError)] = [
            (load(DerivedKey(master, factors: [1]), type: 3), .parameterInvalid),
            (load(DerivedKey(master, factors: [1]), type: 0), .parameterInvalid),
            (load(DerivedKey(master), type: 1), .modeNotPermitted),
            (load(DerivedKey(other, factors: [1]), type: 1), .usageNotPermitted),
            (load(DerivedKey(.handle(KeyHandle(rawValue: 7)), factors: [1]), type: 1), .unknownHandle),
        ]
        var request = ModuleRequest()
        for _ in 0..<20 {
            good.append(to: &request)
            for (load, _) in wrong { request.append(load) }
            request.append(AuthorisePurseUnload(load(DerivedKey(master, factors: [1]), type: 3)))
        }
        let message = Array(request.bytes().dropFirst(4))
        let reply = module.answer(message, inPlace: true)
        #expect(reply == module.answer(message, inPlace: false))
        let read = try ModuleReply(message: Array(reply.dropFirst(4)))
        for round in 0..<20 {
            let first = 7 * round
            #expect(try good.isAnswered(by: read, first))
            for (index, (_, error)) in wrong.enumerated() {
                #expect(throws: ModuleRefusal(error)) {
                    try read.reply(first + 1 + index, to: AuthorisePurseLoad.self)
                }
            }
            #expect(throws: ModuleRefusal(.usageNotPermitted)) {
                try read.reply(first + 6, to: AuthorisePurseUnload.self)
            }
        }
    }

    /// Each bit of MAC1, wrong by itself, beside the right one, in one message: MAC2 stands behind the right ones alone, and in
    /// the bytes of the answer nothing that a wrong one could have got.
    @Test func `no MAC2 goes out for a MAC1 that is wrong in any bit`() async throws {
        for kind in [PurseCase.Kind.load, .unload] {
            let master = try await key(kind.usage, levels: 1)
            let schedule = try module.schedule(master)
            var request = ModuleRequest()
            for bit in 0..<64 {
                // One exchange again and again, once with its right MAC1 and once with that bit wrong.
                var dice = Dice(state: 44)
                let right = try PurseCase(kind, DerivedKey(master, factors: [9]), schedule, isRight: true, &dice)
                var wrong = right.load
                wrong.mac1 ^= 1 << UInt32(bit % 32)
                for load in [right.load, wrong] {
                    if kind == .load { request.append(load) } else { request.append(AuthorisePurseUnload(load)) }
                }
            }
            let message = Array(request.bytes().dropFirst(4))
            let reply = module.answer(message, inPlace: true)
            #expect(reply == module.answer(message, inPlace: false))
            let read = try ModuleReply(message: Array(reply.dropFirst(4)))
            for bit in 0..<64 {
                guard case .authorised(let mac2) = try read.reply(2 * bit, to: AuthorisePurseLoad.self) else {
                    Issue.record("a right MAC1 was refused")
                    continue
                }
                #expect(mac2 != 0)
                guard case .mac1Mismatch = try read.reply(2 * bit + 1, to: AuthorisePurseLoad.self) else {
                    Issue.record("a wrong MAC1 was accepted, bit \(bit)")
                    continue
                }
                // Header of the answer 8; each item 11, its last four bytes MAC2.
                let start = 8 + 11 * (2 * bit + 1)
                #expect(Array(reply[start..<start + 11]) == [0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0])
            }
        }
    }

    @Test func `what was asked before the module is sealed is answered, no exchange after it`() async throws {
        let master = try await key(.purchase, levels: 1)
        var dice = Dice(state: 45)
        var request = ModuleRequest()
        let one = try PurseCase(
            .purchaseMAC1, DerivedKey(master, factors: [3]), module.schedule(master), isRight: true, &dice)
        for _ in 0..<20 { one.append(to: &request) }
        request.append(SealModule())
        for _ in 0..<20 { one.append(to: &request) }
        let message = Array(request.bytes().dropFirst(4))
        let read = try ModuleReply(message: Array(module.answer(message, inPlace: true).dropFirst(4)))
        for index in 0..<20 { #expect(try one.isAnswered(by: read, index)) }
        for index in 21..<41 {
            #expect(throws: ModuleRefusal(.sealed)) { try read.reply(index, to: PurchaseMAC1.self) }
        }
    }

    /// The queue itself, by every version: it takes what is long enough for a pass and nothing of a shorter message, a place says
    /// "fault" until it is filled, and then the reply stands there.
    @Test(arguments: DESVersion.allCases) func `exchanges wait in their places for a pass`(version: DESVersion) throws {
        _ = try LaneTests.kernels(version)
        let key = try OpenKeySchedule(try KeyMaterial.generate(.tripleDES2), algorithm: .tripleDES2)
        guard case .narrow(let schedule) = key else { throw PrimitiveError.algorithmNotPermitted }
        var dice = Dice(state: 47)
        let least = BreakEven.calculations(version)
        let factors: [UInt64] = [UInt64(1).bigEndian]
        for (kinds, count) in [
            ([PurseCase.Kind.load], least), ([.purchaseMAC1, .unloadMAC3], least + 3),
            (PurseCase.Kind.allCases, 700), ([.load, .purchaseMAC2], least),
        ] {
            let cases = try (0..<count).map { index in
                try PurseCase(
                    kinds[index % kinds.count], DerivedKey(.handle(KeyHandle(rawValue: 1)), factors: [1]), key,
                    isRight: Bool.random(using: &dice), &dice)
            }
            let replies = unsafe factors.withUnsafeBytes { memory -> [[UInt8]] in
                var shortWriter = ModuleReplyWriter()
                var short = CalculationQueue(messageItems: least - 1, version: version)
                var writer = ModuleReplyWriter()
                var queue = CalculationQueue(messageItems: count, version: version)
                for one in cases {
                    let calculation = unsafe SessionCalculation(
                        schedule: schedule, levels: 1, factors: memory.baseAddress, exchange: one.exchange)
                    #expect(!short.take(calculation, into: &shortWriter))
                    #expect(queue.take(calculation, into: &writer))
                }
                #expect(shortWriter.count == 0)
                let before = unsafe writer.withMessage { unsafe Array($0) }
                queue.run(into: &writer)
                return [before, unsafe writer.withMessage { unsafe Array($0) }]
            }
            let before = try ModuleReply(message: Array(replies[0].dropFirst(4)))
            let after = try ModuleReply(message: Array(replies[1].dropFirst(4)))
            for (index, one) in cases.enumerated() {
                #expect(throws: ModuleRefusal(.internalFault)) { _ = try one.isAnswered(by: before, index) }
                #expect(try one.isAnswered(by: after, index), "\(one.kind) \(index) of \(count)")
            }
        }
    }

    // MARK: UnionPay

    @Test func `UnionPay MACs of a long message are made and checked, each with its key and length`() async throws {
        var keys: [KeyReference] = []
        for algorithm in [KeyAlgorithm.tripleDES2, .tripleDES3, .tripleDES2, .sm4] {
            keys.append(try await module.open(module.newKey(.mac1, .calculate, algorithm)))
        }
        var dice = Dice(state: 46)
        for count in [1, 8, 20, 90, 600] {
            var request = ModuleRequest()
            var expected: [([UInt8], isRight: Bool?)] = []
            for index in 0..<count {
                let key = keys[Int.random(in: 0..<(index % 30 == 29 ? 4 : 3), using: &dice)]
                let length = index % 50 == 49 ? 1_000 : Int.random(in: 1...120, using: &dice)
                let data = (0..<length).map { _ in UInt8.random(in: 0...255, using: &dice) }
                let mac = try ReferenceUnionPay.mac(try module.schedule(key), data)
                if Bool.random(using: &dice) {
                    expected.append((mac, nil))
                    request.append(
                        GenerateMAC(key: key, algorithm: .unionPayECB, padding: .none, length: 8, data: data))
                } else {
                    let isRight = Int.random(in: 0..<3, using: &dice) > 0
                    var claimed = mac
                    if !isRight { claimed[index % 8] ^= 1 << UInt8.random(in: 0..<8, using: &dice) }
                    expected.append((mac, isRight))
                    request.append(
                        VerifyMAC(key: key, algorithm: .unionPayECB, padding: .none, data: data, mac: claimed))
                }
            }
            // What UnionPay's MAC has not: a length of four, an initial vector, an empty message.
            request.append(
                GenerateMAC(key: keys[0], algorithm: .unionPayECB, padding: .none, length: 4, data: [1]))
            request.append(
                GenerateMAC(
                    key: keys[0], algorithm: .unionPayECB, padding: .none,
                    initialVector: [UInt8](repeating: 0, count: 8), length: 8, data: [1]))
            request.append(GenerateMAC(key: keys[0], algorithm: .unionPayECB, padding: .none, length: 8, data: []))
            let message = Array(request.bytes().dropFirst(4))
            let reply = module.answer(message, inPlace: true)
            #expect(reply == module.answer(message, inPlace: false))
            let read = try ModuleReply(message: Array(reply.dropFirst(4)))
            for (index, (mac, isRight)) in expected.enumerated() {
                if let isRight {
                    #expect(try read.reply(index, to: VerifyMAC.self) == (isRight ? .match : .mismatch))
                } else {
                    #expect(try read.reply(index, to: GenerateMAC.self).bytes == mac)
                }
            }
            for (index, error) in [ModuleError.parameterInvalid, .parameterInvalid, .dataLengthInvalid].enumerated() {
                #expect(throws: ModuleRefusal(error)) { try read.reply(count + index, to: GenerateMAC.self) }
            }
        }
    }
}
