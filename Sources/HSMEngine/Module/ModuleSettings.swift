internal import Glibc
public import HSMBridge

/// How the module reaches the card readers: PC/SC in `kmsd hsm`, cards played in memory in tests.
public struct ReaderAccess: Sendable {
    /// Names of the readers that are plugged in.
    public let names: @Sendable () throws(CardError) -> [String]
    /// Lends the card in a reader to the body, which runs on the calling thread; throws `CardError` or what the body throws.
    public let withCard: @Sendable (_ reader: String, _ body: (any CardChannel) throws -> Void) throws -> Void

    public init(
        names: @escaping @Sendable () throws(CardError) -> [String],
        withCard: @escaping @Sendable (_ reader: String, _ body: (any CardChannel) throws -> Void) throws -> Void
    ) {
        self.names = names
        self.withCard = withCard
    }

    /// The readers of this machine's pcscd.
    public static func pcsc(_ readers: CardReaders) -> ReaderAccess {
        ReaderAccess(
            names: { () throws(CardError) in try readers.names() },
            withCard: { reader, body in try readers.withCard(in: reader, body) })
    }

    /// A module without any reader.
    public static let none = ReaderAccess(
        names: { [] }, withCard: { reader, _ in throw CardError.readerUnknown(reader) })
}

/// What a module is made of. Everything that changes with time or place is given, so that tests can play it.
public struct ModuleSettings: Sendable {
    /// An existing folder that only the module's user can enter; holds `module.state`, `module.journal`, `module.lock`.
    public var stateFolder: String
    public var readers: ReaderAccess
    /// Another place for the journal; nil for the state folder.
    public var journalPath: String?
    /// Keys open at one time; the key not used for longest makes room.
    public var openKeyLimit = 2_048
    /// How long a ceremony or a component entry may stay open.
    public var ceremonyLimitSeconds = 600
    /// Microseconds since 1970, UTC, for the journal.
    public var wallClock: @Sendable () -> Int64 = { MachineClock.microsecondsSince1970() }
    /// Seconds that never run backwards, sleep included, for the time limits.
    public var monotonicSeconds: @Sendable () -> Int64 = { MachineClock.secondsSinceBoot() }
    /// Name of a self-test to fail on purpose: every one of them must be able to stop the module.
    var brokenSelfTest: String?

    public init(stateFolder: String, readers: ReaderAccess) {
        self.stateFolder = stateFolder
        self.readers = readers
    }
}

/// The kernel's clocks.
enum MachineClock {
    static func microsecondsSince1970() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    static func secondsSinceBoot() -> Int64 { millisecondsSinceBoot() / 1_000 }

    static func millisecondsSinceBoot() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Which commands a caller may give, by his user id at the other end of the socket.
public enum CallerRight: Sendable, Hashable, CaseIterable {
    /// MACs, TACs, card cryptograms, opening and inspecting keys.
    case calculate
    /// Making, importing and exporting keys, admin cards, ceremonies, sealing.
    case manage
}

/// Who gives a command, as the kernel knows it.
public struct Caller: Sendable, Hashable {
    public var user: UInt32
    public var process: Int32
    public var rights: Set<CallerRight>

    public init(user: UInt32, process: Int32, rights: Set<CallerRight>) {
        self.user = user
        self.process = process
        self.rights = rights
    }

    /// This process itself, with all rights: the in-process module of tests.
    static var thisProcess: Caller {
        Caller(user: getuid(), process: getpid(), rights: Set(CallerRight.allCases))
    }
}
