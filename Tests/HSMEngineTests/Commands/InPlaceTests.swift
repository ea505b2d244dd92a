import HSMBridge
import Testing

@testable import HSMEngine

/// The calculations that are read in place must answer byte for byte what the generic path answers.
@Suite struct InPlaceTests {
    /// SplitMix64: one seed, one sequence.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }

    private func answer(
        _ module: SoftwareModule, _ message: [UInt8], inPlace: Bool, from caller: Caller = .thisProcess
    ) -> [UInt8] {
        var writer = ModuleReplyWriter()
        _ = unsafe message.withUnsafeBytes { bytes in
            unsafe module.answer(bytes, from: caller, inPlace: inPlace, into: &writer)
        }
        return unsafe writer.withMessage { unsafe Array($0) }
    }

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
            try await open(module, module.newKey(.tac, .unrestricted)),
            .handle(KeyHandle(rawValue: 7)),
        ]
    }

    /// Commands of the three kinds with every algorithm, padding, length and number of factors, mostly sensible.
    private func message(_ keys: [KeyReference], _ dice: inout Dice) -> (bytes: [UInt8], count: Int) {
        var request = ModuleRequest()
        let count = Int.random(in: 1...6, using: &dice)
        for _ in 0..<count {
            let key = keys.randomElement(using: &dice) ?? keys[0]
            let data = (0..<[0, 1, 7, 8, 22, 24, 64, 65].randomElement(using: &dice)!).map { _ in
                UInt8.random(in: 0...255, using: &dice)
            }
            let algorithm = HSMBridge.MACAlgorithm.allCases.randomElement(using: &dice) ?? .algorithm3
            let padding = HSMBridge.MACPadding.allCases.randomElement(using: &dice) ?? .none
            let length = [3, 4, 4, 4, 5, 8, 8, 16].randomElement(using: &dice) ?? 4
            let vector = [UInt8](repeating: 3, count: [0, 0, 0, 8, 5].randomElement(using: &dice) ?? 0)
            switch Int.random(in: 0..<3, using: &dice) {
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
        for _ in 0..<3_000 {
            let (honest, count) = message(keys, &dice)
            let reply = answer(module, honest, inPlace: true)
            #expect(reply == answer(module, honest, inPlace: false))
            let read = try ModuleReply(message: Array(reply.dropFirst(4)))
            #expect(read.count == count)
            for index in 0..<count where (try? read.reply(index, to: VerifyMAC.self)) != nil { successes += 1 }
            var mutated = honest
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                mutated[Int.random(in: 0..<mutated.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            }
            #expect(answer(module, mutated, inPlace: true) == answer(module, mutated, inPlace: false))
        }
        // A table of refusals would agree as well; these have been calculated.
        #expect(successes > 300)
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
            let reply = answer(module, message, inPlace: true, from: Caller(user: 1, process: 1, rights: rights))
            let read = try ModuleReply(message: Array(reply.dropFirst(4)))
            #expect(throws: ModuleRefusal(.notPermitted)) { try read.reply(0, to: GenerateMAC.self) }
        }
        _ = try await module.execute(SealModule())
        let read = try ModuleReply(message: Array(answer(module, message, inPlace: true).dropFirst(4)))
        #expect(throws: ModuleRefusal(.sealed)) { try read.reply(0, to: GenerateMAC.self) }
    }
}
