import CryptoClient

/// Commands of like work, for the latency histograms: one of each command would be ten times the lines and tell no more.
public enum CommandClass: UInt8, Sendable, Hashable, CaseIterable {
    /// MACs, the purse's among them.
    case mac
    case tac
    /// TAC batches.
    case batch
    /// Encryption and decryption, PIN and line protection.
    case cipher
    /// Making, importing, exporting, diversifying keys, and check values.
    case key
    /// RSA and hashes.
    case rsa
    /// Echo, diagnostics, status, random values.
    case service
    /// Everything else, unknown commands among it.
    case other

    /// The value of the label `class`.
    public var name: String {
        switch self {
        case .mac: "mac"
        case .tac: "tac"
        case .batch: "batch"
        case .cipher: "cipher"
        case .key: "key"
        case .rsa: "rsa"
        case .service: "service"
        case .other: "other"
        }
    }

    /// By the two characters of the command; those of commands that are not built yet are here too.
    static let commands: [(commands: String, class: CommandClass)] = [
        ("M6 M8 MS YL YP YR YN YG Y0 Y2 YU YM YV YW YQ YX", .mac), ("YT", .tac), ("YB", .batch),
        ("M0 M2 M4 YC YE YI", .cipher), ("A0 A4 A6 A8 B0 BU BW YD YK", .key),
        ("EI EO EW EY GM", .rsa), ("KQ KW CW CY", .cipher), ("NC NO N0 B2 J2 J4 J6 J8 JK JI", .service),
    ]
}

/// A dense number for each command that is counted under its own name. Anything else, whatever a client sends, is counted as
/// `other`: the number of series does not depend on who knocks.
struct CommandSlots: Sendable {
    static let count = 64
    /// The slot of commands without one of their own.
    static let other = 0
    static let shared = CommandSlots()

    /// By second character and first, each less 0x30, so that digits and capitals fit into 43 x 43.
    private let slots: [UInt8]
    let commands: [HostCommandCode?]
    let classes: [CommandClass]

    private init() {
        var slots = [UInt8](repeating: UInt8(Self.other), count: 43 * 43)
        var commands: [HostCommandCode?] = [nil]
        var classes: [CommandClass] = [.other]
        for line in CommandClass.commands {
            for name in line.commands.split(separator: " ") {
                guard let code = HostCommandCode(String(name)), let place = Self.place(code), slots[place] == 0,
                    commands.count < Self.count
                else { continue }
                slots[place] = UInt8(commands.count)
                commands.append(code)
                classes.append(line.class)
            }
        }
        self.slots = slots
        self.commands = commands
        self.classes = classes
    }

    private static func place(_ code: HostCommandCode) -> Int? {
        let first = Int(code.rawValue >> 8) - 0x30
        let second = Int(code.rawValue & 0xFF) - 0x30
        guard (0..<43).contains(first), (0..<43).contains(second) else { return nil }
        return second * 43 + first
    }

    @inline(__always)
    func slot(_ code: HostCommandCode) -> Int {
        guard let place = Self.place(code) else { return Self.other }
        return Int(slots[place])
    }

    /// The value of the label `command`.
    func name(_ slot: Int) -> String { commands[slot]?.description ?? "other" }
}
