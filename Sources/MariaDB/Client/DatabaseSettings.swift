/// Where the database is, who we are there, and the limits of our patience.
public struct DatabaseSettings: Sendable {
    /// How to reach the server.
    public enum Server: Sendable, Hashable {
        /// A Unix socket; the path has at most 107 bytes.
        case socket(path: String)
        /// TCP. Without `authorityFile` (PEM with the authority that signed the server's certificate) only loopback addresses
        /// are accepted, because rows and the log-in would cross the network in clear.
        case tcp(host: String, port: UInt16, authorityFile: String?)
    }

    /// Where the password is read from at each connect; it is wiped after the log-in and never held as a `String`.
    public enum Password: Sendable, Hashable {
        /// The server knows the account by the socket's peer (unix_socket).
        case none
        /// A file with the password in its first line.
        case file(path: String)
    }

    public var server: Server
    public var user: String
    public var password: Password
    public var schema: String?
    public var connectSeconds: UInt32 = 5
    /// Longest time for one statement; the server gives it up then, and if it does not answer at all it counts as lost.
    public var answerSeconds: UInt32 = 60
    /// How long a job waits for a lost database to come back.
    public var reconnectSeconds: UInt32 = 10
    /// How often a transaction is tried that loses against others.
    public var transactionTries = 12
    public var lockWaitSeconds: UInt32 = 5
    /// Most rows of one answer; more is `DatabaseError.tooManyRows`.
    public var rowLimit = 200_000
    /// Prepared statements that each connection keeps.
    public var statementLimit = 256

    public init(server: Server, user: String, password: Password, schema: String?) {
        self.server = server
        self.user = user
        self.password = password
        self.schema = schema
    }
}
