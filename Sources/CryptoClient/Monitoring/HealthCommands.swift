public import NIOCore

/// J8: what has happened to the machine? No fields.
public struct HealthCountsRequest: HostCommand {
    public typealias Reply = HealthCountsReply
    public static let code = HostCommandCode.healthCounts

    public init() {}
    public init(from reader: inout FieldReader) throws(FieldError) {}
    public func write(into buffer: inout ByteBuffer) {}
}

/// J9: period | restarts 10 | tampers 10 | failed PIN checks beyond the limit a minute 7 | an hour 5 | PIN attacks 8.
public struct HealthCountsReply: HostReplyFields, Hashable {
    public let period: MonitoringPeriod
    public let restarts: UInt64
    public let tampers: UInt64
    public let pinChecksPerMinute: UInt64
    public let pinChecksPerHour: UInt64
    public let pinAttacks: UInt64

    /// A service without PIN commands has no PIN figures.
    public init(
        period: MonitoringPeriod, restarts: UInt64, tampers: UInt64 = 0, pinChecksPerMinute: UInt64 = 0,
        pinChecksPerHour: UInt64 = 0, pinAttacks: UInt64 = 0
    ) {
        self.period = period
        self.restarts = restarts
        self.tampers = tampers
        self.pinChecksPerMinute = pinChecksPerMinute
        self.pinChecksPerHour = pinChecksPerHour
        self.pinAttacks = pinAttacks
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        period = try MonitoringPeriod(from: &reader)
        restarts = UInt64(try reader.decimal(digits: 10, .figures))
        tampers = UInt64(try reader.decimal(digits: 10, .figures))
        pinChecksPerMinute = UInt64(try reader.decimal(digits: 7, .figures))
        pinChecksPerHour = UInt64(try reader.decimal(digits: 5, .figures))
        pinAttacks = UInt64(try reader.decimal(digits: 8, .figures))
    }

    public func write(into buffer: inout ByteBuffer) {
        period.write(into: &buffer)
        buffer.writeCount(restarts, digits: 10)
        buffer.writeCount(tampers, digits: 10)
        buffer.writeCount(pinChecksPerMinute, digits: 7)
        buffer.writeCount(pinChecksPerHour, digits: 5)
        buffer.writeCount(pinAttacks, digits: 8)
    }
}

/// JK: how is the machine now? No fields.
public struct HealthRequest: HostCommand {
    public typealias Reply = HealthReply
    public static let code = HostCommandCode.health

    public init() {}
    public init(from reader: inout FieldReader) throws(FieldError) {}
    public func write(into buffer: inout ByteBuffer) {}
}

/// JL: serial 12 | now 12 | console 1 | manager 1 | host port 1 | second host port 1 | reserved 2 | tamper 1 [| cause 2 | when 12] | LMKs
/// loaded 2 | test LMKs 2 | old LMKs 2 | LMKs, each with X'14' behind it | X'15' | fraud limit exceeded 1 | PIN attacks exceeded 1.
public struct HealthReply: HostReplyFields, Hashable {
    public let serial: String
    public let now: HostMoment
    public let console: Part
    public let manager: Part
    public let hostPort: Part
    public let secondHostPort: Part
    public let tamper: Tamper
    public let lmks: [LMK]

    /// What a part of the machine does.
    public enum Part: UInt8, Sendable, Hashable, CaseIterable {
        case unknown = 0x30
        case running
        case notRunning
        /// Of a host port: not configured. Of the console: disabled.
        case absent
    }

    /// Whether somebody has laid hands on the machine.
    public enum Tamper: UInt8, Sendable, Hashable {
        /// All that software can say.
        case unknown = 0x30
        case none = 0x31
    }

    /// One LMK: number 2 | authorised 1 | authorised activities 2 | scheme 1 | algorithm 1 | status 1 | comment.
    public struct LMK: Sendable, Hashable {
        /// 0 to 99.
        public let number: Int
        /// `V` variant, `K` key block.
        public let scheme: Character
        /// `0` and `1` two-key and three-key TDES, `2` AES of 256 bits.
        public let algorithm: Character
        /// `L` live, `T` test.
        public let status: Character
        /// Printable.
        public let comment: String

        public init(
            number: Int, scheme: Character = "K", algorithm: Character = "2", status: Character = "L", comment: String
        ) {
            self.number = number
            self.scheme = scheme
            self.algorithm = algorithm
            self.status = status
            self.comment = comment
        }
    }

    public init(
        serial: String, now: HostMoment, console: Part, manager: Part, hostPort: Part, secondHostPort: Part,
        tamper: Tamper = .unknown, lmks: [LMK]
    ) {
        self.serial = MonitoringPeriod.serial(serial)
        self.now = now
        self.console = console
        self.manager = manager
        self.hostPort = hostPort
        self.secondHostPort = secondHostPort
        self.tamper = tamper
        self.lmks = lmks
    }

    private static let lmkEnd: UInt8 = 0x14
    private static let listEnd: UInt8 = 0x15

    /// Reads what this project writes: no tamper cause, no counts of test or old LMKs, no limits exceeded.
    public init(from reader: inout FieldReader) throws(FieldError) {
        serial = try reader.printable(12, .figures)
        now = try HostMoment(from: &reader)
        console = try reader.choice(.figures, .inputData)
        manager = try reader.choice(.figures, .inputData)
        hostPort = try reader.choice(.figures, .inputData)
        secondHostPort = try reader.choice(.figures, .inputData)
        _ = try reader.printable(2, .figures)
        tamper = try reader.choice(.figures, .inputData)
        let count = try reader.decimal(digits: 2, .figures)
        _ = try reader.decimalText(4, .figures)
        var lmks: [LMK] = []
        for _ in 0..<count { lmks.append(try LMK(&reader, end: Self.lmkEnd)) }
        self.lmks = lmks
        guard reader.skip(Self.listEnd) else { throw FieldError(.inputData, in: .figures) }
        _ = try reader.decimalText(2, .figures)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeString(serial + now.digits)
        buffer.writeBytes([console.rawValue, manager.rawValue, hostPort.rawValue, secondHostPort.rawValue])
        buffer.writeString("00")
        buffer.writeInteger(tamper.rawValue)
        buffer.writeDecimal(lmks.count, digits: 2)
        buffer.writeString("0000")
        for lmk in lmks {
            lmk.write(into: &buffer)
            buffer.writeInteger(Self.lmkEnd)
        }
        buffer.writeInteger(Self.listEnd)
        buffer.writeString("00")
    }
}

extension HealthReply.LMK {
    fileprivate init(_ reader: inout FieldReader, end: UInt8) throws(FieldError) {
        number = try reader.decimal(digits: 2, .figures)
        _ = try reader.decimalText(3, .figures)
        let letters = Array(try reader.alphanumeric(3, .figures))
        (scheme, algorithm, status) = (letters[0], letters[1], letters[2])
        var text: [UInt8] = []
        while !reader.skip(end) {
            let byte = try reader.byte(.figures)
            guard (0x20...0x7E).contains(byte) else { throw FieldError(.inputData, in: .figures) }
            text.append(byte)
        }
        comment = String(decoding: text, as: UTF8.self)
    }

    fileprivate func write(into buffer: inout ByteBuffer) {
        buffer.writeDecimal(number, digits: 2)
        // Not authorised for anything: here a grant says what is allowed, and no state of the machine.
        buffer.writeString("000")
        buffer.writeString(String(scheme) + String(algorithm) + String(status) + comment)
    }
}
