internal import MariaDB
import Synchronization

extension KeyCentre {
    /// Hashes a password that is being made. At least 12 bytes.
    public func hash(_ password: consuming Password) async throws(KMSError) -> PasswordHash {
        try password.requireAcceptable(forAccount: "")
        return try await verifier.hash(password)
    }

    /// Begins a session for the right password.
    ///
    /// The try is counted durably before it is judged; unknown names take the same steps and the same time; waits grow from
    /// the fifth wrong try on; the record is durable before the token is given.
    public func signIn(
        name: String, password: consuming Password, origin: String
    ) async throws(KMSError) -> SignedIn {
        do throws(KMSError) {
            try await check(name, password)
        } catch {
            // Locked and busy answers cost us nothing and are not recorded, so that a flood cannot fill the disk.
            if error == .signInRefused {
                try await audit.append([
                    AuditEvent(
                        .signIn, actors: [String(name.prefix(32))], origin: origin, outcome: .refused(code: error.code))
                ])
            }
            throw error
        }
        let roles = try await roles(of: name) ?? []
        try await audit.append([AuditEvent(.signIn, actors: [name], origin: origin, outcome: .done)])
        let token = try sessions.begin(name, monotonic: clocks.monotonicNanoseconds())
        return SignedIn(token: token, administrator: name, roles: roles)
    }

    /// Who a session token belongs to. Asking restarts the idle time.
    public func actor(token: String, origin: String) throws(KMSError) -> Actor {
        Actor(name: try sessions.use(token, monotonic: clocks.monotonicNanoseconds()), origin: origin)
    }

    public func signOut(token: String) async {
        guard let name = sessions.end(token) else { return }
        _ = try? await audit.append([AuditEvent(.signOut, actors: [name], origin: "", outcome: .done)])
    }

    /// The right password of an enabled account; throws `signInRefused`, `accountLocked` or `busy`.
    func check(_ name: String, _ password: consuming Password) async throws(KMSError) {
        try requireNotWaiting(name)
        // Parallel guesses at one name would all pass the wait before the first of them is counted.
        guard desk.withLock({ $0.checking.count < 256 && $0.checking.insert(name).inserted }) else { throw .busy }
        defer { _ = desk.withLock { $0.checking.remove(name) } }
        let known = try await read { connection in try AdministratorTable.credentials(name, &connection) }
        if let until = known?.lockedUntil, let tries = known?.tries {
            let left = (until.microseconds - clocks.wall().microseconds + 999_999) / 1_000_000
            throttle.adopt(
                name, tries: tries, secondsLeft: Int(clamping: left), monotonic: clocks.monotonicNanoseconds())
            try requireNotWaiting(name)
        }
        let credentials = try await write { connection in try AdministratorTable.countTry(name, &connection) }
        let isRight = try await verifier.matches(password, credentials?.hash ?? .ofNobody)
        if isRight, let credentials, !credentials.disabled {
            _ = try await write { connection in try AdministratorTable.clearTries(name, &connection) }
            throttle.clear(name)
            return
        }
        let tries = credentials?.tries ?? throttle.tries(name) + 1
        let wait = throttle.failed(name, tries: tries, monotonic: clocks.monotonicNanoseconds())
        if wait > 0, credentials != nil {
            let until = clocks.wall().adding(seconds: Int64(wait))
            try await write { connection in try AdministratorTable.lock(name, until: until, &connection) }
        }
        throw .signInRefused
    }

    private func requireNotWaiting(_ name: String) throws(KMSError) {
        let left = throttle.secondsLeft(name, monotonic: clocks.monotonicNanoseconds())
        if left > 0 { throw .accountLocked(seconds: left) }
    }
}
