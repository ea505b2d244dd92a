import CryptoClient
import HSMBridge
import NIOCore

/// A message to the module under construction, written straight into the buffer that NIO will send.
///
/// The same bytes as `HSMBridge.ModuleRequest` (a test holds the two against each other): length 4 | count 4 | (code 2 | length 4 |
/// body)…. Written here because data that came in a `ByteBuffer` needs no array and no second copy on its way.
struct ModuleMessage {
    private(set) var buffer = ByteBuffer()
    private(set) var count = 0
    /// Memory of a message that has been answered, for the next one.
    private var spare = ByteBuffer()
    private static let spareLimit = 1 << 20

    /// How a command names its key.
    enum Key {
        case handle(UInt64)
        case reference(KeyReference)
    }

    var byteCount: Int { buffer.readableBytes }

    /// The finished message; a new one begins.
    mutating func take() -> ByteBuffer {
        buffer.setInteger(UInt32(buffer.readableBytes - 4), at: 0)
        buffer.setInteger(UInt32(count), at: 4)
        let finished = buffer
        buffer = spare
        spare = ByteBuffer()
        count = 0
        return finished
    }

    /// Takes a message back that was answered: its memory serves again, unless somebody still holds it.
    mutating func reuse(_ finished: ByteBuffer) {
        if finished.capacity <= Self.spareLimit { spare = finished }
    }

    private mutating func beginIfEmpty() {
        guard count == 0 else { return }
        buffer.clear(minimumCapacity: 4_096)
        buffer.writeInteger(UInt64(0))
    }

    /// Appends an item of at most `capacity` bytes that `write` puts down whole; false, and nothing is kept, where it gives nil.
    @inline(__always) @unsafe
    mutating func appendItem(capacity: Int, _ write: (UnsafeMutableRawPointer) -> Int?) -> Bool {
        beginIfEmpty()
        let written = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { room in
            guard let start = room.baseAddress else { return 0 }
            return unsafe write(start) ?? 0
        }
        guard written > 0 else { return false }
        count += 1
        return true
    }

    /// Appends an item once more, with its key as a block in the place of a handle; nothing where it names no handle.
    mutating func append(again item: ByteBuffer, _ reference: KeyReference) {
        var rest = item
        // code 2 | length 4 | key: X'00' and handle 8 | …
        guard let (raw, _) = rest.readMultipleIntegers(as: (UInt16, UInt32).self),
            let code = CommandCode(rawValue: raw),
            let (form, _) = rest.readMultipleIntegers(as: (UInt8, UInt64).self), form == 0
        else { return }
        append(code) { buffer in
            buffer.writeReference(reference)
            buffer.writeImmutableBuffer(rest)
        }
    }

    /// The commonest form of the commonest command, by handle and with no chaining value: its length is known, so it needs
    /// three writes where the general form makes nine.
    fileprivate mutating func appendVerifyMAC(_ handle: UInt64, _ fields: HostMACFields, _ mac: HostMAC) {
        beginIfEmpty()
        let data = fields.message.content
        // Key 9, algorithm and padding 2, three lengths 4 each.
        let length = 9 + 2 + 12 + data.readableBytes + mac.size.bytes
        buffer.writeMultipleIntegers(
            CommandCode.verifyMAC.rawValue, UInt32(length), UInt8(0), handle, fields.algorithm.module.rawValue,
            fields.padding.module.rawValue, UInt32(0), UInt32(data.readableBytes))
        buffer.writeImmutableBuffer(data)
        buffer.writeMAC(mac)
        count += 1
    }

    mutating func append(_ code: CommandCode, _ body: (inout ByteBuffer) -> Void) {
        beginIfEmpty()
        buffer.writeMultipleIntegers(code.rawValue, UInt32(0))
        let start = buffer.writerIndex
        body(&buffer)
        buffer.setInteger(UInt32(buffer.writerIndex - start), at: start - 4)
        count += 1
    }
}

// MARK: - Commands of the hot path

extension ModuleMessage {
    mutating func openKey(_ reference: KeyReference) {
        append(.openKey) { $0.writeReference(reference) }
    }

    mutating func randomBytes(count: Int) {
        append(.randomBytes) { $0.writeInteger(UInt16(count)) }
    }

    mutating func hash(_ algorithm: HashAlgorithm, _ data: ByteBuffer) {
        append(.hash) { buffer in
            buffer.writeInteger(algorithm.rawValue)
            buffer.writeField(data)
        }
    }

    mutating func checkValue(_ key: Key) {
        append(.checkValue) { $0.writeKey(key) }
    }

    /// A MAC, or in the first and middle parts of a message its chaining value.
    mutating func generateMAC(_ key: Key, _ fields: HostMACFields) {
        append(.generateMAC) { buffer in
            buffer.writeKey(key)
            buffer.writeMultipleIntegers(fields.algorithm.module.rawValue, fields.padding.module.rawValue)
            buffer.writeField(fields.chainingValue)
            buffer.writeMultipleIntegers(UInt8(fields.size.bytes), UInt8(fields.mode.isContinued ? 0 : 1))
            buffer.writeField(fields.message.content)
        }
    }

