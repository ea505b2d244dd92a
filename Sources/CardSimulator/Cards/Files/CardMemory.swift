/// Everything a card keeps without power.
struct CardMemory: Codable, Equatable, Sendable {
    /// Chip serial, 4 bytes.
    var serial: Octets
    /// The MF is number 0; applications (one level) follow. Empty: a blank without MF.
    var directories: [Directory] = []
    /// Bytes that the MF and everything in it may take.
    var capacity = 16_384
    /// FMCOS: the code that CREATE MF must show (8 bytes; 7 are enough).
    var transportCode = Octets([UInt8](repeating: 0xFF, count: 8))
    /// CARD BLOCK was carried out: nothing works any more.
    var isBlocked = false
}

/// MF or DF.
struct Directory: Codable, Equatable, Sendable {
    enum Block: String, Codable { case none, temporary, permanent }

    var identifier: UInt16
    var name: Octets
    var size: Int
    var createRight: UInt8
    var eraseRight: UInt8
    /// Byte 6 of CREATE FILE: bit 8 set = SELECT shows the contents of that SFI (9F0C), else the SFI itself (88).
    var directoryFile: UInt8
    var keyFile: KeyFile?
    var files: [ElementaryFile] = []
    var block: Block = .none

    /// Space taken by the contents.
    var used: Int { files.reduce(0) { $0 + $1.cost } + (keyFile.map { $0.size + 8 } ?? 0) }
}

/// The key file 0000 of a directory.
struct KeyFile: Codable, Equatable, Sendable {
    var identifier: UInt16
    var size: Int
    var addRight: UInt8
    var keys: [CardKey] = []

    var used: Int { 8 + keys.reduce(0) { $0 + $1.value.bytes.count + 8 } }
}

/// A key in a card. FMCOS: `kind` is the type byte with its protection bits, `id` the key id. PSAM: `kind` is the usage
/// byte (levels << 5 | type), `id` the version.
struct CardKey: Codable, Equatable, Sendable {
    var kind: UInt8
    var id: UInt8
    var useRight: UInt8 = 0xF0
    var changeRight: UInt8 = 0xF0
    /// FMCOS: version, follow-up state, or FF; PSAM: version.
    var attribute: UInt8 = 0
    var algorithm: UInt8 = 0
    /// Error counter; a maximum of 0 means the key has none.
    var maximumTries: UInt8 = 0
    var triesLeft: UInt8 = 0
    var value: Octets

    var isExhausted: Bool { maximumTries > 0 && triesLeft == 0 }
}

/// An elementary file with its contents.
struct ElementaryFile: Codable, Equatable, Sendable {
    enum Contents: Codable, Equatable {
        case binary(Octets)
        /// Record files; the newest record of a cyclic file comes first.
        case fixed([Octets]), variable([Octets]), cyclic([Octets])
        case purse(Purse)
    }

    var identifier: UInt16
    var size: Int
    var readRight: UInt8
    var writeRight: UInt8
    /// +80 in the type byte: writing needs a MAC.
    var needsMAC: Bool
    /// +40 in the type byte: writing needs encipherment.
    var needsEncryption: Bool
    /// Byte 7 of CREATE FILE (domain.md §2.6).
    var protection: UInt8
    /// Record files: count and length from the size field.
    var maximumRecords = 0
    var recordLength = 0
    var contents: Contents

    /// Short file identifier: the low five bits of the file identifier.
    var shortIdentifier: UInt8 { UInt8(truncatingIfNeeded: identifier) & 0x1F }

    /// Bit 8 of byte 7 clear: reading must be line-protected.
    var readNeedsProtection: Bool { protection & 0x80 == 0 }
    /// The ids of the line-protection keys, stored complemented.
    var readKey: UInt8 { (~protection >> 2) & 3 }
    var writeKey: UInt8 { ~protection & 3 }

    /// Space the file takes: contents and an 8-byte header; one byte more for each record.
    var cost: Int {
        switch contents {
        case .binary, .variable: size + 8
        case .fixed, .cyclic: maximumRecords * (recordLength + 1) + 8
        case .purse: 8 + 8
        }
    }
}

/// Electronic passbook (电子存折, ED) or purse (电子钱包, EP).
struct Purse: Codable, Equatable, Sendable {
    var balance: UInt32 = 0
    /// Overdraft limit (ED), already contained in `balance` as in the answers of the card.
    var overdraft: UInt32 = 0
    var onlineSequence: UInt16 = 0
    var offlineSequence: UInt16 = 0
    var useRight: UInt8
    var logFile: UInt8
    var lastProof: TransactionProof?
}

/// What GET TRANSACTION PROVE gives after a torn transaction.
struct TransactionProof: Codable, Equatable, Sendable {
    var type: UInt8
    var sequence: UInt16
    var mac: Octets
    var tac: Octets
}
