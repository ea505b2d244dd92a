import HSMBridge
import Testing

@testable import HSMEngine

/// The calculations that are read in place must answer byte for byte what the generic path answers.
@Suite struct InPlaceTests {
    private func open(_ module: SoftwareModule, _ key: KeyReference) async throws -> KeyReference {
        .handle(try await module.execute(OpenKey(key: key)).handle)
    }

    private func keys(_ module: SoftwareModule) async throws -> [KeyReference] {
        [
            try await open(module, module.newKey(.mac3, .calculate)),
            try await open(module, module.newKey(.mac3, .verify)),
            try await open(module, module.newKey(.mac1, .calculate)),
            try await open(module, module.newKey(.cmac, .calculate)),
            try await open(module, module.newKey(.tac)),
            try await open(module, module.newKey(.tac, levels: 3)),
            try await open(module, module.newKey(.tac, .unrestricted)),
            .handle(KeyHandle(rawValue: 7)),
        ]
    }

    /// Commands of the three kinds with every algorithm, padding, length and number of factors, mostly sensible.
    private func message(_ keys: [KeyReference], _ dice: inout Dice) -> (bytes: [UInt8], count: Int) {
        var request = ModuleRequest()
        // Short messages are answered one by one, long ones side by side.
        let count = [1, 2, 5, 40, 90].randomElement(using: &dice) ?? 1
        // Half of the messages ask mostly for what succeeds, so that passes are full.
        let isSensible = Bool.random(using: &dice)
        for _ in 0..<count {
            let isPlain = isSensible && Int.random(in: 0..<10, using: &dice) > 0
            let key = isPlain ? keys[0] : keys.randomElement(using: &dice) ?? keys[0]
            let data = (0..<[0, 1, 7, 8, 22, 24, 64, 65].randomElement(using: &dice)!).map { _ in
                UInt8.random(in: 0...255, using: &dice)
            }
            let algorithm =
                isPlain ? .algorithm3 : HSMBridge.MACAlgorithm.allCases.randomElement(using: &dice) ?? .algorithm3
            let padding = HSMBridge.MACPadding.allCases.randomElement(using: &dice) ?? .none
            let length = (isPlain ? [4, 8] : [3, 4, 4, 4, 5, 8, 8, 16]).randomElement(using: &dice) ?? 4
            let vectors = isPlain ? [0] : [0, 0, 0, 8, 5]
            let vector = [UInt8](repeating: 3, count: vectors.randomElement(using: &dice) ?? 0)
            switch Int.random(in: 0..<(isPlain ? 2 : 3), using: &dice) {
            case 0:
                request.append(
                    VerifyMAC(
                        key: key, algorithm: algorithm, padding: padding, initialVector: vector, data: data,
                        mac: [UInt8](repeating: 1, count: length)))
            case 1:
                request.append(
                    GenerateMAC(
                        key: key, algorithm: algorithm, padding: padding, initialVector: vector,
                        length: UInt8(length), isLast: Int.random(in: 0..<5, using: &dice) > 0, data: data))
            default:
                let factors = (0..<Int.random(in: 0...4, using: &dice)).map { _ in dice.next() }
                request.append(VerifyTAC(key: DerivedKey(key, factors: factors), data: data, tac: 1))
            }
        }
        return (Array(request.bytes().dropFirst(4)), count)
    }

    @Test func `both paths give one answer to random messages and to mutated ones`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let keys = try await keys(module)
        var dice = Dice(state: 20_261_123)
        var successes = 0
        for _ in 0..<600 {
            let (honest, count) = message(keys, &dice)
            let reply = module.answer(honest, inPlace: true)
            #expect(reply == module.answer(honest, inPlace: false))
            let read = try ModuleReply(message: Array(reply.dropFirst(4)))
            #expect(read.count == count)
            for index in 0..<count where (try? read.reply(index, to: VerifyMAC.self)) != nil { successes += 1 }
            var mutated = honest
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                mutated[Int.random(in: 0..<mutated.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            }
            #expect(module.answer(mutated, inPlace: true) == module.answer(mutated, inPlace: false))
        }
        // A table of refusals would agree as well; these have been calculated.
        #expect(successes > 2_000)
    }

