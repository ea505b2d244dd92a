import CryptoClient
import NIOCore
import NIOHTTP1

/// A request for an operation while it comes in: what its head says, and the body so far.
struct OperationIntake {
    /// What holds for all requests of a door.
    struct Rules: Sendable {
        /// Bytes of a body.
        let bodyLimit: Int
        /// Silence in the middle of a body, after which the connection is closed; and how long a closing one is waited for.
        let bodyTime: TimeAmount
        /// Silence between two requests.
        let idleTime: TimeAmount
        /// Silence of a new connection.
        let firstByteTime: TimeAmount
        /// Silence while an answer that is no operation's is made and taken.
        let answerTime: TimeAmount
        /// How long a stop waits for what was accepted.
        let stopTime: TimeAmount
        /// The client of a request by its `Authorization` header and its connection; takes its place in the client's rate. Called on
        /// the connection's loop.
        let admit: @Sendable (String?, ConnectedPeer) throws(HTTPProblem) -> AdmittedClient
    }

    let route: ServiceRoute
    let peer: ConnectedPeer
    let keepsAlive: Bool
    /// The client waits to be told that its body is wanted (RFC 9110 §10.1.1).
    let wantsLeave: Bool
    /// Announced so long that it is not even read over.
    let isHopeless: Bool
    /// What is wrong already; the body is read over, so that the next request is found behind it.
    private(set) var problem: HTTPProblem?
    private(set) var client = AdmittedClient.nobody
    private(set) var key: IdempotencyKey?
    private(set) var body = ByteBuffer()
    private var readOver = 0
    private let limit: Int

    init(_ route: ServiceRoute, _ head: HTTPRequestHead, _ rules: Rules, _ peer: ConnectedPeer) {
        self.route = route
        self.peer = peer
        let headers = head.headers
        limit = rules.bodyLimit
        keepsAlive = head.version == .http1_1 && head.isKeepAlive
        let announced = headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        isHopeless = announced > 2 * rules.bodyLimit
        do throws(HTTPProblem) {
            client = try rules.admit(headers.first(name: "authorization"), peer)
            try ContentRules.checkAccept(headers.first(name: "accept"))
            try ContentRules.checkContentType(headers.first(name: "content-type"))
            if announced > rules.bodyLimit {
                throw HTTPProblem(.bodyTooLong, "the body is longer than the limit", code: .dataLength)
            }
            if route.isCreating, let text = headers.first(name: "idempotency-key") {
                key = IdempotencyKey(text, client: client.id, path: route.path)
                if key == nil {
                    throw HTTPProblem(.malformedHeader, "Idempotency-Key is not 1 to 64 printable characters")
                }
            }
        } catch {
            problem = error
        }
        wantsLeave = head.headers.contains(name: "expect") && problem == nil
    }

    /// False where there is so much that the connection is better closed.
    mutating func take(_ bytes: ByteBuffer) -> Bool {
        if problem == nil {
            if body.readableBytes == 0 { body = bytes } else { body.writeImmutableBuffer(bytes) }
            guard body.readableBytes > limit else { return true }
            problem = HTTPProblem(.bodyTooLong, "the body is longer than the limit", code: .dataLength)
            readOver = body.readableBytes
            body = ByteBuffer()
        } else {
            readOver += bytes.readableBytes
        }
        return readOver <= 2 * limit
    }
}

/// What came of an operation.
enum OperationOutcome: Sendable {
    case done(ByteBuffer)
    case problem(HTTPProblem)
}
