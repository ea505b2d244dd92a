/// A user card with a file system and purse in the manner of FMCOS 2.0 (复旦微 CPU 卡). Admin cards of the security
/// module are such cards with files of their own. Modelled on the public manuals (domain.md §1, §2.6), never certified.
public struct FMCOSCard: SmartCard {
    var core: CardCore
    let options: FMCOSOptions
    /// Transaction between its INITIALIZE and its second command; any other command ends it.
    var pending: PendingTransaction?

    /// A blank: no MF, transport code FF×8 unless the options say otherwise.
    /// - Parameter serial: 4 bytes.
    public init(serial: [UInt8], options: FMCOSOptions = FMCOSOptions(), random: CardRandom = .system) {
        precondition(serial.count == 4, "a chip serial has four bytes")
        var memory = CardMemory(serial: Octets(serial))
        memory.transportCode = Octets(options.transportCode)
        self.init(memory: memory, options: options, random: random)
    }

    init(memory: CardMemory, options: FMCOSOptions, random: CardRandom) {
        core = CardCore(memory: memory, random: random, dialect: .fmcos)
        core.refusesNeedlessProtection = options.refusesNeedlessProtection
        self.options = options
    }

    public var serial: [UInt8] { core.memory.serial.bytes }

    public var answerToReset: [UInt8] { core.answerToReset }

    public mutating func reset() {
        core.reset()
        pending = nil
    }

    public mutating func respond(to bytes: [UInt8]) -> [UInt8] {
        core.beginCommand()
        let transaction = pending
        pending = nil
        guard let command = Command(bytes) else { return Answer(status: .wrongLength).bytes }
        do {
            try checkClass(command)
            try checkBlocks(command)
            return try carryOut(command, transaction).bytes
        } catch {
            return Answer(status: error).bytes
        }
    }

    private func checkClass(_ command: Command) throws(Status) {
        let allowed: [UInt8]
        switch command.ins {
        case 0xB0, 0xB2, 0xD6, 0xDC, 0xE2: allowed = [0x00, 0x04]
        case 0x20, 0x82, 0x84, 0x88, 0xA4: allowed = [0x00]
        case 0x0E, 0x50, 0x52, 0x54, 0x58, 0x5A, 0x5C, 0x5E, 0xE0, 0xF6: allowed = [0x80]
        case 0x16, 0x18, 0x1E, 0x24: allowed = [0x84]
        case 0xD4: allowed = [0x80, 0x84]
        default: throw .instructionUnknown
        }
        if !allowed.contains(command.cla) { throw .classUnknown }
    }

    /// A blocked card or application answers to little else than SELECT, GET CHALLENGE and UNBLOCK.
    private func checkBlocks(_ command: Command) throws(Status) {
        if core.memory.isBlocked { throw .notSupported }
        let always: [UInt8] = [0xA4, 0x84, 0x18, 0xF6]
        if core.memory.directories.isEmpty {
            guard [0xA4, 0x84, 0xE0, 0xF6].contains(command.ins) else { throw .conditionsNotMet }
            return
        }
        switch core.directory.block {
        case .none: break
        case .temporary: if !always.contains(command.ins) { throw .notSupported }
        case .permanent: if command.ins != 0xA4, command.ins != 0x84 { throw .permanentlyLocked }
        }
    }

    private mutating func carryOut(
        _ command: Command, _ transaction: PendingTransaction?
    ) throws(Status) -> Answer {
        switch command.ins {
        case 0xA4: try core.select(command)
        case 0x84: try core.getChallenge(command)
        case 0xF6: try core.getSerial(command)
        case 0xE0: try core.createFile(command)
        case 0x0E: try core.eraseDirectory(command)
        case 0xB0: try core.readBinary(command)
        case 0xD6: try core.updateBinary(command)
        case 0xB2: try core.readRecord(command)
        case 0xDC: try core.updateRecord(command)
        case 0xE2: try core.appendRecord(command)
        case 0xD4: try writeKey(command)
        case 0x20: try verifyPIN(command)
        case 0x5E: try changeOrReloadPIN(command)
        case 0x24: try unblockPIN(command)
        case 0x82: try externalAuthenticate(command)
        case 0x88: try internalAuthenticate(command)
        case 0x1E, 0x18, 0x16: try core.blockCommand(command)
        case 0x5C: try getBalance(command)
        case 0x50: try initialize(command)
        case 0x52, 0x54, 0x58: try complete(command, transaction)
        case 0x5A: try getTransactionProof(command)
        default: throw .instructionUnknown
        }
    }
}

/// Where the manuals leave a choice, or contradict each other (domain.md §12).
public struct FMCOSOptions: Codable, Equatable, Sendable {
    /// The code CREATE MF must show, 8 bytes.
    public var transportCode: [UInt8] = [UInt8](repeating: 0xFF, count: 8)
    /// CLA 04 on a file without line protection answers 6900; else it is accepted if its MAC is right.
    public var refusesNeedlessProtection = false
    /// An application without a 39-00 key of its own takes keys protected by the MF's 39-00.
    public var masterFileKeyProtectsFirstKey = false
    /// WRITE KEY answers 9302 to a wrong MAC (else 6988).
    public var writeKeyAnswersMACWrong = false
    /// The log record carries the sequence number after +1, as seen in one real log (else before, as in the manual).
    public var logsNextSequence = false

    public init() {}
}