    mutating func verifyMAC(_ key: Key, _ fields: HostMACFields, _ mac: HostMAC) {
        if case .handle(let handle) = key, fields.chainingValue.isEmpty { return appendVerifyMAC(handle, fields, mac) }
        append(.verifyMAC) { buffer in
            buffer.writeKey(key)
            buffer.writeMultipleIntegers(fields.algorithm.module.rawValue, fields.padding.module.rawValue)
            buffer.writeField(fields.chainingValue)
            buffer.writeField(fields.message.content)
            buffer.writeMAC(mac)
        }
    }

    mutating func authorise(_ key: Key, _ load: AuthorizeLoadRequest) {
        append(.authorisePurseLoad) { $0.writeLoad(key, load) }
    }

    mutating func purchaseMAC1(_ key: Key, _ purchase: MakePurchaseMACRequest) {
        append(.purchaseMAC1) { buffer in
            let record = purchase.record
            buffer.writeDerivedKey(key, purchase.key.path)
            buffer.writeMultipleIntegers(purchase.random, purchase.offlineSequence, record.terminalSequence)
            buffer.writeMultipleIntegers(record.amount, record.type, record.terminal.rawValue)
            buffer.writeMultipleIntegers(record.time.date, record.time.time)
        }
    }

    mutating func verifyPurchaseMAC2(_ key: Key, _ check: CheckPurchaseMACRequest) {
        append(.verifyPurchaseMAC2) { buffer in
            buffer.writeDerivedKey(key, check.key.path)
            buffer.writeMultipleIntegers(
                check.random, check.offlineSequence, check.terminalSequence, check.amount, check.mac2.value)
        }
    }

    mutating func verifyTAC(_ key: Key, _ check: VerifyTACRequest) {
        append(.verifyTAC) { buffer in
            buffer.writeDerivedKey(key, check.key.path)
            buffer.writeField(check.record.data)
            buffer.writeInteger(check.tac.value)
        }
    }

    /// Factors that all entries share stand before each entry's own.
    mutating func verifyTACBatch(_ key: Key, _ batch: VerifyTACBatchRequest) {
        append(.verifyTACBatch) { buffer in
            let levels = batch.sharedPath.count + 1
            buffer.writeKey(key)
            buffer.writeMultipleIntegers(UInt8(levels), UInt8(batch.kind.dataLength))
            guard levels > 1 else { return buffer.writeField(batch.entries) }
            buffer.writeInteger(UInt32(batch.count * (batch.entryLength + 8 * (levels - 1))))
            var rest = batch.entries
            while let entry = rest.readSlice(length: batch.entryLength) {
                for level in 0..<levels - 1 { buffer.writeInteger(batch.sharedPath[level].rawValue) }
                buffer.writeImmutableBuffer(entry)
            }
        }
    }
}

// MARK: - Values

extension ByteBuffer {
    mutating func writeKey(_ key: ModuleMessage.Key) {
        switch key {
        case .handle(let handle): writeMultipleIntegers(UInt8(0), handle)
        case .reference(let reference): writeReference(reference)
        }
    }

    fileprivate mutating func writeReference(_ reference: KeyReference) {
        switch reference {
        case .handle(let handle): writeMultipleIntegers(UInt8(0), handle.rawValue)
        case .block(let block, expected: nil):
            writeInteger(UInt8(1))
            writeText(block)
        case .block(let block, expected: .some(let identity)):
            writeInteger(UInt8(2))
            writeText(block)
            writeText(identity.description)
        }
    }

    mutating func writeLoad(_ key: ModuleMessage.Key, _ load: AuthorizeLoadRequest) {
        writeDerivedKey(key, load.key.path)
        writeMultipleIntegers(load.random, load.onlineSequence, load.oldBalance, load.amount, load.type)
        writeMultipleIntegers(load.terminal.rawValue, load.mac1.value, load.time.date, load.time.time)
    }

    mutating func writeDerivedKey(_ key: ModuleMessage.Key, _ path: DiversificationPath) {
        writeKey(key)
        writeInteger(UInt8(path.count))
        for level in 0..<path.count { writeInteger(path[level].rawValue) }
    }

    fileprivate mutating func writeMAC(_ mac: HostMAC) {
        switch mac.size {
        case .fourBytes: writeMultipleIntegers(UInt32(4), UInt32(truncatingIfNeeded: mac.value))
        case .eightBytes: writeMultipleIntegers(UInt32(8), mac.value)
        case .sixteenBytes: writeMultipleIntegers(UInt32(16), mac.value, mac.rest)
        }
    }

    mutating func writeText(_ text: String) {
        writeInteger(UInt32(text.utf8.count))
        writeString(text)
    }

    mutating func writeField(_ bytes: [UInt8]) {
        writeInteger(UInt32(bytes.count))
        writeBytes(bytes)
    }

    mutating func writeField(_ bytes: ByteBuffer) {
        writeInteger(UInt32(bytes.readableBytes))
        writeImmutableBuffer(bytes)
    }
}

extension HostMACAlgorithm {
    /// AES CBC-MAC is ISO 9797-1 algorithm 1 under an AES key.
    var module: MACAlgorithm {
        switch self {
        case .algorithm1, .cbcMAC: .algorithm1
        case .algorithm3: .algorithm3
        case .cmac: .cmac
        }
    }
}

extension HostMACPadding {
    var module: MACPadding {
        switch self {
        case .none: .none
        case .method1: .method1
        case .method2: .method2
        case .method3: .method3
        }
    }
}
