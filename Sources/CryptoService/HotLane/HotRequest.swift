import CryptoClient
import HSMBridge
import KMS

/// A request of one of the commonest forms, found in a frame where it lies: which parts of it are what.
///
/// M8 and M6 over a whole message, binary, as text or in digits, and YT; the key by its label or as a block under the LMK;
/// nothing behind the last field. Whatever is unusual or wrong in the least is nil, and `HostRequest` reads it from the start: one codec
/// refuses, and this one only has to agree with it where it accepts (a test holds the two against each other).
@safe struct HotRequest {
    enum Kind: UInt8 {
        case verifyMAC, generateMAC, verifyTAC
    }

    let kind: Kind
    /// The key field as it stands, its letter and length included.
    let keyStart: Int
    let keyCount: Int
    /// The message of a MAC, or of a TAC the levels with their factors, kind, record and TAC.
    private let dataStart: Int
    /// Bytes of the message itself; of a TAC its number of levels.
    private let dataCount: Int
    private let isHexadecimal: Bool
    /// Algorithm and padding, as the module numbers them.
    private let method: UInt16
    private let macCount: Int

    /// Reads the part of a frame behind its client header: command and fields.
    @inline(__always) @unsafe
    init?(_ bytes: UnsafeRawPointer, count: Int) {
        // The shortest that can be.
        guard count >= 16 else { return nil }
        switch unsafe Self.load16(bytes) {
        case HostCommandCode.verifyMAC.rawValue: unsafe self.init(mac: .verifyMAC, bytes, count)
        case HostCommandCode.generateMAC.rawValue: unsafe self.init(mac: .generateMAC, bytes, count)
        case HostCommandCode.verifyTAC.rawValue: unsafe self.init(tac: bytes, count)
        default: return nil
        }
    }

    /// command 2 | mode 1 | format 1 | size 1 | algorithm 1 | padding 1 | key type 3 | key | length 4 | message | [MAC].
    @inline(__always) @unsafe
    private init?(mac kind: Kind, _ bytes: UnsafeRawPointer, _ count: Int) {
        let keyStart = 10
        guard unsafe bytes[2] == HostMACMode.only.rawValue,
            let format = unsafe HostDataFormat(rawValue: bytes[3]),
            let size = unsafe HostMACSize(rawValue: bytes[4]), size == .fourBytes || size == .eightBytes,
            // The DES ones; CMAC has rules of its own about padding.
            let algorithm = unsafe HostMACAlgorithm(rawValue: bytes[5]),
            algorithm == .algorithm1 || algorithm == .algorithm3,
            let padding = unsafe HostMACPadding(rawValue: bytes[6]),
            unsafe Self.isKeyType(bytes + 7),
            let keyCount = unsafe Self.keyCount(bytes + keyStart, count - keyStart)
        else { return nil }
        let lengthStart = keyStart + keyCount
        guard lengthStart + 4 <= count, let announced = unsafe Self.four(bytes + lengthStart) else { return nil }
        let macCount = size.bytes
        let isVerification = kind == .verifyMAC
        // What is left for the message. It is told where the message ends by where the frame ends, and nothing follows.
        let rest = count - lengthStart - 4 - (isVerification ? 2 * macCount : 0)
        isHexadecimal = format == .hexadecimal
        if isHexadecimal {
            // The length counts digits, or bytes.
            guard rest >= 0, rest.isMultiple(of: 2), rest == announced || rest == 2 * announced else { return nil }
            dataCount = rest / 2
        } else {
            guard rest == announced else { return nil }
            dataCount = rest
        }
        self.kind = kind
        self.keyStart = keyStart
        self.keyCount = keyCount
        self.macCount = macCount
        dataStart = lengthStart + 4
        method = UInt16(algorithm.module.rawValue) << 8 | UInt16(padding.module.rawValue)
    }

