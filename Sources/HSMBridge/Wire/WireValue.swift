/// A value with a form on the bridge between the processes.
public protocol WireValue: Sendable {
    func write(to writer: inout WireWriter)
    init(from reader: inout WireReader) throws(WireError)
}

/// The reply of commands that answer nothing but "done".
public struct Done: WireValue, Hashable {
    public init() {}
    public func write(to writer: inout WireWriter) {}
    public init(from reader: inout WireReader) throws(WireError) {}
}

extension KeyAlgorithm: WireValue {
    public func write(to writer: inout WireWriter) { writer.text(name) }
    public init(from reader: inout WireReader) throws(WireError) {
        guard let value = KeyAlgorithm(name: try reader.text()) else { throw .valueInvalid }
        self = value
    }
}

extension KeyAttributes: WireValue {
    public func write(to writer: inout WireWriter) {
        writer.text(usage.rawValue)
        algorithm.write(to: &writer)
        writer.text(String(mode.rawValue))
        writer.text(String(exportability.rawValue))
        writer.u8(UInt8(clamping: levels))
    }

    public init(from reader: inout WireReader) throws(WireError) {
        guard let usage = KeyUsage(rawValue: try reader.text()) else { throw .valueInvalid }
        let algorithm = try KeyAlgorithm(from: &reader)
        let modeText = try reader.text()
        let exportText = try reader.text()
        guard modeText.count == 1, let mode = ModeOfUse(rawValue: Character(modeText)), exportText.count == 1,
            let exportability = Exportability(rawValue: Character(exportText))
        else { throw .valueInvalid }
        let levels = Int(try reader.u8())
        self.init(usage: usage, algorithm: algorithm, mode: mode, exportability: exportability, levels: levels)
    }
}

extension KeyIdentity: WireValue {
    public func write(to writer: inout WireWriter) { writer.text(description) }
    public init(from reader: inout WireReader) throws(WireError) {
        guard let value = KeyIdentity(try reader.text()) else { throw .valueInvalid }
        self = value
    }
}

extension KeyCheckValue: WireValue {
    public func write(to writer: inout WireWriter) { writer.u32(value) }
    public init(from reader: inout WireReader) throws(WireError) {
        let value = try reader.u32()
        guard value < 1 << 24 else { throw .valueInvalid }
        self.init(UInt8(value >> 16), UInt8(value >> 8 & 255), UInt8(value & 255))
    }
}

extension WrappedKey: WireValue {
    public func write(to writer: inout WireWriter) {
        writer.text(block)
        checkValue.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let block = try reader.text()
        self.init(block: block, checkValue: try KeyCheckValue(from: &reader))
    }
}

extension KeyReference: WireValue {
    public func write(to writer: inout WireWriter) {
        switch self {
        case .handle(let handle):
            writer.u8(0)
            writer.u64(handle.rawValue)
        case .block(let block, expected: nil):
            writer.u8(1)
            writer.text(block)
        case .block(let block, expected: .some(let identity)):
            writer.u8(2)
            writer.text(block)
            identity.write(to: &writer)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.u8() {
        case 0: self = .handle(KeyHandle(rawValue: try reader.u64()))
        case 1: self = .block(try reader.text(), expected: nil)
        case 2:
            let block = try reader.text()
            self = .block(block, expected: try KeyIdentity(from: &reader))
        default: throw .valueInvalid
        }
    }
}

extension DerivedKey: WireValue {
    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u8(UInt8(factors.count))
        for factor in factors { writer.u64(factor) }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        let count = Int(try reader.u8())
        guard count <= Self.maximumLevels else { throw .valueInvalid }
        factors = []
        for _ in 0..<count { factors.append(try reader.u64()) }
    }
}

extension Optional: WireValue where Wrapped: WireValue {
    public func write(to writer: inout WireWriter) {
        writer.bool(self != nil)
        if let value = self { value.write(to: &writer) }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.bool() ? try Wrapped(from: &reader) : nil
    }
}
