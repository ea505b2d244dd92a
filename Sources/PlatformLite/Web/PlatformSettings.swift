/// How the web door of the back office is set up.
public struct PlatformSettings: Sendable {
    /// Loopback unless somebody decides otherwise: there is no TLS here, a front end has to bring it.
    public var host = "127.0.0.1"
    /// 0 takes any free port.
    public var port = 8442
    public var sessionHours = 8
    /// Send the session cookie over TLS only; set it when a TLS front end stands before us.
    public var cookieSecure = false
    /// How long a batch waits until it is tried again when the crypto service was away.
    public var retrySeconds = 2
    /// Minutes that local time is ahead of UTC, for times on pages.
    public var offsetMinutes = 480

    public init() {}
}
