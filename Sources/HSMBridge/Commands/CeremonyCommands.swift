/// Which of the three component holders (密钥保管员 SO1, SO2, SO3) a card belongs to.
public enum Custodian: UInt8, Sendable, Hashable, CaseIterable {
    case first = 1
    case second = 2
    case third = 3
}

/// What an admin card says of itself without its PIN.
public struct AdminCardInfo: WireValue, Hashable {
    public var custodian: Custodian
    /// Eight bytes, upper-case hexadecimal.
    public var serial: String
    /// LMK term of the component on the card, 0 = none.
    public var term: UInt8
    public var componentCheckValue: KeyCheckValue?
    public var lmkCheckValue: KeyCheckValue?

    public init(
        custodian: Custodian, serial: String, term: UInt8, componentCheckValue: KeyCheckValue?,
        lmkCheckValue: KeyCheckValue?
    ) {
        self.custodian = custodian
        self.serial = serial
        self.term = term
        self.componentCheckValue = componentCheckValue
        self.lmkCheckValue = lmkCheckValue
    }

    public func write(to writer: inout WireWriter) {
        writer.u8(custodian.rawValue)
        writer.text(serial)
        writer.u8(term)
        componentCheckValue.write(to: &writer)
        lmkCheckValue.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        guard let custodian = Custodian(rawValue: try reader.u8()) else { throw .valueInvalid }
        self.custodian = custodian
        serial = try reader.text()
        term = try reader.u8()
        componentCheckValue = try KeyCheckValue?(from: &reader)
        lmkCheckValue = try KeyCheckValue?(from: &reader)
    }
}

/// Makes an admin card (管理员卡) of a blank, or empties one that is an admin card already: its PIN must then be the
/// card's present one, and an LMK component on it is destroyed only if `discardComponent` says so.
public struct FormatAdminCard: ModuleCommand, ~Copyable {
    public typealias Reply = AdminCardInfo
    public static let code = CommandCode.formatAdminCard
    public let reader: String
    public let custodian: Custodian
    public let discardComponent: Bool
    /// Six to eight decimal digits.
    public let pin: SecretInput

    public init(reader: String, custodian: Custodian, discardComponent: Bool, pin: consuming SecretInput) {
        self.reader = reader
        self.custodian = custodian
        self.discardComponent = discardComponent
        self.pin = pin
    }

    public borrowing func write(to writer: inout WireWriter) {
        writer.text(reader)
        writer.u8(custodian.rawValue)
        writer.bool(discardComponent)
        pin.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let name = try reader.text()
        guard let custodian = Custodian(rawValue: try reader.u8()) else { throw .valueInvalid }
        let discard = try reader.bool()
        let pin = try SecretInput(from: &reader)
        self.init(reader: name, custodian: custodian, discardComponent: discard, pin: pin)
    }
}

/// Reads an admin card's public part.
public struct InspectAdminCard: ModuleCommand {
    public typealias Reply = AdminCardInfo
    public static let code = CommandCode.inspectAdminCard
    public let reader: String
    public init(reader: String) { self.reader = reader }
    public func write(to writer: inout WireWriter) { writer.text(reader) }
    public init(from reader: inout WireReader) throws(WireError) { self.reader = try reader.text() }
}

/// What a ceremony is for.
public enum CeremonyKind: UInt8, Sendable, Hashable {
    /// Makes three new components inside the module and writes one to each card. Only in state `uninitialised`.
    case generate = 1
    /// Reads the components from the three cards and opens the module. Only in state `sealed`.
    case load = 2
}

/// Opens a ceremony (密钥仪式); one at a time, and it ends by itself after ten minutes.
public struct BeginCeremony: ModuleCommand {
    public typealias Reply = CeremonyProgress
    public static let code = CommandCode.beginCeremony
    public let kind: CeremonyKind
    public init(kind: CeremonyKind) { self.kind = kind }
    public func write(to writer: inout WireWriter) { writer.u8(kind.rawValue) }
    public init(from reader: inout WireReader) throws(WireError) {
        guard let kind = CeremonyKind(rawValue: try reader.u8()) else { throw .valueInvalid }
        self.kind = kind
    }
}

/// Where a ceremony stands.
public struct CeremonyProgress: WireValue, Hashable {
    public var kind: CeremonyKind
    /// Who has presented a card, with the check value of the component written or read.
    public var presented: [AdminCardInfo]
    public var secondsLeft: UInt32

    public init(kind: CeremonyKind, presented: [AdminCardInfo], secondsLeft: UInt32) {
        self.kind = kind
        self.presented = presented
        self.secondsLeft = secondsLeft
    }

    public func write(to writer: inout WireWriter) {
        writer.u8(kind.rawValue)
        writer.array(presented)
        writer.u32(secondsLeft)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        guard let kind = CeremonyKind(rawValue: try reader.u8()) else { throw .valueInvalid }
        self.kind = kind
        presented = try reader.array(of: AdminCardInfo.self, limit: 3)
        secondsLeft = try reader.u32()
    }
}

/// One custodian's part of a ceremony: the card in the reader and its PIN. A wrong PIN costs a try that the card counts.
public struct PresentAdminCard: ModuleCommand, ~Copyable {
    public typealias Reply = CeremonyProgress
    public static let code = CommandCode.presentAdminCard
    public let reader: String
    public let pin: SecretInput

    public init(reader: String, pin: consuming SecretInput) {
        self.reader = reader
        self.pin = pin
    }

    public borrowing func write(to writer: inout WireWriter) {
        writer.text(reader)
        pin.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let name = try reader.text()
        let pin = try SecretInput(from: &reader)
        self.init(reader: name, pin: pin)
    }
}

/// Ends a ceremony whose three cards were presented. After `generate` the module is sealed; after `load` operational.
public struct FinishCeremony: ModuleCommand {
    public typealias Reply = ModuleStatus
    public static let code = CommandCode.finishCeremony
    public init() {}
    public func write(to writer: inout WireWriter) {}
    public init(from reader: inout WireReader) throws(WireError) {}
}

/// Ends a ceremony and forgets its components. What was already written to cards in a broken-off `generate` is void.
public struct AbortCeremony: ModuleCommand {
    public typealias Reply = ModuleStatus
    public static let code = CommandCode.abortCeremony
    public init() {}
    public func write(to writer: inout WireWriter) {}
    public init(from reader: inout WireReader) throws(WireError) {}
}

/// Wipes the LMK and every open key from memory; all handles are void.
public struct SealModule: ModuleCommand {
    public typealias Reply = ModuleStatus
    public static let code = CommandCode.sealModule
    public init() {}
    public func write(to writer: inout WireWriter) {}
    public init(from reader: inout WireReader) throws(WireError) {}
}
