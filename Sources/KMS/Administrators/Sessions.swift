import Synchronization

/// Who asks: an administrator with a live session, and from where. Only this room makes them; the roles are not in it, they
/// are read anew for each operation.
public struct Actor: Sendable, Hashable {
    public let name: String
    /// Door and address, for the audit trail.
    public let origin: String
}

/// What a person gets for the right password.
public struct SignedIn: Sendable, Hashable {
    /// 64 hexadecimal digits; the server keeps its digest only.
    public let token: String
    public let administrator: String
    public let roles: Set<Role>
}

/// Live sessions: in memory only, so that a restart ends all; idle and absolute limits on the monotonic clock.
final class Sessions: Sendable {
    static let perAdministrator = 8
    static let limit = 512

    private struct Entry {
        let name: String
        let begun: UInt64
        var used: UInt64
    }

    private let idle: UInt64
    private let longest: UInt64
    private let entries = Mutex<[[UInt8]: Entry]>([:])

    init(idleSeconds: Int, longestSeconds: Int) {
        idle = UInt64(max(1, idleSeconds)) * 1_000_000_000
        longest = UInt64(max(1, longestSeconds)) * 1_000_000_000
    }

    /// Begins a session; the person's oldest one ends where there would be too many.
    func begin(_ name: String, monotonic now: UInt64) throws(KMSError) -> String {
        let token = RandomToken.make()
        let full = entries.withLock { entries in
            entries = entries.filter { !hasEnded($0.value, now) }
            let own = entries.filter { $0.value.name == name }
            if own.count >= Self.perAdministrator, let oldest = own.min(by: { $0.value.used < $1.value.used })?.key {
                entries[oldest] = nil
            }
            guard entries.count < Self.limit else { return true }
            entries[RandomToken.digest(token)] = Entry(name: name, begun: now, used: now)
            return false
        }
        if full { throw .busy }
        return token
    }

    /// The name behind a token; using it restarts the idle time.
    func use(_ token: String, monotonic now: UInt64) throws(KMSError) -> String {
        guard token.utf8.count == 64 else { throw .notSignedIn }
        let digest = RandomToken.digest(token)
        let found: Result<String, KMSError> = entries.withLock { entries in
            guard var entry = entries[digest] else { return .failure(.notSignedIn) }
            guard !hasEnded(entry, now) else {
                entries[digest] = nil
                return .failure(.sessionEnded)
            }
            entry.used = now
            entries[digest] = entry
            return .success(entry.name)
        }
        return try found.get()
    }

    /// The name whose session ended, if it was one.
    func end(_ token: String) -> String? {
        entries.withLock { $0.removeValue(forKey: RandomToken.digest(token))?.name }
    }

    func endAll(of name: String) {
        entries.withLock { entries in entries = entries.filter { $0.value.name != name } }
    }

    private func hasEnded(_ entry: Entry, _ now: UInt64) -> Bool {
        // Two requests of one session race for the lock: `now` may be older than the other's touch, and must not wrap.
        (now > entry.used && now - entry.used >= idle) || (now > entry.begun && now - entry.begun >= longest)
    }
}
