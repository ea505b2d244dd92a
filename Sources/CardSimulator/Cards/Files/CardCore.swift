/// What every card here has: memory, a session since power-on, random numbers, access rules.
struct CardCore: Sendable {
    enum Dialect: Sendable { case fmcos, psam }

    var memory: CardMemory
    var session = Session()
    var random: CardRandom
    let dialect: Dialect
    /// FMCOS profile option (domain.md §12.9): CLA 04 on a file without line protection answers 6900.
    var refusesNeedlessProtection = false

    /// Forgotten at power-off.
    struct Session: Sendable {
        /// Index of the current directory in `CardMemory.directories`.
        var directory = 0
        /// Index of the current file in its directory.
        var file: Int?
        /// Security state of the MF; kept when an application is selected.
        var masterState: UInt8 = 0
        /// Security state of the current application; zero after each selection.
        var applicationState: UInt8 = 0
        /// A challenge lives for the one command after GET CHALLENGE, so that no old cryptogram can be replayed.
        var challenge: [UInt8]?
        var previousChallenge: [UInt8]?
        var isPINVerified = false
    }

    mutating func reset() { session = Session() }

    /// To be called first for each command: the challenge given by the last one is now the usable one.
    mutating func beginCommand() {
        session.previousChallenge = session.challenge
        session.challenge = nil
    }

    var directory: Directory {
        get { memory.directories[session.directory] }
        set { memory.directories[session.directory] = newValue }
    }

    /// Security state of the current directory, and its setter by a follow-up state (low nibble).
    var state: UInt8 {
        get { session.directory == 0 ? session.masterState : session.applicationState }
        set {
            if session.directory == 0 {
                session.masterState = newValue & 15
            } else {
                session.applicationState = newValue & 15
            }
        }
    }

    /// Access right byte XY: Y <= state <= X; X = 0 asks the MF's state to be at least Y (domain.md §2.6).
    func allows(_ right: UInt8) -> Bool {
        let (upper, lower) = (right >> 4, right & 15)
        if upper == 0 { return session.masterState >= lower }
        return lower <= state && state <= upper
    }

    func require(_ right: UInt8) throws(Status) {
        if !allows(right) { throw .securityNotSatisfied }
    }

    // MARK: Challenges

    /// GET CHALLENGE `00 84 00 00 04|08`.
    mutating func getChallenge(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0, p2: 0)
        guard command.data.isEmpty, let count = command.expected, count == 4 || count == 8 else {
            throw .wrongLength
        }
        let challenge = random.bytes(count)
        session.challenge = challenge
        return Answer(data: challenge)
    }

    /// The challenge as an 8-byte block: four random bytes are filled with zeros.
    func challengeBlock() throws(Status) -> [UInt8] {
        guard let challenge = session.previousChallenge else { throw .challengeMissing }
        return challenge + [UInt8](repeating: 0, count: 8 - challenge.count)
    }

    /// GET chip serial `80 F6 00 03 04` (domain.md §4.4).
    func getSerial(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0, p2: 3)
        try command.expect(4)
        return Answer(data: memory.serial.bytes)
    }

    // MARK: Keys

    /// Where a key lies: directory and position in its key file.
    struct KeyPlace: Equatable, Sendable {
        let directory: Int
        let position: Int
    }

    func place(in directory: Int, where matches: (CardKey) -> Bool) -> KeyPlace? {
        guard memory.directories.indices.contains(directory) else { return nil }
        guard let position = memory.directories[directory].keyFile?.keys.firstIndex(where: matches) else { return nil }
        return KeyPlace(directory: directory, position: position)
    }

    func key(_ place: KeyPlace) -> CardKey {
        guard let file = memory.directories[place.directory].keyFile else {
            preconditionFailure("key place without file")
        }
        return file.keys[place.position]
    }

    mutating func setKey(_ place: KeyPlace, _ key: CardKey) {
        memory.directories[place.directory].keyFile?.keys[place.position] = key
    }

    func cipher(_ place: KeyPlace) throws(Status) -> CardCipher {
        guard let cipher = CardCipher(key(place).value.bytes) else { throw .wrongFileKind }
        return cipher
    }

    /// One failure more on a key with an error counter; gives the tries that are left (15 for a key without counter).
    mutating func countFailure(_ place: KeyPlace) -> UInt8 {
        var key = key(place)
        guard key.maximumTries > 0 else { return 15 }
        key.triesLeft -= key.triesLeft > 0 ? 1 : 0
        setKey(place, key)
        return key.triesLeft
    }

    mutating func clearFailures(_ place: KeyPlace) {
        var key = key(place)
        key.triesLeft = key.maximumTries
        setKey(place, key)
    }
}

/// Compares without stopping at the first difference.
func sameBytes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
}
