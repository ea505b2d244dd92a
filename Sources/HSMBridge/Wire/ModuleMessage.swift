/// A command as a value: what to do, and how its answer reads.
///
/// One generic path (`SecurityModule.execute`) carries all of them. Commands that bear a PIN or a typed component are
/// not copyable.
public protocol ModuleCommand: ~Copyable {
    associatedtype Reply: WireValue
    static var code: CommandCode { get }
    borrowing func write(to writer: inout WireWriter)
    init(from reader: inout WireReader) throws(WireError)
}

/// The limits of one message between the processes.
public enum ModuleMessageLimits {
    /// Bytes of a message after its length field.
    public static let maximumLength = 4 << 20
    public static let maximumItems = 16_384
}

/// A message to the module, many commands long: length 4 | count 4 | (code 2 | length 4 | body)…, all big-endian.
public struct ModuleRequest: ~Copyable, Sendable {
    private var writer: WireWriter
    public private(set) var count = 0

    public init(capacity: Int = 512) {
        writer = WireWriter(capacity: capacity)
        writer.u32(0)
        writer.u32(0)
    }

    public mutating func append<Command: ModuleCommand & ~Copyable>(_ command: borrowing Command) {
        writer.u16(Command.code.rawValue)
        let start = writer.beginField()
        command.write(to: &writer)
        writer.endField(start)
        count += 1
    }

    /// Bytes of the whole message.
    public var byteCount: Int { writer.count }

    /// Lends the finished message.
    public mutating func withMessage<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        writer.patch(UInt32(writer.count - 4), at: 0)
        writer.patch(UInt32(count), at: 4)
        var result: Result<R, E>?
        unsafe writer.withBytes { bytes in
            do throws(E) { result = .success(unsafe try body(bytes)) } catch { result = .failure(error) }
        }
        guard let result else { preconditionFailure("the closure ran") }
        return try result.get()
    }
}

/// The module's answer, in the order of the commands: length 4 | count 4 | (error 2 | length 4 | body or detail 2)….
public struct ModuleReply: Sendable {
    private let bytes: [UInt8]
    private let items: [(error: UInt16, start: Int, end: Int)]

    /// Reads the part after the length field.
    public init(message bytes: [UInt8]) throws(WireError) {
        self.bytes = bytes
        var items: [(UInt16, Int, Int)] = []
        var offset = 4
        func integer(_ at: Int, _ size: Int) -> Int { bytes[at..<at + size].reduce(0) { $0 << 8 | Int($1) } }
        guard bytes.count >= 4 else { throw .truncated }
        let count = integer(0, 4)
        guard count <= ModuleMessageLimits.maximumItems else { throw .valueInvalid }
        items.reserveCapacity(count)
        for _ in 0..<count {
            guard offset + 6 <= bytes.count else { throw .truncated }
            let error = UInt16(integer(offset, 2))
            let end = offset + 6 + integer(offset + 2, 4)
            guard end <= bytes.count else { throw .truncated }
            items.append((error, offset + 6, end))
            offset = end
        }
        guard offset == bytes.count else { throw .trailingBytes }
        self.items = items
    }

    public var count: Int { items.count }

    /// The reply to command number `index`.
    public func reply<Command: ModuleCommand & ~Copyable>(
        _ index: Int, to command: Command.Type
    ) throws(ModuleRefusal) -> Command.Reply {
        guard items.indices.contains(index) else { throw ModuleRefusal(.internalFault) }
        let item = items[index]
        let result: Result<Command.Reply, ModuleRefusal> = unsafe bytes.withUnsafeBytes { memory in
            let body = unsafe UnsafeRawBufferPointer(rebasing: memory[item.start..<item.end])
            return unsafe WireReader.reading(body) { reader in
                do throws(WireError) {
                    if item.error != 0 {
                        let detail = try reader.u16()
                        return .failure(
                            ModuleRefusal(ModuleError(rawValue: item.error) ?? .internalFault, detail: detail))
                    }
                    let reply = try Command.Reply(from: &reader)
                    try reader.end()
                    return .success(reply)
                } catch {
                    return .failure(ModuleRefusal(.internalFault))
                }
            }
        }
        return try result.get()
    }
}