    /// Every shape, key and length beside every other in one message: replies in order, the right ones match and the wrong ones
    /// do not, and what does not belong in a pass is answered between them.
    @Test func `a message of hundreds is answered in its order, each item by itself`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        var dice = Dice(state: 7)
        var macKeys: [KeyReference] = []
        var tacKeys: [KeyReference] = []
        for index in 0..<5 {
            macKeys.append(try await open(module, module.newKey(index % 2 == 0 ? .mac3 : .mac1, .calculate)))
            tacKeys.append(try await open(module, module.newKey(.tac, levels: 1 + index % 3)))
        }
        for count in [7, 8, 15, 64, 300, 700] {
            var request = ModuleRequest()
            var expected: [Verdict?] = []
            for index in 0..<count {
                // A few messages much longer than the rest, and some that are not whole blocks.
                let length = index % 50 == 49 ? 2_000 : [64, 64, 21, 0, 100][index % 5]
                let data = (0..<length).map { _ in UInt8.random(in: 0...255, using: &dice) }
                let isRight = Int.random(in: 0..<3, using: &dice) > 0
                switch index % 8 {
                case 5:
                    let key = DerivedKey(tacKeys[index % 5], factors: (0..<1 + index % 5 % 3).map { _ in dice.next() })
                    let record = Array(data.prefix(40)) + [1]
                    let tac = try await tac(module, key, record)
                    request.append(VerifyTAC(key: key, data: record, tac: isRight ? tac : tac ^ 0x100))
                    expected.append(isRight ? .match : .mismatch)
                case 6:
                    request.append(RandomBytes(count: 3))
                    expected.append(nil)
                default:
                    let key = macKeys[index % 5]
                    let algorithm: HSMBridge.MACAlgorithm = index % 5 % 2 == 0 ? .algorithm3 : .algorithm1
                    let macLength = index % 2 == 0 ? 4 : 8
                    var mac = try await module.execute(
                        GenerateMAC(
                            key: key, algorithm: algorithm, padding: .method2, length: UInt8(macLength), data: data)
                    ).bytes
                    if !isRight { mac[Int.random(in: 0..<macLength, using: &dice)] ^= 1 }
                    request.append(
                        VerifyMAC(key: key, algorithm: algorithm, padding: .method2, data: data, mac: mac))
                    expected.append(isRight ? .match : .mismatch)
                }
            }
            let reply = module.answer(Array(request.bytes().dropFirst(4)), inPlace: true)
            let read = try ModuleReply(message: Array(reply.dropFirst(4)))
            #expect(read.count == count)
            for index in 0..<count {
                guard let verdict = expected[index] else {
                    #expect(try read.reply(index, to: RandomBytes.self).bytes.count == 3)
                    continue
                }
                #expect(try read.reply(index, to: VerifyMAC.self) == verdict, "item \(index) of \(count)")
            }
        }
    }

    /// The TAC that matches, found by asking for it alone (a message of one is not gathered) with the calculation by hand.
    private func tac(_ module: SoftwareModule, _ key: DerivedKey, _ data: [UInt8]) async throws -> UInt32 {
        guard case .handle(let handle) = key.key, let ring = module.current().keyring else { return 0 }
        let entry = try ring.cache.entry(handle)
        let schedule = try #require(entry.schedule)
        return try schedule.tac(factors: key.factors, data: data.span).bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    @Test func `generated MACs of a long message stand in their places`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let keys = try await keys(module)
        var request = ModuleRequest()
        var commands: [GenerateMAC] = []
        for index in 0..<150 {
            let command = GenerateMAC(
                key: keys[0], algorithm: .algorithm3, padding: .method1, length: index % 3 == 0 ? 8 : 4,
                data: [UInt8](repeating: UInt8(index), count: index))
            commands.append(command)
            request.append(command)
        }
        let reply = module.answer(Array(request.bytes().dropFirst(4)), inPlace: true)
        let read = try ModuleReply(message: Array(reply.dropFirst(4)))
        for (index, command) in commands.enumerated() {
            let alone = try await module.execute(command)
            #expect(try read.reply(index, to: GenerateMAC.self).bytes == alone.bytes, "item \(index)")
        }
    }

    @Test func `what was asked before the module is sealed is answered, what comes after it is not`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let key = try await open(module, module.newKey(.mac3, .calculate))
        let command = GenerateMAC(key: key, algorithm: .algorithm3, padding: .method2, length: 4, data: [1])
        let expected = try await module.execute(command).bytes
        var request = ModuleRequest()
        for _ in 0..<20 { request.append(command) }
        request.append(SealModule())
        for _ in 0..<20 { request.append(command) }
        let reply = module.answer(Array(request.bytes().dropFirst(4)), inPlace: true)
        let read = try ModuleReply(message: Array(reply.dropFirst(4)))
        for index in 0..<20 { #expect(try read.reply(index, to: GenerateMAC.self).bytes == expected) }
        for index in 21..<41 {
            #expect(throws: ModuleRefusal(.sealed)) { try read.reply(index, to: GenerateMAC.self) }
        }
    }

    @Test func `right values match in place and wrong ones do not`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let key = try await open(module, module.newKey(.mac3, .calculate))
        let data = [UInt8](repeating: 0x5A, count: 21)
        for length in [4, 8] {
            let mac = try await module.execute(
                GenerateMAC(
                    key: key, algorithm: .algorithm3, padding: .method2, length: UInt8(length), data: data)
            ).bytes
            for bit in -1..<8 * length {
                var claimed = mac
                if bit >= 0 { claimed[bit / 8] ^= 0x80 >> UInt8(bit % 8) }
                let verdict = try await module.execute(
                    VerifyMAC(key: key, algorithm: .algorithm3, padding: .method2, data: data, mac: claimed))
                #expect(verdict == (bit < 0 ? .match : .mismatch))
            }
        }
    }

    @Test func `nobody calculates in place without the right or on a sealed module`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let key = try await open(module, module.newKey(.mac3, .calculate))
        var request = ModuleRequest()
        request.append(GenerateMAC(key: key, algorithm: .algorithm3, padding: .method2, length: 4, data: [1]))
        let message = Array(request.bytes().dropFirst(4))
        for rights: Set<CallerRight> in [[], [.manage]] {
            let reply = module.answer(message, inPlace: true, from: Caller(user: 1, process: 1, rights: rights))
            let read = try ModuleReply(message: Array(reply.dropFirst(4)))
            #expect(throws: ModuleRefusal(.notPermitted)) { try read.reply(0, to: GenerateMAC.self) }
        }
        _ = try await module.execute(SealModule())
        let read = try ModuleReply(message: Array(module.answer(message, inPlace: true).dropFirst(4)))
        #expect(throws: ModuleRefusal(.sealed)) { try read.reply(0, to: GenerateMAC.self) }
    }
}
