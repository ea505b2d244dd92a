/// Asks what the module is and in which state. Runs in every state.
public struct GetStatus: ModuleCommand {
    public typealias Reply = ModuleStatus
    public static let code = CommandCode.getStatus
    public init() {}
    public func write(to writer: inout WireWriter) {}
    public init(from reader: inout WireReader) throws(WireError) {}
}

public struct ModuleStatus: WireValue, Hashable {
    public var state: ModuleState
    /// `kmsd-hsm 0.1.0`
    public var firmware: String
    /// Changes with every start and every unsealing: handles of another epoch are void.
    public var epoch: UInt32
    /// LMK term, 0 where no LMK was ever made.
    public var term: UInt8
    public var lmkCheckValue: KeyCheckValue?
    /// Of components 1, 2 and 3; empty where no LMK was ever made.
    public var componentCheckValues: [KeyCheckValue]
    public var selfTestsPassed: UInt16
    /// Name of the self-test that failed, empty if none.
    public var failure: String
    public var openKeys: UInt32

    public init(
        state: ModuleState, firmware: String, epoch: UInt32, term: UInt8, lmkCheckValue: KeyCheckValue?,
        componentCheckValues: [KeyCheckValue], selfTestsPassed: UInt16, failure: String, openKeys: UInt32
    ) {
        self.state = state
        self.firmware = firmware
        self.epoch = epoch
        self.term = term
        self.lmkCheckValue = lmkCheckValue
        self.componentCheckValues = componentCheckValues
        self.selfTestsPassed = selfTestsPassed
        self.failure = failure
        self.openKeys = openKeys
    }

    public func write(to writer: inout WireWriter) {
        writer.u8(state.rawValue)
        writer.text(firmware)
        writer.u32(epoch)
        writer.u8(term)
        lmkCheckValue.write(to: &writer)
        writer.array(componentCheckValues)
        writer.u16(selfTestsPassed)
        writer.text(failure)
        writer.u32(openKeys)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        guard let state = ModuleState(rawValue: try reader.u8()) else { throw .valueInvalid }
        self.state = state
        firmware = try reader.text()
        epoch = try reader.u32()
        term = try reader.u8()
        lmkCheckValue = try KeyCheckValue?(from: &reader)
        componentCheckValues = try reader.array(of: KeyCheckValue.self, limit: 3)
        selfTestsPassed = try reader.u16()
        failure = try reader.text()
        openKeys = try reader.u32()
    }
}

/// Runs all known-answer tests now. A failed one puts the module into the state `failed`.
public struct RunSelfTest: ModuleCommand {
    public typealias Reply = SelfTestReport
    public static let code = CommandCode.runSelfTest
    public init() {}
    public func write(to writer: inout WireWriter) {}
    public init(from reader: inout WireReader) throws(WireError) {}
}

public struct SelfTestReport: WireValue, Hashable {
    public struct Line: WireValue, Hashable {
        public var name: String
        public var passed: Bool
        public init(name: String, passed: Bool) {
            self.name = name
            self.passed = passed
        }
        public func write(to writer: inout WireWriter) {
            writer.text(name)
            writer.bool(passed)
        }
        public init(from reader: inout WireReader) throws(WireError) {
            name = try reader.text()
            passed = try reader.bool()
        }
    }

    public var lines: [Line]
    public var passed: Bool { lines.allSatisfy(\.passed) }

    public init(lines: [Line]) { self.lines = lines }
    public func write(to writer: inout WireWriter) { writer.array(lines) }
    public init(from reader: inout WireReader) throws(WireError) {
        lines = try reader.array(of: Line.self, limit: 256)
    }
}

/// Names the card readers that the module's process sees.
public struct ListReaders: ModuleCommand {
    public typealias Reply = ReaderNames
    public static let code = CommandCode.listReaders
    public init() {}
    public func write(to writer: inout WireWriter) {}
    public init(from reader: inout WireReader) throws(WireError) {}
}

public struct ReaderNames: WireValue, Hashable {
    public var names: [String]
    public init(names: [String]) { self.names = names }
    public func write(to writer: inout WireWriter) {
        writer.u32(UInt32(names.count))
        for name in names { writer.text(name) }
    }
    public init(from reader: inout WireReader) throws(WireError) {
        let count = try reader.u32()
        guard count <= 64 else { throw .valueInvalid }
        names = []
        for _ in 0..<count { names.append(try reader.text()) }
    }
}
