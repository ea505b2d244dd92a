/// A terminal's purchase security module (PSAM) in the manner of the PBOC PSAM papers (domain.md §2.1–2.4). Delivered with
/// an MF and the vendor's (transport) card master key in it. Modelled on public descriptions, never certified.
public struct PSAMCard: SmartCard {
    /// The virtual vendor's transport key, unless another is given: 16 bytes ASCII "kmsd blank PSAM.".
    public static let vendorKey: [UInt8] = Array("kmsd blank PSAM.".utf8)

    var core: CardCore
    let options: PSAMOptions
    /// A purchase between `80 70` and `80 72`; any other command ends it.
    var purchase: PendingPurchase?
    /// Temporary key of `80 1A` for `80 FA`.
    var temporaryKey: TemporaryKey?

    /// A blank with MF and vendor master key; nothing can be created in it before that key has been proved.
    /// - Parameters: serial, 4 bytes; vendorKey, 16 bytes.
    public init(
        serial: [UInt8], vendorKey: [UInt8] = PSAMCard.vendorKey, options: PSAMOptions = PSAMOptions(),
        random: CardRandom = .system
    ) {
        precondition(serial.count == 4, "a chip serial has four bytes")
        precondition(vendorKey.count == 16, "a vendor key has sixteen bytes")
        var memory = CardMemory(serial: Octets(serial))
        let master = CardKey(
            kind: 0x00, id: 0x00, maximumTries: PSAMCard.masterTries, triesLeft: PSAMCard.masterTries,
            value: Octets(vendorKey))
        memory.directories = [
            Directory(
                identifier: 0x3F00, name: Octets(masterFileName), size: memory.capacity, createRight: 0xFF,
                eraseRight: 0xFF, directoryFile: 0x95,
                keyFile: KeyFile(identifier: 0x0000, size: 0x200, addRight: 0xF0, keys: [master]))
        ]
        self.init(memory: memory, options: options, random: random)
    }

    init(memory: CardMemory, options: PSAMOptions, random: CardRandom) {
        core = CardCore(memory: memory, random: random, dialect: .psam)
        core.refusesNeedlessProtection = options.refusesNeedlessProtection
        self.options = options
    }

    public var serial: [UInt8] { core.memory.serial.bytes }

    public var answerToReset: [UInt8] { core.answerToReset }

    public mutating func reset() {
        core.reset()
        purchase = nil
        temporaryKey = nil
    }

    public mutating func respond(to bytes: [UInt8]) -> [UInt8] {
        core.beginCommand()
        let open = purchase
        purchase = nil
        guard let command = Command(bytes) else { return Answer(status: .wrongLength).bytes }
        do {
            try checkClass(command)
            try checkBlocks(command)
            return try carryOut(command, open).bytes
        } catch {
            return Answer(status: error).bytes
        }
    }

    private func checkClass(_ command: Command) throws(Status) {
        let allowed: [UInt8]
        switch command.ins {
        case 0xB0, 0xB2, 0xD6, 0xDC, 0xE2: allowed = [0x00, 0x04]
        case 0x82, 0x84, 0x88, 0xA4: allowed = [0x00]
        case 0x0E, 0x1A, 0x70, 0x72, 0xE0, 0xF6, 0xFA: allowed = [0x80]
        case 0x16, 0x18, 0x1E: allowed = [0x84]
        case 0xD4: allowed = [0x80, 0x84]
        default: throw .instructionUnknown
        }
        if !allowed.contains(command.cla) { throw .classUnknown }
    }

    private func checkBlocks(_ command: Command) throws(Status) {
        if core.memory.isBlocked { throw .notSupported }
        switch core.directory.block {
        case .none: break
        case .temporary: if ![0xA4, 0x84, 0x18, 0xF6].contains(command.ins) { throw .notSupported }
        case .permanent: if command.ins != 0xA4, command.ins != 0x84 { throw .permanentlyLocked }
        }
    }

    private mutating func carryOut(_ command: Command, _ open: PendingPurchase?) throws(Status) -> Answer {
        switch command.ins {
        case 0xA4:
            temporaryKey = nil
            return try core.select(command)
        case 0x84: return try core.getChallenge(command)
        case 0xF6: return try core.getSerial(command)
        case 0xE0: return try core.createFile(command)
        case 0x0E: return try core.eraseDirectory(command)
        case 0xB0: return try core.readBinary(command)
        case 0xD6: return try core.updateBinary(command)
        case 0xB2: return try core.readRecord(command)
        case 0xDC: return try core.updateRecord(command)
        case 0xE2: return try core.appendRecord(command)
        case 0xD4: return try loadKey(command)
        case 0x82: return try externalAuthenticate(command)
        case 0x88: return try internalAuthenticate(command)
        case 0x1E, 0x18, 0x16: return try core.blockCommand(command)
        case 0x70: return try initializePurchase(command)
        case 0x72: return try creditPurchase(command, open)
        case 0x1A: return try deriveKey(command)
        case 0xFA: return try cipherData(command)
        default: throw .instructionUnknown
        }
    }
}

/// Where descriptions of the PSAM leave a choice (domain.md §12).
public struct PSAMOptions: Codable, Equatable, Sendable {
    /// Order in which `80 70` and `80 1A` use their 8-byte factors.
    public enum FactorOrder: String, Codable, Sendable {
        /// The first factor of the command is used first (domain.md §2.2).
        case asListed
        /// The last factor is used first: a command that lists the card number before the region code.
        case lastFirst
    }

    public var factorOrder: FactorOrder = .asListed
    /// `80 70` and `80 1A` answer 6982 until a master or external-authentication key was proved (ETC custom, §2.11).
    public var needsAuthorisation = false
    /// CLA 04 on a file without line protection answers 6900; else it is accepted if its MAC is right.
    public var refusesNeedlessProtection = false

    public init() {}
}
