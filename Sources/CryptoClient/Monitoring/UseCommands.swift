public import NIOCore

/// J2: how busy has the machine been? No fields.
public struct LoadingRequest: HostCommand {
    public typealias Reply = LoadingReply
    public static let code = HostCommandCode.loading

    public init() {}
    public init(from reader: inout FieldReader) throws(FieldError) {}
    public func write(into buffer: inout ByteBuffer) {}
}

/// J3: period | seconds 10 | groups of lowest percentage 3 | highest percentage 3 | number of periods 10 | X'14'. The delimiter is inferred
/// from that of JK.
public struct LoadingReply: HostReplyFields, Hashable {
    public let period: MonitoringPeriod
    /// How long was counted; the sum of the numbers of all groups.
    public let seconds: UInt64
    public let groups: [Group]

    /// How many periods of one second had a load of this many per cent.
    public struct Group: Sendable, Hashable {
        public let percent: ClosedRange<Int>
        public let periods: UInt64

        /// `percent` within 0 and 100.
        public init(percent: ClosedRange<Int>, periods: UInt64) {
            self.percent = percent
            self.periods = periods
        }
    }

    static let delimiter: UInt8 = 0x14

    public init(period: MonitoringPeriod, seconds: UInt64, groups: [Group]) {
        self.period = period
        self.seconds = seconds
        self.groups = groups
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        period = try MonitoringPeriod(from: &reader)
        seconds = UInt64(try reader.decimal(digits: 10, .figures))
        var groups: [Group] = []
        while reader.remaining > 0 {
            let low = try reader.decimal(digits: 3, .figures)
            let high = try reader.decimal(digits: 3, .figures)
            let periods = try reader.decimal(digits: 10, .figures)
            guard low <= high, high <= 100, reader.skip(Self.delimiter) else {
                throw FieldError(.inputData, in: .figures)
            }
            groups.append(Group(percent: low...high, periods: UInt64(periods)))
        }
        self.groups = groups
    }

    public func write(into buffer: inout ByteBuffer) {
        period.write(into: &buffer)
        buffer.writeCount(seconds, digits: 10)
        for group in groups {
            buffer.writeDecimal(group.percent.lowerBound, digits: 3)
            buffer.writeDecimal(group.percent.upperBound, digits: 3)
            buffer.writeCount(group.periods, digits: 10)
            buffer.writeInteger(Self.delimiter)
        }
    }
}

/// J4: how often was each command asked? No fields.
public struct VolumesRequest: HostCommand {
    public typealias Reply = VolumesReply
    public static let code = HostCommandCode.volumes

    public init() {}
    public init(from reader: inout FieldReader) throws(FieldError) {}
    public func write(into buffer: inout ByteBuffer) {}
}

/// J5: period | seconds 10 | groups of command 2 | number 12.
public struct VolumesReply: HostReplyFields, Hashable {
    public let period: MonitoringPeriod
    public let seconds: UInt64
    public let volumes: [Volume]

    /// How often one command was answered, refusals included.
    public struct Volume: Sendable, Hashable {
        public let command: HostCommandCode
        public let count: UInt64

        public init(command: HostCommandCode, count: UInt64) {
            self.command = command
            self.count = count
        }
    }

    public init(period: MonitoringPeriod, seconds: UInt64, volumes: [Volume]) {
        self.period = period
        self.seconds = seconds
        self.volumes = volumes
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        period = try MonitoringPeriod(from: &reader)
        seconds = UInt64(try reader.decimal(digits: 10, .figures))
        var volumes: [Volume] = []
        while reader.remaining > 0 {
            guard let command = HostCommandCode(try reader.alphanumeric(2, .command)) else {
                throw FieldError(.inputData, in: .command)
            }
            volumes.append(Volume(command: command, count: UInt64(try reader.decimal(digits: 12, .figures))))
        }
        self.volumes = volumes
    }

    public func write(into buffer: inout ByteBuffer) {
        period.write(into: &buffer)
        buffer.writeCount(seconds, digits: 10)
        for volume in volumes {
            buffer.writeInteger(volume.command.rawValue)
            buffer.writeCount(volume.count, digits: 12)
        }
    }
}
