/// Where the admin API listens and what it accepts at most.
public struct ConsoleSettings: Sendable, Hashable {
    /// Plain HTTP: loopback only, else put TLS before it.
    public var host = "127.0.0.1"
    /// 0 = any free port.
    public var port = 8440
    /// Connections at once; more wait in the kernel's queue.
    public var connectionLimit = 256
    /// Seconds after which a silent connection is closed.
    public var idleSeconds = 60
    /// Bytes of a JSON body.
    public var bodyLimit = 65_536
    /// Pieces of slow work (RSA keys, whole-table checks, cards) at once; more are answered "busy".
    public var slowWorkLimit = 4

    public init() {}
}
