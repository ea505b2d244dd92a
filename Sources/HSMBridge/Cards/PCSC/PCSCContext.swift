import CPCSC

/// One connection to pcscd (智能卡服务). A context dies with the service and is never used again: every session makes its own.
struct PCSCContext: ~Copyable {
    private let handle: SCARDCONTEXT

    init() throws(CardError) {
        var handle: SCARDCONTEXT = 0
        let code = unsafe PCSCCode(SCardEstablishContext(DWORD(SCARD_SCOPE_SYSTEM), nil, nil, &handle))
        guard code.isSuccess else { throw code.connectError(reader: "") }
        self.handle = handle
    }

    deinit {
        _ = SCardReleaseContext(handle)
    }

    /// Names of all readers, in pcscd's order; empty when there is none.
    func readerNames() throws(CardError) -> [String] {
        // The list may grow between asking for its size and fetching it.
        for _ in 0..<4 {
            var length: DWORD = 0
            var code = unsafe PCSCCode(SCardListReaders(handle, nil, nil, &length))
            if code.isNoReaders { return [] }
            guard code.isSuccess else { throw code.connectError(reader: "") }
            var names = [CChar](repeating: 0, count: Int(length) + 1)
            code = unsafe PCSCCode(SCardListReaders(handle, nil, &names, &length))
            if code.isNoReaders { return [] }
            if code == PCSCCode(SCARD_E_INSUFFICIENT_BUFFER) { continue }
            guard code.isSuccess else { throw code.connectError(reader: "") }
            return names.prefix(Int(length)).map { UInt8(bitPattern: $0) }.split(separator: 0)
                .map { String(decoding: $0, as: UTF8.self) }
        }
        throw .serviceUnavailable
    }

    /// Present state of a reader, or the next one that differs from `known`; nil when `limit` passed without a change.
    func readerState(_ reader: String, after known: CardReaderState?, limit: Duration) throws(CardError)
        -> CardReaderState?
    {
        var state = unsafe SCARD_READERSTATE()
        unsafe state.dwCurrentState = known.map { DWORD($0.flags) } ?? DWORD(SCARD_STATE_UNAWARE)
        let code = unsafe reader.withCString { name in
            unsafe state.szReader = name
            defer { unsafe state.szReader = nil }
            return unsafe PCSCCode(SCardGetStatusChange(handle, DWORD(limit.wholeMilliseconds), &state, 1))
        }
        if code.isTimeout { return nil }
        guard code.isSuccess else { throw code.connectError(reader: reader) }
        let flags = unsafe UInt(state.dwEventState)
        guard flags & UInt(SCARD_STATE_UNKNOWN) == 0 else { throw .readerUnknown(reader) }
        let length = unsafe min(Int(state.cbAtr), 33)
        let answerToReset = unsafe withUnsafeBytes(of: &state.rgbAtr) { unsafe Array($0.prefix(length)) }
        return CardReaderState(name: reader, answerToReset: answerToReset, flags: flags & ~UInt(SCARD_STATE_CHANGED))
    }

    /// Waits until a card is in the reader, or until it is empty.
    ///
    /// Empty counts only when it has lasted longer than pcscd's polling interval: after a failed command pcscd 1.9.9
    /// shows a reader as empty before its polling thread knows, and a card inserted in between is never powered.
    func waitFor(cardPresent: Bool, in reader: String, limit: Duration) throws(CardError) {
        let end = ContinuousClock.now + limit
        var known: CardReaderState?
        while true {
            let left = max(end - .now, .zero)
            // Slices keep a service that died quietly from being waited for until the limit.
            if let state = try readerState(reader, after: known, limit: min(left, .seconds(1))) {
                if state.isCardPresent && cardPresent { return }
                known = state
            }
            if let empty = known, !empty.isCardPresent && !cardPresent {
                guard let next = try readerState(reader, after: empty, limit: .milliseconds(600)) else { return }
                known = next
            }
            if left == .zero { throw .timedOut }
        }
    }

    /// Powers the card up for this session alone: nobody else can slip a command between two of ours.
    consuming func connect(to reader: String) throws(CardError) -> PCSCCardHandle {
        var card: SCARDHANDLE = 0
        var activeProtocol: DWORD = 0
        let code = unsafe PCSCCode(
            SCardConnect(
                handle, reader, DWORD(SCARD_SHARE_EXCLUSIVE), DWORD(SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1), &card,
                &activeProtocol))
        guard code.isSuccess else { throw code.connectError(reader: reader) }
        return PCSCCardHandle(context: self, card: card, activeProtocol: activeProtocol)
    }
}

/// What a reader says about itself.
public struct CardReaderState: Sendable, Hashable {
    /// PC/SC name.
    public let name: String
    /// The card's answer to reset (复位应答), ISO/IEC 7816-3 §8; empty without a powered card.
    public let answerToReset: [UInt8]
    /// SCARD_STATE_… bits without CHANGED; the event counter is in the upper half.
    let flags: UInt

    /// Whether a card is in the reader.
    public var isCardPresent: Bool { flags & UInt(SCARD_STATE_PRESENT) != 0 }
    /// Whether some session holds the card.
    public var isInUse: Bool { flags & UInt(SCARD_STATE_INUSE | SCARD_STATE_EXCLUSIVE) != 0 }
}

extension Duration {
    /// Milliseconds, rounded up and never negative.
    fileprivate var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
