/// What can go wrong between this program and a card, apart from what the card itself answers.
public enum CardError: Error, Hashable {
    /// No reader of this name is plugged in.
    case readerUnknown(String)
    /// Another session holds the reader, or an abandoned one waits for its mute card.
    case readerBusy(String)
    /// The reader is empty, or the card in it does not power up.
    case noCard
    /// The card left, was reset or lost power: whether it carried the last command out is unknown.
    case cardGone
    /// The card or the service gave no answer within the limit: whether it carried the command out is unknown.
    case timedOut
    /// pcscd does not run or stopped; the next session tries anew.
    case serviceUnavailable
    /// Data or Le do not fit a short APDU; nothing was sent.
    case malformedCommand
    /// The answer is longer than a short APDU allows or contradicts itself.
    case malformedAnswer
    /// Too many sessions wait for mute cards already; pull those cards first.
    case tooManyMuteReaders
    /// Any other PC/SC return code, as its 32-bit value.
    case refused(Int)

    /// Whether the session is over: every later command on the same channel fails with the same error, so that nothing
    /// is sent to a card in an unknown state by mistake.
    public var endsSession: Bool {
        switch self {
        case .malformedCommand: false
        default: true
        }
    }
}

extension CardError: CustomStringConvertible {
    /// One plain sentence for operators.
    public var description: String {
        switch self {
        case .readerUnknown(let name): "there is no card reader named \"\(name)\""
        case .readerBusy(let name): "the card reader \"\(name)\" is in use"
        case .noCard: "no card in the reader, or it does not answer to power"
        case .cardGone: "the card was removed or reset while it was in use"
        case .timedOut: "the card did not answer in time"
        case .serviceUnavailable: "the smart card service (pcscd) is not running"
        case .malformedCommand: "the command does not fit a short APDU"
        case .malformedAnswer: "the card gave a malformed answer"
        case .tooManyMuteReaders: "too many readers wait for cards that do not answer"
        case .refused(let code): "the smart card service refused: 0x" + String(code, radix: 16, uppercase: true)
        }
    }
}

/// A conversation with one card: a real one behind PC/SC, or one played in memory by a test.
///
/// A channel is used by one thread at a time and only while `CardReaders.withCard` lends it.
public protocol CardChannel {
    /// Sends one command and returns the card's final answer; 61xx and 6Cxx are followed inside.
    func transmit(_ command: CommandAPDU) throws(CardError) -> ResponseAPDU

    /// The same for commands that carry a secret (a PIN, a key component): `command` is the APDU on the line,
    /// `answer` has room for 258 bytes or more; returns how many were written, SW1 SW2 included (at least 2).
    ///
    /// A conformer that talks to real cards keeps no copy of either and wipes its buffers, against a later memory dump.
    func exchangeSecret(_ command: RawSpan, answer: inout MutableRawSpan) throws(CardError) -> Int
}

extension CardChannel {
    /// For cards played in memory, which hold their secrets in ordinary memory anyway.
    public func exchangeSecret(_ command: RawSpan, answer: inout MutableRawSpan) throws(CardError) -> Int {
        var bytes: [UInt8] = []
        for index in 0..<command.byteCount {
            bytes.append(unsafe command.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
        guard let parsed = CommandAPDU(bytes: bytes) else { throw .malformedCommand }
        let response = try transmit(parsed).bytes
        guard response.count <= answer.byteCount else { throw .malformedAnswer }
        for index in response.indices {
            answer.storeBytes(of: response[index], toByteOffset: index, as: UInt8.self)
        }
        return response.count
    }
}

/// One command and its answer as they went over the line, for transcripts.
///
/// Data is complete except in secret exchanges, of which only the header is shown; what else to hide is for the
/// receiver to decide.
public struct CardExchange: Sendable {
    /// PC/SC name of the reader.
    public var reader: String
    /// The command; without data when `isSecret`.
    public var command: CommandAPDU
    /// The answer, or nil when there was none; without data when `isSecret`.
    public var response: ResponseAPDU?
    /// Why there was no answer.
    public var error: CardError?
    /// From handing the command to the reader to having the answer.
    public var duration: Duration
    /// Whether the command or the answer carried a secret.
    public var isSecret: Bool
}

/// Receives every exchange of the sessions it is given to, on the thread of the session; it must not block.
public typealias CardTrace = @Sendable (CardExchange) -> Void
