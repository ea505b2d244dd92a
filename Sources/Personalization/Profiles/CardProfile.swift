internal import HSMBridge

/// A card type (卡片模板): what a card of it has on it in the end, and every step that puts it there, from a file in `conf/cards`.
///
/// Adding a card operating system is adding such a file. `conf/cards/README.md` explains each field.
public struct CardProfile: Sendable, Hashable {
    /// Name of the profile and of its file.
    public let name: String
    public let title: String
    /// Kind of blank in the stock ledger.
    public let stockKind: String
    /// What a job must or may say.
    public let fields: [DataField]

    let cardOS: CardOS
    let keys: [KeyPlan]
    let pins: [PINPlan]
    let directories: [DirectoryPlan]
    let files: [FilePlan]
    let steps: [PlannedStep]

    func key(_ name: String) -> KeyPlan? { keys.first { $0.name == name } }
    func pin(_ name: String) -> PINPlan? { pins.first { $0.name == name } }
    func field(_ name: String) -> DataField? { fields.first { $0.name == name } }
    func directory(_ name: String) -> DirectoryPlan? { directories.first { $0.name == name } }
    func file(_ name: String) -> FilePlan? { files.first { $0.name == name } }
}

/// One value that a job brings along.
public struct DataField: Sendable, Hashable {
    public enum Form: Sendable, Hashable {
        /// That many decimal digits, two in a byte.
        case digits(Int)
        /// That many bytes, as hexadecimal digits.
        case hex(bytes: Int)
        /// UTF-8, filled with zeros to that many bytes.
        case text(bytes: Int)
        /// YYYYMMDD, two digits in a byte.
        case date
        /// Decimal digits, each an ASCII byte. Secret.
        case pin(ClosedRange<Int>)
    }

    public let name: String
    public let title: String
    public let form: Form
    /// Used where the job says nothing; nil = the job must say it. For dates also `today` and `today+10y`.
    public let defaultText: String?

    /// Stands in no journal, record, transcript or error.
    public var isSecret: Bool {
        if case .pin = form { return true }
        return false
    }

    /// What the value must look like, in words.
    public var expected: String {
        switch form {
        case .digits(let count): "\(count) decimal digits"
        case .hex(let bytes): "\(2 * bytes) hexadecimal digits"
        case .text(let bytes): "text of at most \(bytes) bytes"
        case .date: "a date YYYYMMDD"
        case .pin(let range): "\(range.lowerBound) to \(range.upperBound) decimal digits"
        }
    }
}

/// How a card operating system (COS) is spoken to where the standards leave it open.
struct CardOS: Sendable, Hashable {
    /// One layout of the bytes that stand before a key in a key load, for the key types named; an empty list means all.
    struct KeyHeader: Sendable, Hashable {
        let types: [UInt8]
        let template: ByteTemplate
    }

    /// What a repeated key load into the same place does: decides whether a torn load can be repeated.
    enum RepeatedLoad: Sendable, Hashable {
        /// The same value is written again.
        case replaces
        /// Refused with this status word, which proves that the first one was carried out.
        case refused(StatusWord)
        /// Nobody knows: the card is scrapped.
        case unknown
    }

    let name: String
    let cipher: CardCipher
    /// Of secure messaging: 4, 8, or 16 for SM4.
    let challengeLength: Int
    /// Reads the chip's serial number; the card is known by it when a job goes on.
    let serialCommand: ByteTemplate
    let serialLength: Int
    /// CLA INS P1 P2 of an enciphered key load for a new key and for one that replaces another. Tokens: type, id.
    let addKey: ByteTemplate
    let replaceKey: ByteTemplate
    /// The same in clear, for throw-away values and PINs; nil where the card has none.
    let addPlain: ByteTemplate?
    let keyHeaders: [KeyHeader]
    let repeatedLoad: RepeatedLoad
    /// CLA INS P1 P2 of EXTERNAL AUTHENTICATE. Token: id.
    let authenticate: ByteTemplate
    /// CLA INS P1 P2 of CREATE FILE. Token: fid.
    let create: ByteTemplate
    /// Data field of CREATE FILE for each kind of file. Tokens: see `FilePlan.tokens`.
    let createBodies: [FileKind: ByteTemplate]
    /// What CREATE FILE answers when the file is there already.
    let existsStatus: StatusWord
    let memory: MemoryRule
    /// Order in which a PSAM uses the factors of `80 70`: as they are listed, or the last first (domain.md 12.1). Nil for a card that
    /// diversifies nothing itself: it gets no masters.
    let factorOrder: FactorOrder?

