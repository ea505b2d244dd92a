internal import Glibc

/// Where and for whom the module's socket is open.
public struct ModuleServerSettings: Sendable {
    public var path: String
    /// Permission bits of the socket file.
    public var mode: UInt32 = 0o600
    /// User ids that may calculate, and those that may manage; the kernel names the caller (SO_PEERCRED).
    public var calculationUsers: Set<UInt32> = [getuid()]
    public var managementUsers: Set<UInt32> = [getuid()]
    /// Connections at one time, each with a thread of its own; more are closed at once.
    public var connectionLimit = 128
    /// Seconds that a message may take to arrive, and its answer to leave. An idle connection may stay.
    public var messageSeconds = 10

    public init(path: String) { self.path = path }

    func rights(of user: UInt32) -> Set<CallerRight> {
        var rights: Set<CallerRight> = []
        if calculationUsers.contains(user) { rights.insert(.calculate) }
        if managementUsers.contains(user) { rights.insert(.manage) }
        return rights
    }
}

/// Why the server did not start.
public enum ModuleServerError: Error, Sendable, Hashable {
    /// Another process answers on the socket.
    case addressInUse
    /// Something that is no socket lies at the path.
    case notASocket
    case pathTooLong
    /// Any other refusal of the system, as its number.
    case system(Int32)
}
