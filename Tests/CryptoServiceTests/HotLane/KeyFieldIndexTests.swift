import HSMBridge
import KMS
import Testing

@testable import CryptoService

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
}
