/// Everything that can be set about the crypto service (密码服务): both of its doors, and their limits.
public struct CryptoSettings: Sendable {
    /// The module's Unix socket.
    public var moduleSocket: String
    /// The service client that plain TCP connections act as; they are taken from loopback addresses only.
    public var plainClient: String

    /// Where host commands are taken; a loopback address, because the connection is plain. Port 0: any free one.
    public var host = "127.0.0.1"
    public var port = 1500
    /// Characters of client header in every frame.
    public var headerLength = 4
    /// Event loops, each with a connection of its own to the module.
    public var loops = 1
    /// Host-command connections at one time; more are closed at once.
    public var connectionLimit = 1_024
    /// Requests of one connection that may wait for their answer; then no more is read from it.
    public var inFlightLimit = 256
    /// The longest frame, without its two bytes of length.
    public var frameLimit = 65_535
    /// Seconds from the first byte of a frame to its last.
    public var frameSeconds = 10
    /// Seconds in which a new connection has to say something; nil for never.
    public var firstByteSeconds: Int?
    /// Seconds without any request after which a connection is closed; nil for never.
    public var idleSeconds: Int?
    /// Commands of one event loop that may wait for the module; one more is answered `41` at once.
    public var moduleQueueLimit = 65_536
    /// Seconds that the module may take for a message of the hot path.
    public var moduleSeconds = 10
    /// Seconds that a stop waits for requests under way.
    public var stopSeconds = 5

    /// Addresses beyond loopback whose plain connections are taken.
    public var plainAddresses: [PlainAddress] = []
    /// Where host commands are taken over TLS, if there are TLS files.
    public var tlsHost = "0.0.0.0"
    public var tlsPort = 2500
    /// Where HTTP/JSON is taken over TLS, if there are TLS files.
    public var httpsHost = "0.0.0.0"
    public var httpsPort = 8444
    /// HTTP connections at one time, plain and TLS together.
    public var httpConnectionLimit = 1_024
    /// Connections of one address at one time, all doors together: nobody takes all places.
    public var addressConnectionLimit = 800
    /// TLS handshakes under way at one time.
    public var handshakeLimit = 256
    /// Seconds that a handshake may take.
    public var handshakeSeconds = 10

    /// Where HTTP/JSON is taken.
    public var httpHost = "127.0.0.1"
    public var httpPort = 8441
    /// How often one administrator may have a MAC explained: it is an oracle (docs/http.md).
    public var explanationsPerMinute = 10
    /// The longest HTTP body, in bytes.
    public var bodyLimit = 4 << 20
    /// Seconds from the first byte of an HTTP request to its last.
    public var requestSeconds = 30

    /// Addresses beside loopback that may read `/metrics` and `/statusz` without a token, each as it is written (IPv4 or IPv6).
    public var metricsFrom: [String] = []
    /// What `/metrics` and `/statusz` call this program.
    public var version = ""

    public init(moduleSocket: String, plainClient: String) {
        self.moduleSocket = moduleSocket
        self.plainClient = plainClient
    }
}
