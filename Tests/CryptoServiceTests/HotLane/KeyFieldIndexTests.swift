import CryptoClient
import HSMBridge
import Testing

@testable import CryptoService
@testable import KMS

struct KeyFieldIndexTests {
    private static func entry(_ field: [UInt8], _ operation: ServiceOperation) -> KeyEntry {
        KeyEntry(
            key: GrantedKey(reference: .block("", expected: nil), name: "*"), client: "", operation: operation,
            field: ContiguousArray(field), tick: 0)
    }

    private static func find(_ index: KeyFieldIndex, _ field: [UInt8], _ operation: ServiceOperation) -> KeyEntry? {
        unsafe field.withUnsafeBytes { unsafe index.entry($0, operation) }
    }

    @Test func `Thousands of keys are each found by their own field and operation, and no others are`() {
        var index = KeyFieldIndex()
        var entries: [(field: [UInt8], operation: ServiceOperation, entry: KeyEntry)] = []
        for number in 0..<3_000 {
            let field = Array("L\(number % 90 + 10)key/\(number)/".utf8) + [UInt8](repeating: 0x41, count: number % 17)
            for operation: ServiceOperation in [.verifyMAC, .generateMAC, .verifyTAC, .purseLoad, .checkValue] {
                let entry = Self.entry(field, operation)
                index.insert(entry)
                entries.append((field, operation, entry))
            }
        }
        #expect(index.count == entries.count)
        for (field, operation, entry) in entries { #expect(Self.find(index, field, operation) === entry) }
        #expect(Self.find(index, Array("L15key/none".utf8), .verifyMAC) == nil)
        #expect(Self.find(index, entries[0].field, .sign) == nil)
    }

    @Test
    func `A later entry for the same field takes the place of the earlier, and none is left when all are removed`() {
        var index = KeyFieldIndex()
        let field = Array("L15canteen/pos/mac".utf8)
        let (first, second) = (Self.entry(field, .verifyMAC), Self.entry(field, .verifyMAC))
        index.insert(first)
        index.insert(second)
        #expect(index.count == 1)
        #expect(Self.find(index, field, .verifyMAC) === second)
        index.removeAll()
        #expect(Self.find(index, field, .verifyMAC) == nil)
    }

    @Test func `A client with more keys than are kept has the ones that it goes on using at hand`() async throws {
        let world = try await World.shared.value
        let access = KeyAccess(
            snapshot: world.centre.directory.snapshot, client: World.plainClient, now: Clocks.system.wall(),
            isStale: false)
        let keys = ClientKeys(client: World.plainClient)
        let constant = CommandTests.label("canteen/pos/mac")
        let first = try keys.entry(constant, for: .verifyMAC, access, tick: 1)
        for number in 0..<3 * ClientKeys.limit {
            let text = String(number + 10_000) + String(repeating: "0", count: 96)
            let block = try HostKeyReference.lmkBlock("D0117M3TC00E0000" + text)
            _ = try keys.entry(block, for: .verifyMAC, access, tick: 1)
            // As is found from both ways.
            #expect(try keys.entry(constant, for: .verifyMAC, access, tick: 1) === first)
        }
        #expect(keys.count <= 2 * ClientKeys.limit)
        first.handle = 7
        let found = unsafe first.field.withUnsafeBytes { unsafe keys.readyEntry($0, .verifyMAC, tick: 1) }
        #expect(found === first)
        let later = unsafe first.field.withUnsafeBytes { unsafe keys.readyEntry($0, .verifyMAC, tick: 2) }
        #expect(later == nil)
        keys.forgetHandles()
        let closed = unsafe first.field.withUnsafeBytes { unsafe keys.readyEntry($0, .verifyMAC, tick: 1) }
        #expect(closed == nil)
    }
}
