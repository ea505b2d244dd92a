import Glibc
import Testing

@testable import HSMEngine

@Suite struct SecretMemoryTests {
    @Test func `exhaustion is a typed refusal, and what is released can be had again`() throws {
        for hidden in [true, false] {
            let memory = SecretMemory(limit: 128 << 10, arenaLength: 64 << 10, allowHidden: hidden)
            var boxes: [SecretBox] = []
            #expect(throws: PrimitiveError.secretMemoryExhausted) {
                while true { boxes.append(SecretBox(try SecretBytes(count: 1_000, in: memory))) }
            }
            #expect(boxes.count == 128, "two arenas of 64 KiB hold 128 pieces of 1 KiB")
            #expect(memory.statistics.bytesInUse == 128 << 10)
            #expect(memory.statistics.arenas == 2)
            boxes.removeLast()
            boxes.append(SecretBox(try SecretBytes(count: 600, in: memory)))
            boxes.removeAll()
            #expect(memory.statistics.bytesInUse == 0)
        }
    }

    @Test func `every size up to the largest is served, and no larger one`() throws {
        let memory = SecretMemory(limit: 1 << 20)
        for count in [0, 1, 31, 32, 33, 64, 65, 1_000, 4_096, 4_097, 8_192] {
            let secret = try SecretBytes(count: count, in: memory)
            #expect(secret.count == count)
            let isZero = secret.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] == 0 } }
            #expect(isZero)
        }
        #expect(throws: PrimitiveError.secretMemoryExhausted) { _ = try SecretBytes(count: 8_193, in: memory) }
    }

    @Test func `a released piece is zero when it is handed out again`() throws {
        let memory = SecretMemory(limit: 256 << 10)
        for round in 0..<100 {
            var secret = try SecretBytes(count: 48, in: memory)
            let isZero = secret.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] == 0 } }
            #expect(isZero, "round \(round)")
            secret.withMutableBytes { bytes in
                for index in bytes.indices { bytes[index] = 0xA5 }
            }
        }
    }

    @Test func `live pieces never overlap`() throws {
        let memory = SecretMemory(limit: 1 << 20)
        var boxes: [(UInt8, SecretBox)] = []
        for index in 0..<300 {
            let mark = UInt8(truncatingIfNeeded: index &* 7 &+ 1)
            let count = [16, 40, 100, 500][index % 4]
            var secret = try SecretBytes(count: count, in: memory)
            secret.withMutableBytes { bytes in
                for position in bytes.indices { bytes[position] = mark }
            }
            boxes.append((mark, SecretBox(secret)))
            if index % 3 == 0 { boxes.remove(at: (index * 31) % boxes.count) }
        }
        for (mark, box) in boxes {
            let isWhole = box.bytes.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] == mark } }
            #expect(isWhole)
        }
    }

    @Test func `many threads may make and release secrets`() async throws {
        let memory = SecretMemory(limit: 2 << 20)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for index in 0..<500 {
                        guard var secret = try? SecretBytes(count: 16 + (index * 37 + task) % 400, in: memory) else {
                            Issue.record("exhausted")
                            return
                        }
                        secret.withMutableBytes { bytes in
                            for position in bytes.indices { bytes[position] = UInt8(task + 1) }
                        }
                        let isOurs = secret.withBytes { bytes in
                            bytes.indices.allSatisfy { bytes[$0] == UInt8(task + 1) }
                        }
                        #expect(isOurs)
                    }
                }
            }
        }
        #expect(memory.statistics.bytesInUse == 0)
    }

    @Test func `reading before or behind an arena ends the process`() async {
        await #expect(processExitsWith: .failure) {
            guard let arena = SecretArena(length: 8_192) else { exit(0) }
            let byte = unsafe (arena.base - 1).load(as: UInt8.self)
            exit(byte == 0 ? 0 : 0)
        }
        await #expect(processExitsWith: .failure) {
            guard let arena = SecretArena(length: 8_192, allowHidden: false) else { exit(0) }
            let byte = unsafe (arena.base + 8_192).load(as: UInt8.self)
            exit(byte == 0 ? 0 : 0)
        }
    }

    @Test func `components are joined by exclusive or, and only equal lengths`() throws {
        let a = try SecureRandom.secret(count: 32)
        let b = try SecureRandom.secret(count: 32)
        let c = try SecureRandom.secret(count: 32)
        let ab = try SecretBytes(xor: a, b)
        var key = try SecretBytes(xor: ab, c)
        let expected = zip(zip(a.revealed(), b.revealed()).map { $0 ^ $1 }, c.revealed()).map { $0 ^ $1 }
        #expect(key.revealed() == expected)
        try key.xor(with: c)
        try key.xor(with: b)
        let isBack = key.isEqual(to: a)
        #expect(isBack)
        let short = try SecretBytes(count: 31)
        #expect(throws: PrimitiveError.keyLengthInvalid) { _ = try SecretBytes(xor: a, short) }
        let isShortEqual = a.isEqual(to: short)
        #expect(!isShortEqual)
        #expect(throws: PrimitiveError.keyLengthInvalid) { _ = try a.extracting(30..<33) }
        #expect(try a.extracting(8..<16).revealed() == Array(a.revealed()[8..<16]))
    }
}
