import NIOCore

/// Eight bytes from which one level of card key is diversified, usually the right half of the card's application serial
/// number (分散因子).
public struct DiversificationFactor: RawRepresentable, Sendable, Hashable {
    /// The eight bytes as a big-endian number.
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Nil unless there are eight bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 8 else { return nil }
        rawValue = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The right eight bytes of a longer number such as a ten-byte application serial number; nil for fewer than eight.
    public init?(rightmostOf bytes: [UInt8]) {
        guard bytes.count >= 8 else { return nil }
        self.init(Array(bytes.suffix(8)))
    }

    public var bytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: rawValue >> UInt64(56 - 8 * $0)) } }
}

/// The factors from master to card key, in the order they are used: region first, card last. At most four.
///
/// Kept in place, without a heap array, because every e-purse request has one.
public struct DiversificationPath: Sendable, Hashable {
    public static let maximumLevels = 4
    /// No level at all.
    public static let none = DiversificationPath()

    public private(set) var count = 0
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0
    private var fourth: UInt64 = 0

    /// Nil for more than four.
    public init?(_ factors: [DiversificationFactor]) {
        guard factors.count <= Self.maximumLevels else { return nil }
        factors.forEach { append($0.rawValue) }
    }

    /// A single level, the usual case.
    public init(card: DiversificationFactor) {
        append(card.rawValue)
    }

    /// The factor of a level; outside `0..<count` the zero factor.
    public subscript(level: Int) -> DiversificationFactor {
        guard level < count else { return DiversificationFactor(rawValue: 0) }
        switch level {
        case 0: return DiversificationFactor(rawValue: first)
        case 1: return DiversificationFactor(rawValue: second)
        case 2: return DiversificationFactor(rawValue: third)
        default: return DiversificationFactor(rawValue: fourth)
        }
    }

    public var factors: [DiversificationFactor] { (0..<count).map { self[$0] } }

    fileprivate init() {}

    fileprivate mutating func append(_ factor: UInt64) {
        switch count {
        case 0: first = factor
        case 1: second = factor
        case 2: third = factor
        default: fourth = factor
        }
        count += 1
    }
}

/// A terminal number, six bytes, as it enters the MACs.
public struct PurseTerminal: RawRepresentable, Sendable, Hashable {
    /// The low 48 bits.
    public let rawValue: UInt64

    /// Nil for more than 48 bits.
    public init?(rawValue: UInt64) {
        guard rawValue >> 48 == 0 else { return nil }
        self.rawValue = rawValue
    }

    /// Nil unless there are six bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 6 else { return nil }
        rawValue = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    fileprivate init(high: UInt16, low: UInt32) {
        rawValue = UInt64(high) << 32 | UInt64(low)
    }

    public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: rawValue >> UInt64(40 - 8 * $0)) } }
}

/// Date and time of a transaction as the card takes them: BCD YYYYMMDD, four bytes, and HHMMSS, three.
///
/// Not checked to be a date: it is signed data, and a wrong clock must not make a good signature bad.
public struct PurseTime: Sendable, Hashable {
    /// Four BCD bytes, big-endian.
    public let date: UInt32
    /// Three BCD bytes, big-endian, in the low 24 bits.
    public let time: UInt32

    /// The time's upper 8 bits are dropped.
    public init(date: UInt32, time: UInt32) {
        self.date = date
        self.time = time & 0xFF_FFFF
    }

    /// Nil unless there are seven bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 7 else { return nil }
        date = bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        time = bytes.suffix(3).reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// Four bytes of MAC or TAC; deliberately not `Equatable`: the security module compares them, in constant time.
public struct PurseMAC: Sendable {
    /// The bytes as a big-endian number.
    public let value: UInt32

    public init(_ value: UInt32) {
        self.value = value
    }

    /// Nil unless there are four bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 4 else { return nil }
        value = bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    public var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) } }
}

/// A master key and the factors that lead to the card's key: the first fields of most e-purse commands.
///
/// key | number of levels 1 (`1` to `4`) | 8 bytes each.
public struct CardKey: Sendable, Hashable {
    public var master: HostKeyReference
    public var path: DiversificationPath

    public init(master: HostKeyReference, path: DiversificationPath) {
        self.master = master
        self.path = path
    }
}

// MARK: - On the wire

extension FieldReader {
    mutating func cardKey() throws(FieldError) -> CardKey {
        CardKey(master: try key(.key), path: try path(levels: 1...DiversificationPath.maximumLevels))
    }

    mutating func path(levels: ClosedRange<Int>) throws(FieldError) -> DiversificationPath {
        let count = try decimal(digits: 1, .factorCount)
        guard levels.contains(count) else { throw FieldError(.indexValue, in: .factorCount) }
        var path = DiversificationPath()
        for _ in 0..<count { path.append(try integer(.factors)) }
        return path
    }

    mutating func terminal() throws(FieldError) -> PurseTerminal {
        PurseTerminal(high: try integer(.terminal), low: try integer(.terminal))
    }

    mutating func purseTime() throws(FieldError) -> PurseTime {
        let date: UInt32 = try integer(.dateTime)
        let high: UInt8 = try integer(.dateTime)
        let low: UInt16 = try integer(.dateTime)
        return PurseTime(date: date, time: UInt32(high) << 16 | UInt32(low))
    }

    mutating func purseMAC() throws(FieldError) -> PurseMAC {
        PurseMAC(try integer(.mac))
    }
}

extension ByteBuffer {
    mutating func writeCardKey(_ key: CardKey) {
        writeKey(key.master)
        writePath(key.path)
    }

    mutating func writePath(_ path: DiversificationPath) {
        writeDecimal(path.count, digits: 1)
        for level in 0..<path.count { writeInteger(path[level].rawValue) }
    }

    mutating func writeTerminal(_ terminal: PurseTerminal) {
        writeInteger(UInt16(truncatingIfNeeded: terminal.rawValue >> 32))
        writeInteger(UInt32(truncatingIfNeeded: terminal.rawValue))
    }

    mutating func writePurseTime(_ time: PurseTime) {
        writeInteger(time.date)
        writeInteger(UInt8(truncatingIfNeeded: time.time >> 16))
        writeInteger(UInt16(truncatingIfNeeded: time.time))
    }
}