    /// command 2 | key | levels 1 | factors 8 each | record kind 1 | record | TAC 4.
    @inline(__always) @unsafe
    private init?(tac bytes: UnsafeRawPointer, _ count: Int) {
        guard let keyCount = unsafe Self.keyCount(bytes + 2, count - 2), 2 + keyCount < count else { return nil }
        let levels = unsafe Int(bytes[2 + keyCount]) - 0x30
        guard (1...DiversificationPath.maximumLevels).contains(levels) else { return nil }
        let kindStart = 2 + keyCount + 1 + 8 * levels
        guard kindStart < count, let record = unsafe TACRecord.Kind(rawValue: bytes[kindStart]),
            count == kindStart + 1 + record.dataLength + 4
        else { return nil }
        kind = .verifyTAC
        keyStart = 2
        self.keyCount = keyCount
        dataStart = 2 + keyCount
        dataCount = record.dataLength
        macCount = levels
        isHexadecimal = false
        method = 0
    }

    var operation: ServiceOperation {
        switch kind {
        case .verifyMAC: .verifyMAC
        case .generateMAC: .generateMAC
        case .verifyTAC: .verifyTAC
        }
    }

    var shape: AnswerShape { kind == .generateMAC ? .mac : .verdict }

    // MARK: The module's item

    /// Room that the item needs at most.
    var itemCapacity: Int { 64 + 8 * DiversificationPath.maximumLevels + dataCount }

    /// Writes the module's item for the request; its length, or nil where a digit is none.
    ///
    /// code 2 | length 4 | key: X'00' and handle 8 | the command's own fields (HSMBridge, `VerifyMAC` and its like).
    @inline(__always) @unsafe
    func write(_ bytes: UnsafeRawPointer, handle: UInt64, into item: UnsafeMutableRawPointer) -> Int? {
        unsafe item.storeBytes(of: 0, toByteOffset: 6, as: UInt8.self)
        unsafe Self.store(handle, item + 7)
        let code: CommandCode
        let end: Int?
        switch kind {
        case .verifyMAC:
            code = .verifyMAC
            end = unsafe writeVerifyMAC(bytes, item)
        case .generateMAC:
            code = .generateMAC
            end = unsafe writeGenerateMAC(bytes, item)
        case .verifyTAC:
            code = .verifyTAC
            end = unsafe writeVerifyTAC(bytes, item)
        }
        guard let end else { return nil }
        unsafe Self.store(code.rawValue, item)
        unsafe Self.store(UInt32(end - 6), item + 2)
        return end
    }

    /// algorithm 1 | padding 1 | no initial vector 4 | length 4 | message | length 4 | MAC.
    @inline(__always) @unsafe
    private func writeVerifyMAC(_ bytes: UnsafeRawPointer, _ item: UnsafeMutableRawPointer) -> Int? {
        unsafe Self.store(method, item + 15)
        unsafe Self.store(UInt32(0), item + 17)
        guard let end = unsafe writeMessage(bytes, item, at: 21) else { return nil }
        unsafe Self.store(UInt32(macCount), item + end)
        let digits = unsafe bytes + dataStart + (isHexadecimal ? 2 * dataCount : dataCount)
        guard unsafe HexadecimalWords.decode(digits, into: item + end + 4, count: macCount) else { return nil }
        return end + 4 + macCount
    }

    /// algorithm 1 | padding 1 | no initial vector 4 | size 1 | last part 1 | length 4 | message.
    @inline(__always) @unsafe
    private func writeGenerateMAC(_ bytes: UnsafeRawPointer, _ item: UnsafeMutableRawPointer) -> Int? {
        unsafe Self.store(method, item + 15)
        unsafe Self.store(UInt32(0), item + 17)
        unsafe Self.store(UInt16(macCount) << 8 | 1, item + 21)
        return unsafe writeMessage(bytes, item, at: 23)
    }