/// Builds the answer; used by the module's side.
public struct ModuleReplyWriter: ~Copyable, Sendable {
    private var writer: WireWriter
    public private(set) var count = 0

    public init(capacity: Int = 512) {
        writer = WireWriter(capacity: capacity)
        writer.u32(0)
        writer.u32(0)
    }

    public mutating func append(_ reply: some WireValue) {
        writer.u16(0)
        let start = writer.beginField()
        reply.write(to: &writer)
        writer.endField(start)
        count += 1
    }

    /// Bytes of the whole answer so far.
    public var byteCount: Int { writer.count }

    /// The same bytes as `append(_ reply: some WireValue)`, without its detour over the value's own code.
    public mutating func append(verdict: Verdict) {
        writer.u16(0)
        writer.u32(1)
        writer.u8(verdict.rawValue)
        count += 1
    }

    /// A reply that is one field of up to 16 bytes, the beginning of two big-endian numbers.
    public mutating func append(field: (UInt64, UInt64), count length: Int) {
        precondition((0...16).contains(length), "a field of two numbers")
        writer.u16(0)
        writer.u32(UInt32(4 + length))
        writer.u32(UInt32(length))
        writer.integers(field, count: length)
        count += 1
    }

    /// A place for a reply that is calculated later, together with others. Until then it reads as a fault of the module, so that
    /// one that were forgotten would say nothing about a MAC.
    public struct Pending: Sendable {
        fileprivate let offset: Int
        fileprivate let length: Int
    }

    public mutating func appendPendingVerdict() -> Pending { appendPending(1) }
    /// A field of `count` bytes, at most 8.
    public mutating func appendPendingField(count: Int) -> Pending { appendPending(4 + count) }
    public mutating func appendPendingAuthorisation() -> Pending { appendPending(Self.authorisationLength) }
    private static let authorisationLength = 5

    private mutating func appendPending(_ length: Int) -> Pending {
        let pending = Pending(offset: writer.count, length: length)
        writer.zeros(6 + length)
        writer.patch(ModuleError.internalFault.rawValue, at: pending.offset)
        writer.patch(UInt32(length), at: pending.offset + 2)
        count += 1
        return pending
    }

    public mutating func complete(_ pending: Pending, verdict: Verdict) {
        precondition(pending.length == 1, "the place of a verdict")
        writer.patch(verdict.rawValue, at: pending.offset + 6)
        writer.patch(UInt16(0), at: pending.offset)
    }

    /// The first bytes of `number`, big-endian, as many as the place has.
    public mutating func complete(_ pending: Pending, field number: UInt64) {
        let length = pending.length - 4
        precondition((0...8).contains(length), "the place of a field")
        writer.patch(UInt32(length), at: pending.offset + 6)
        for index in 0..<length {
            writer.patch(UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index)), at: pending.offset + 10 + index)
        }
        writer.patch(UInt16(0), at: pending.offset)
    }

    public mutating func complete(_ pending: Pending, authorisation: LoadAuthorisation) {
        precondition(pending.length == Self.authorisationLength, "the place of an authorisation")
        if case .authorised(let mac2) = authorisation {
            writer.patch(UInt8(1), at: pending.offset + 6)
            writer.patch(mac2, at: pending.offset + 7)
        }
        writer.patch(UInt16(0), at: pending.offset)
    }

    public mutating func append(_ refusal: ModuleRefusal) {
        writer.u16(refusal.error.rawValue)
        writer.u32(2)
        writer.u16(refusal.detail)
        count += 1
    }

    public mutating func withMessage<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        writer.patch(UInt32(writer.count - 4), at: 0)
        writer.patch(UInt32(count), at: 4)
        return unsafe writer.withBytes { bytes in unsafe body(bytes) }
    }

    /// Starts the next message in the same memory.
    public mutating func reset() {
        writer.reset()
        writer.u32(0)
        writer.u32(0)
        count = 0
    }
}
