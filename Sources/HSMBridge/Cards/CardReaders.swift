import Synchronization

/// The card readers (读卡器) of this machine, as the pcscd that `PCSCLITE_CSOCK_NAME` names shows them.
///
/// A session holds its reader exclusively, begins with a freshly powered card and ends with an unpowered one. Each call
/// makes its own connection to the service, so a service that was restarted is found again by the next call.
public struct CardReaders: Sendable {
    private let transmitLimit: Duration
    private let trace: CardTrace?

    /// Time for the service to answer and for a card to power up.
    private static let connectLimit = Duration.seconds(10)
    private static let serviceLimit = Duration.seconds(5)
    /// Sessions on threads of their own at one time; pcscd itself knows 16 readers.
    private static let maximumSessions = 64
    private static let sessions = Atomic<Int>(0)

    /// `transmitLimit` bounds each command of every session (make it longer for a card that generates keys);
    /// `trace` is told of every exchange.
    public init(transmitLimit: Duration = .seconds(5), trace: CardTrace? = nil) {
        self.transmitLimit = transmitLimit
        self.trace = trace
    }

    /// Names of all readers; empty when the service runs but has none.
    public func names() throws(CardError) -> [String] {
        try CardThread.run(limit: Self.serviceLimit) { () throws(CardError) in try PCSCContext().readerNames() }
    }

    /// Every reader with what is in it.
    public func states() throws(CardError) -> [CardReaderState] {
        try CardThread.run(limit: Self.serviceLimit) { () throws(CardError) in
            let context = try PCSCContext()
            var states: [CardReaderState] = []
            for name in try context.readerNames() {
                if let state = try context.readerState(name, after: nil, limit: .seconds(1)) { states.append(state) }
            }
            return states
        }
    }

    /// Returns when a card is in the reader, at once if there is one; `timedOut` after `limit`.
    @available(*, noasync)
    public func waitForCard(in reader: String, limit: Duration) throws(CardError) {
        try waitFor(cardPresent: true, in: reader, limit: limit)
    }

    /// Returns when the reader is empty, at once if it is; `timedOut` after `limit`.
    @available(*, noasync)
    public func waitForRemoval(in reader: String, limit: Duration) throws(CardError) {
        try waitFor(cardPresent: false, in: reader, limit: limit)
    }

    /// Returns when a card is in the reader, at once if there is one; `timedOut` after `limit`.
    public func waitForCard(in reader: String, limit: Duration) async throws {
        try await onThreadOfItsOwn(reader) { try waitFor(cardPresent: true, in: reader, limit: limit) }
    }

    /// Returns when the reader is empty, at once if it is; `timedOut` after `limit`.
    public func waitForRemoval(in reader: String, limit: Duration) async throws {
        try await onThreadOfItsOwn(reader) { try waitFor(cardPresent: false, in: reader, limit: limit) }
    }

    /// Lends the card in `reader` to `body`, on the calling thread, which it blocks.
    ///
    /// `timeout` bounds each command; `waitingForCard` allows that long for a card to be inserted. Throws `CardError`
    /// when the session cannot be opened, else what the body throws.
    @available(*, noasync)
    public func withCard<T>(
        in reader: String, timeout: Duration? = nil, waitingForCard: Duration = .zero,
        _ body: (any CardChannel) throws -> T
    ) throws -> T {
        try session(in: reader, timeout: timeout, waitingForCard: waitingForCard, body)
    }

    /// Lends the card in `reader` to `body`, on a thread of its own, away from the cooperative pool.
    ///
    /// Cancelling the task does not cut the body short: a card is never left at a random step. Otherwise as above.
    public func withCard<T: Sendable>(
        in reader: String, timeout: Duration? = nil, waitingForCard: Duration = .zero,
        _ body: @escaping @Sendable (any CardChannel) throws -> T
    ) async throws -> T {
        try await onThreadOfItsOwn(reader) {
            try session(in: reader, timeout: timeout, waitingForCard: waitingForCard, body)
        }
    }

    private func session<T>(
        in reader: String, timeout: Duration?, waitingForCard: Duration, _ body: (any CardChannel) throws -> T
    ) throws -> T {
        let line = try CardLine(reader: reader, waitingForCard: waitingForCard, limit: Self.connectLimit)
        defer { line.close(limit: Self.serviceLimit) }
        return try body(PCSCCard(reader: reader, line: line, limit: timeout ?? transmitLimit, trace: trace))
    }

    private func waitFor(cardPresent: Bool, in reader: String, limit: Duration) throws(CardError) {
        try CardThread.run(limit: limit + Self.serviceLimit) { () throws(CardError) in
            try PCSCContext().waitFor(cardPresent: cardPresent, in: reader, limit: limit)
        }
    }

    private func onThreadOfItsOwn<T: Sendable>(
        _ reader: String, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        guard Self.sessions.add(1, ordering: .relaxed).newValue <= Self.maximumSessions else {
            Self.sessions.subtract(1, ordering: .relaxed)
            throw CardError.readerBusy(reader)
        }
        defer { Self.sessions.subtract(1, ordering: .relaxed) }
        return try await withCheckedThrowingContinuation { continuation in
            let isStarted = CardThread.start { continuation.resume(with: Result(catching: body)) }
            if !isStarted { continuation.resume(throwing: CardError.tooManyMuteReaders) }
        }
    }
}
