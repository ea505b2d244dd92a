import Glibc

/// Tells systemd how the service is (`Type=notify`): a datagram on the socket that `NOTIFY_SOCKET` names. Without one: nothing.
///
/// Source: sd_notify(3): newline-separated assignments, AF_UNIX datagram, `@` for the abstract namespace.
struct SupervisorNotice: Sendable {
    private let path: String?
    /// How often the watchdog wants to hear from us; nil for never.
    let watchdogMicroseconds: UInt64?

    init(path: String?, watchdogMicroseconds: UInt64? = nil) {
        self.path = path.flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        self.watchdogMicroseconds = watchdogMicroseconds
    }

    /// From this process's environment.
    static func fromEnvironment() -> SupervisorNotice {
        let pid = variable("WATCHDOG_PID")
        let isOurs = pid == nil || pid == String(getpid())
        return SupervisorNotice(
            path: variable("NOTIFY_SOCKET"),
            watchdogMicroseconds: isOurs ? variable("WATCHDOG_USEC").flatMap { UInt64($0) } : nil)
    }

    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }
    func stopping() { send("STOPPING=1\nSTATUS=answering what was accepted") }
    func alive() { send("WATCHDOG=1") }

    /// True when the datagram was taken.
    @discardableResult
    func send(_ message: String) -> Bool {
        guard let path else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < room else { return false }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in bytes.enumerated() { unsafe place[index] = byte }
            // The abstract namespace: a zero in place of the first character.
            if bytes[0] == UInt8(ascii: "@") { unsafe place[0] = 0 }
        }
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + (isAbstract ? 0 : 1))
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let text = Array(message.utf8)
        let sent = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                unsafe sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL), raw, length)
            }
        }
        return sent == text.count
    }

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}
