import CryptoClient
import Foundation
import HSMBridge
import KMS
import NIOCore
import Testing

@testable import CryptoService

/// What the hot lane takes is what the codec takes, and it gives the module the same bytes.
struct HotRequestTests {
    private static let handle: UInt64 = 0x0102_0304_0506_0708

    /// Requests of the forms that the lane is for: command and fields.
    private static let usual: [[UInt8]] = {
        var requests: [[UInt8]] = []
        let block = "S" + "D0112M3TC00E0000" + String(repeating: "7A", count: 48)
        let keys = ["L15canteen/pos/mac", "L18canteen/pos/mac/01", block].compactMap {
            try? HostKeyReference(parsing: $0)
        }
        let messages: [[UInt8]] = [[], [0x25], Array(0..<64), [UInt8](repeating: 0x19, count: 255)]
        for key in keys {
            for data in messages {
                for format in HostDataFormat.allCases {
                    let text = format == .text ? data.map { 0x20 + $0 % 0x5F } : data
                    for mac: [UInt8] in [[1, 2, 3, 4], [0xFA, 0xCE, 3, 4, 5, 6, 0x70, 0x0F]] {
                        let fields = HostMACFields(
                            size: mac.count == 4 ? .fourBytes : .eightBytes, algorithm: .algorithm3, padding: .method2,
                            key: key, message: HostMACMessage(text, format: format))
                        requests.append(wire(VerifyMACRequest(fields, mac: HostMAC(mac))))
                        requests.append(wire(GenerateMACRequest(fields)))
                    }
                }
            }
            for levels in 1...4 {
                let factors = (1...levels).map { DiversificationFactor(rawValue: UInt64($0) &* 0x0123_4567_89AB_CDEF) }
                guard let path = DiversificationPath(factors), let terminal = PurseTerminal([0, 1, 2, 3, 4, 5]) else {
                    continue
                }
                let time = PurseTime(date: 0x2026_1123, time: 0x06_0000)
                let purchase = PurchaseRecord(amount: 5, type: 6, terminal: terminal, terminalSequence: 9, time: time)
                let load = LoadRecord(
                    newBalance: 1, onlineSequence: 2, amount: 3, type: 2, terminal: terminal, time: time)
                for record in [TACRecord.purchase(purchase), .load(load)] {
                    requests.append(
                        wire(
                            VerifyTACRequest(
                                key: CardKey(master: key, path: path), record: record, tac: PurseMAC(0x0102_0304))))
                }
            }
        }
        return requests
    }()

