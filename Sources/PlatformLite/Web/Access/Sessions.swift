import Synchronization

/// Who is logged in to the pages: random names of sessions, kept in memory, so a restart logs everybody out.
final class Sessions: Sendable {
    private struct Session {
        let staff: Staff
        let ends: Timestamp
    }

    static let limit = 1_000
    private let sessions = Mutex<[String: Session]>([:])
    private let hours: Int

    init(hours: Int) {
        self.hours = hours
    }

    /// A new session's name; nil when there are too many.
    func open(_ staff: Staff, now: Timestamp) -> String? {
        var random = SystemRandomNumberGenerator()
        let name = HexText.text((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
        let ends = Timestamp(microseconds: now.microseconds + Int64(hours) * 3_600_000_000)
        return sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.ends > now }
            guard sessions.count < Self.limit else { return nil }
            sessions[name] = Session(staff: staff, ends: ends)
            return name
        }
    }

    func staff(_ name: String, now: Timestamp) -> Staff? {
        sessions.withLock { sessions in
            guard let session = sessions[name], session.ends > now else { return nil }
            return session.staff
        }
    }

    func close(_ name: String) {
        sessions.withLock { $0[name] = nil }
    }
}