    enum FactorOrder: String, Sendable, Hashable, CaseIterable { case asListed, lastFirst }

    /// How the card counts its space, in bytes.
    struct MemoryRule: Sendable, Hashable {
        let total: Int
        let perFile: Int
        let perRecord: Int
        let perKey: Int
    }

    func keyHeader(for type: UInt8) -> ByteTemplate? {
        keyHeaders.first { $0.types.contains(type) }?.template ?? keyHeaders.first { $0.types.isEmpty }?.template
    }
}

enum FileKind: String, Sendable, Hashable, CaseIterable {
    case master, directory, keyFile, binary, record, cyclic, purse
}

/// A key of the profile: where it comes from and how it stands on the card.
struct KeyPlan: Sendable, Hashable {
    let name: String
    /// `product/label` under the job's issuer.
    let label: String
    let usage: KeyUsage
    /// One factor for each level; empty = the key as it is.
    let factors: [FactorSource]
    let place: CardKeyPlace?
    /// Values for the tokens of the key header, one byte each: version, algorithm, use, change, state, tries, protection …
    let attributes: [String: UInt8]

    /// A maker's transport key: proves a blank and lets itself be replaced, and never stays.
    var isTransport: Bool { usage == .vendorTransport }
}

/// A cardholder's PIN: how it stands on the card, and the data field that brings its first value.
struct PINPlan: Sendable, Hashable {
    let name: String
    let field: String
    let place: CardKeyPlace
    let attributes: [String: UInt8]
    /// CLA INS P1 P2 of VERIFY.
    let verify: [UInt8]
}

/// Where a key lies on a card.
struct CardKeyPlace: Sendable, Hashable {
    let directory: String
    /// FMCOS key type or PSAM usage byte.
    let type: UInt8
    /// FMCOS key id or PSAM version.
    let id: UInt8
}

enum FactorSource: Sendable, Hashable {
    /// The last eight bytes of a data field.
    case field(String)
    case constant(UInt64)
}

/// MF or an application.
struct DirectoryPlan: Sendable, Hashable {
    let name: String
    let identifier: UInt16
    /// AID of an application; transport code of a master file where the COS wants one there.
    let dedicatedName: [UInt8]
    /// Bytes; nil = exactly what the profile puts into it, so that nobody can add anything later.
    let size: Int?
    let attributes: [String: UInt8]
    /// The blank has it already.
    let isPresent: Bool
}

/// A file and what is in it.
struct FilePlan: Sendable, Hashable {
    let name: String
    let directory: String
    let kind: FileKind
    let identifier: UInt16
    /// Type byte of CREATE FILE.
    let type: UInt8
    /// Bytes of a binary or key file; nil for a key file = exactly its keys.
    let size: Int?
    let records: Int
    let recordLength: Int
    let attributes: [String: UInt8]
    let contents: [ContentPart]
    /// The blank has it already.
    let isPresent: Bool

    /// Writing needs a MAC or encipherment (domain.md 2.6).
    var needsProtection: Bool { kind == .binary && type & 0xC0 != 0 }
}

enum ContentPart: Sendable, Hashable {
    case bytes([UInt8])
    case field(String)
}

/// One step of a profile, in the order in which a card is made.
struct PlannedStep: Sendable, Hashable {
    enum Action: Sendable, Hashable {
        case select(String)
        case create(String)
        /// Puts a public transport value into the place of `key`, in clear, to be replaced in the very next step.
        case throwAway(key: String, value: [UInt8])
        case loadKey(String, under: String, replaces: Bool)
        /// EXTERNAL AUTHENTICATE; a transport key stands in the place of the key that will replace it.
        case authenticate(String, inPlaceOf: String?)
        case setPIN(String)
        case verifyPIN(String)
        /// Writes a file's contents; under a maintenance key where the file asks for it.
        case write(String, under: String?)
        case readBack(String)
        case tryBalance(purse: UInt8)
        /// A load of 0.00 is opened, the card's MAC1 checked, and nothing loaded.
        case tryLoad(key: String, purse: UInt8)
        /// A purchase of 0.00 is opened, version and algorithm compared, and nothing taken.
        case tryPurchase(key: String, purse: UInt8)
        /// `80 70` for a card that does not exist; MAC1 compared with the module's.
        case tryPurchaseSAM(key: String)
    }

    let action: Action
    let line: Int
}
