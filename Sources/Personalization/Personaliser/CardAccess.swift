internal import Dispatch
public import HSMBridge

/// How stations reach their cards: PC/SC in the server, cards in memory in tests.
///
/// The body runs on a thread of its own and may block there: between two APDUs of a card stand questions to the module and to
/// the database, and the card must stay powered meanwhile.
public struct CardAccess: Sendable {
    public typealias Body = @Sendable (any CardChannel) -> Void

    let names: @Sendable () throws -> [String]
    let withCard: @Sendable (String, @escaping Body) async throws -> Void

    /// - Parameter withCard: powers the card up, runs the body to its end, and takes the power away; throws `CardError`.
    public init(
        names: @escaping @Sendable () throws -> [String],
        withCard: @escaping @Sendable (_ reader: String, _ body: Body) throws -> Void
    ) {
        self.names = names
        self.withCard = { reader, body in
            try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
                DispatchQueue.global().async { done.resume(with: Result { try withCard(reader, body) }) }
            }
        }
    }

    private init(readers: CardReaders) {
        names = { try readers.names() }
        withCard = { reader, body in
            // A card that is just being pushed in takes a moment to be powered.
            try await readers.withCard(in: reader, waitingForCard: .seconds(2)) { body($0) }
        }
    }

    public static func pcsc(_ readers: CardReaders) -> CardAccess { CardAccess(readers: readers) }
}