    private static func wire<Command: HostCommand>(_ command: Command) -> [UInt8] {
        let code = Command.code.rawValue
        return [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)] + Array(command.body().readableBytesView)
    }

    /// What a lane gives the module: key field, operation, and the item's bytes.
    private struct Outcome: Equatable {
        let field: [UInt8]
        let operation: ServiceOperation
        let item: [UInt8]
    }

    private static func hot(_ bytes: [UInt8]) -> Outcome? {
        unsafe bytes.withUnsafeBytes { memory -> Outcome? in
            guard let start = memory.baseAddress, let request = unsafe HotRequest(start, count: bytes.count) else {
                return nil
            }
            var message = ModuleMessage()
            let isWritten = unsafe message.appendItem(capacity: request.itemCapacity) {
                unsafe request.write(start, handle: handle, into: $0)
            }
            guard isWritten else { return nil }
            let field = Array(bytes[request.keyStart..<request.keyStart + request.keyCount])
            return Outcome(field: field, operation: request.operation, item: Array(message.take().readableBytesView))
        }
    }

    /// The same by the codec of all commands; nil where it refuses or the request is of another form.
    private static func generic(_ bytes: [UInt8]) -> Outcome? {
        let code = HostCommandCode(rawValue: UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
        let frame = HostFrame(header: ByteBuffer(), command: code, body: ByteBuffer(bytes: bytes.dropFirst(2)))
        guard let (request, end) = try? HostRequest.parse(frame), end == .none else { return nil }
        var message = ModuleMessage()
        let key: HostKeyReference
        do {
            switch request {
            case .verifyMAC(let verify):
                try HostRules.check(verify.fields)
                guard verify.fields.mode == .only, let mac = verify.mac else { return nil }
                key = verify.fields.key
                message.verifyMAC(.handle(handle), verify.fields, mac)
            case .generateMAC(let generate):
                try HostRules.check(generate.fields)
                guard generate.fields.mode == .only else { return nil }
                key = generate.fields.key
                message.generateMAC(.handle(handle), generate.fields)
            case .verifyTAC(let check):
                key = check.key.master
                message.verifyTAC(.handle(handle), check)
            default: return nil
            }
        } catch { return nil }
        guard let operation = HostRules.operation(of: request) else { return nil }
        return Outcome(
            field: Array(key.wireText.utf8), operation: operation, item: Array(message.take().readableBytesView))
    }

    @Test func `Every usual request is taken, with the bytes that the codec gives`() {
        #expect(Self.usual.count == 3 * (4 * 3 * 4 + 8))
        for request in Self.usual {
            let expected = Self.generic(request)
            #expect(expected != nil)
            #expect(Self.hot(request) == expected, "\(Hex.encode(request))")
        }
    }

    @Test func `A request that was changed anywhere is taken only where the codec takes it, and then alike`() {
        var random = SplitMix(state: 7)
        var (taken, left) = (0, 0)
        for request in Self.usual {
            for _ in 0..<400 {
                let changed = Self.changed(request, &random)
                guard changed.count >= 2, let outcome = Self.hot(changed) else {
                    left += 1
                    continue
                }
                taken += 1
                // The lane looks only for keys that the codec has taken; a key field it cannot read matches none.
                guard Self.isKey(outcome.field) else { continue }
                #expect(outcome == Self.generic(changed), "\(Hex.encode(changed))")
            }
        }
        // Both happen, or nothing would be tested.
        #expect(taken > 1_000 && left > 1_000)
    }

    @Test func `Messages of other people's clients are taken alike`() throws {
        struct Line: Decodable { let message_hex: String }
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/host_cmd_wire.json")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        var count = 0
        for line in lines {
            let hex = try JSONDecoder().decode(Line.self, from: Data(line.utf8)).message_hex
            let message = try #require(Hex.decode(hex))
            guard message.count > 6, let outcome = Self.hot(Array(message.dropFirst(4))) else { continue }
            if Self.isKey(outcome.field) { #expect(outcome == Self.generic(Array(message.dropFirst(4)))) }
            count += 1
        }
        #expect(lines.count > 50)
    }

    private static func isKey(_ field: [UInt8]) -> Bool {
        (try? HostKeyReference(parsing: String(decoding: field, as: UTF8.self))) != nil
    }

    private static func changed(_ request: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = request
        let place = Int(random.next() % UInt64(bytes.count))
        let interesting: [UInt8] = [0x00, 0x19, 0x25, 0x30, 0x31, 0x32, 0x39, 0x41, 0x46, 0x4C, 0x53, 0x61, 0x67, 0xFF]
        switch random.next() % 6 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[place] = interesting[Int(random.next() % UInt64(interesting.count))]
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(interesting[Int(random.next() % UInt64(interesting.count))], at: place)
        case 4: bytes.removeLast(place / 2)
        default: bytes += [[0x25, 0x30, 0x30], [0x19], [0x19, 0x41], [0x00]][Int(random.next() % 4)]
        }
        return bytes
    }
}

struct HexadecimalWordsTests {
    @Test func `Every pair of characters is the byte that it writes, or none`() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let digits = [first, second]
                var byte: UInt8 = 0
                let isDecoded = unsafe digits.withUnsafeBytes { text in
                    unsafe text.baseAddress.map { unsafe HexadecimalWords.decode($0, into: &byte, count: 1) } ?? false
                }
                let text = String(decoding: digits, as: UTF8.self)
                let expected =
                    digits.allSatisfy { $0 < 0x80 } && text.allSatisfy(\.isHexDigit) ? UInt8(text, radix: 16) : nil
                #expect((isDecoded ? byte : nil) == expected)
            }
        }
    }

    @Test func `A wrong character at any place of a long text is found`() {
        let right = Array("0123456789abcdefABCDEF00112233445566778899".utf8)
        var bytes = [UInt8](repeating: 0, count: right.count / 2)
        func decode(_ text: [UInt8]) -> Bool {
            unsafe text.withUnsafeBytes { digits in
                unsafe bytes.withUnsafeMutableBytes { room in
                    guard let start = digits.baseAddress, let target = room.baseAddress else { return false }
                    return unsafe HexadecimalWords.decode(start, into: target, count: right.count / 2)
                }
            }
        }
        #expect(decode(right))
        #expect(Hex.encode(bytes).lowercased() == String(decoding: right, as: UTF8.self).lowercased())
        for place in right.indices {
            for wrong: UInt8 in [0x2F, 0x3A, 0x40, 0x47, 0x60, 0x67, 0x00, 0x80, 0xB0, 0xC1, 0xFF] {
                var text = right
                text[place] = wrong
                #expect(!decode(text))
            }
        }
    }
}