    @inline(__always) @unsafe
    private func writeMessage(_ bytes: UnsafeRawPointer, _ item: UnsafeMutableRawPointer, at offset: Int) -> Int? {
        unsafe Self.store(UInt32(dataCount), item + offset)
        let target = unsafe item + offset + 4
        if isHexadecimal {
            guard unsafe HexadecimalWords.decode(bytes + dataStart, into: target, count: dataCount) else { return nil }
        } else {
            unsafe target.copyMemory(from: bytes + dataStart, byteCount: dataCount)
        }
        return offset + 4 + dataCount
    }

    /// levels 1 | factors 8 each | length 4 | record | TAC 4.
    @inline(__always) @unsafe
    private func writeVerifyTAC(_ bytes: UnsafeRawPointer, _ item: UnsafeMutableRawPointer) -> Int? {
        let levels = macCount
        unsafe item.storeBytes(of: UInt8(levels), toByteOffset: 15, as: UInt8.self)
        unsafe (item + 16).copyMemory(from: bytes + dataStart + 1, byteCount: 8 * levels)
        let offset = 16 + 8 * levels
        unsafe Self.store(UInt32(dataCount), item + offset)
        // The record, and behind it the TAC, as they stand.
        let record = unsafe bytes + dataStart + 1 + 8 * levels + 1
        unsafe (item + offset + 4).copyMemory(from: record, byteCount: dataCount + 4)
        return offset + 4 + dataCount + 4
    }

    // MARK: Pieces

    /// `FFF`, `003` or `008`, the ones that `HostRules` lets pass.
    @inline(__always) @unsafe
    private static func isKeyType(_ bytes: UnsafeRawPointer) -> Bool {
        switch unsafe (bytes[0], bytes[1], bytes[2]) {
        case (0x46, 0x46, 0x46), (0x30, 0x30, 0x33), (0x30, 0x30, 0x38): true
        default: false
        }
    }

    /// Bytes of the key field: `L` and two digits of length, or `S` and a block that says its length in its header. Whether
    /// the field is in order is not asked here: it has to equal one that the codec has taken before.
    @inline(__always) @unsafe
    private static func keyCount(_ bytes: UnsafeRawPointer, _ limit: Int) -> Int? {
        guard limit >= 6 else { return nil }
        var count = 0
        switch unsafe bytes[0] {
        case HostKeyReference.Form.label.rawValue:
            guard let tens = unsafe digit(bytes[1]), let ones = unsafe digit(bytes[2]) else { return nil }
            count = 3 + 10 * tens + ones
        case HostKeyReference.Form.lmkBlock.rawValue:
            var length = 0
            for place in 2..<6 {
                guard let next = unsafe digit(bytes[place]) else { return nil }
                length = 10 * length + next
            }
            count = 1 + length
        default: return nil
        }
        return count <= limit ? count : nil
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> Int? {
        let value = Int(byte) - 0x30
        return (0...9).contains(value) ? value : nil
    }

    /// Four hexadecimal digits.
    @inline(__always) @unsafe
    private static func four(_ bytes: UnsafeRawPointer) -> Int? {
        let digits = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        let word = HexadecimalWords.bytes(of: 0x3030_3030_0000_0000 | UInt64(digits))
        return word.map { Int(UInt16(truncatingIfNeeded: $0).byteSwapped) }
    }

    @inline(__always) @unsafe
    private static func load16(_ bytes: UnsafeRawPointer) -> UInt16 {
        unsafe UInt16(bigEndian: bytes.loadUnaligned(as: UInt16.self))
    }

    @inline(__always) @unsafe
    private static func store<I: FixedWidthInteger>(_ value: I, _ place: UnsafeMutableRawPointer) {
        unsafe place.storeBytes(of: value.bigEndian, as: I.self)
    }
}

extension UnsafeRawPointer {
    /// The byte at an offset.
    @inline(__always)
    fileprivate subscript(_ offset: Int) -> UInt8 { unsafe load(fromByteOffset: offset, as: UInt8.self) }
}
