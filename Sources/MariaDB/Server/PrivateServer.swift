import Glibc

/// A MariaDB server of our own: data under a state folder, reached by one Unix socket, stopped with us.
///
/// The program is the distribution's mariadbd; the configuration, the schemas, the accounts and their random passwords are
/// made here. It runs as the user that we run as, and is ended by the kernel if we die.
public final class PrivateServer: Sendable {
    /// Where the server lives, and its limits.
    public struct Configuration: Sendable {
        /// Folder for data, passwords, configuration and log; made if it is missing (its parent must exist).
        public var stateFolder: String
        /// The Unix socket, at most 107 bytes; its folder must exist and decides who may connect.
        public var socketPath: String
        /// How long the server may take until it answers, recovery after a crash included.
        public var startSeconds = 120
        public var stopSeconds = 60
        public var bufferPoolMegabytes = 64
        /// Further settings for tests, such as unsafe ones that must be refused.
        var settings: [String: String] = [:]

        public init(stateFolder: String, socketPath: String) {
            self.stateFolder = stateFolder
            self.socketPath = socketPath
        }
    }

    private static let server = "/usr/sbin/mariadbd"
    private static let installer = "/usr/bin/mariadb-install-db"
    private static let setpriv = "/usr/bin/setpriv"

    private let folder: ServerFolder
    private let keeper: ServerKeeper
    private let lock: Int32
    private let stopSeconds: Int

    private init(folder: ServerFolder, keeper: ServerKeeper, lock: Int32, stopSeconds: Int) {
        self.folder = folder
        self.keeper = keeper
        self.lock = lock
        self.stopSeconds = stopSeconds
    }

    deinit {
        keeper.requestStop()
        close(lock)
    }

    /// Starts the server and waits until it answers; the first time, installs it and makes schemas and accounts.
    public static func start(_ configuration: Configuration) async throws -> PrivateServer {
        let folder = try ServerFolder(root: configuration.stateFolder, socket: configuration.socketPath)
        let user = try systemUser()
        for program in [server, installer, setpriv] {
            guard unsafe access(program, X_OK) == 0 else { throw PrivateServerError.programMissing(program) }
        }
        let lock = try folder.prepare(configuration)
        // `setpriv` has the kernel end the server if our keeper thread, and so our process, goes away.
        let keeper = ServerKeeper { () throws(PrivateServerError) in
            try ChildProcess.start(
                setpriv, ["--pdeathsig", "TERM", server, "--defaults-file=\(folder.configuration)"], log: folder.log)
        }
        let made = PrivateServer(folder: folder, keeper: keeper, lock: lock, stopSeconds: configuration.stopSeconds)
        try await onOwnThread { try install(folder, as: user) }
        guard keeper.run() else { throw PrivateServerError.programFailed(program: server, status: EAGAIN) }
        do {
            try await made.provision(as: user, within: configuration.startSeconds)
            return made
        } catch {
            await made.stop()
            throw error
        }
    }

    public var socketPath: String { folder.socket }
    /// The server's process, or nil while it is not running.
    public var processID: Int32? { keeper.process }
    /// Whether it has been stopped, or has died so often that it was given up.
    public var hasEnded: Bool { keeper.hasEnded }
    /// How often the server has been started; more than once means that it died.
    public var starts: Int { keeper.starts }
    public var logPath: String { folder.log }

    /// How to log in as `account`: by the socket, with the password in its file.
    public func settings(for account: ServerAccount) -> DatabaseSettings {
        DatabaseSettings(
            server: .socket(path: folder.socket),
            user: account.rawValue,
            password: .file(path: folder.password(of: account)),
            schema: account.schema
        )
    }

    /// Ends the server in order, or kills it after `stopSeconds`; returns when it is gone.
    public func stop() async {
        keeper.requestStop()
        try? await Self.onOwnThread { [keeper, stopSeconds] in keeper.stop(within: stopSeconds) }
        flock(lock, LOCK_UN)
    }

    /// The same for the end of a process, where nothing can await any more.
    func stopNow() {
        keeper.stop(within: stopSeconds)
    }

    /// The name of the user we run as: the server knows its administrator by it, over the socket, without a password.
    private static func systemUser() throws(PrivateServerError) -> String {
        guard let entry = unsafe getpwuid(geteuid()), let start = unsafe entry.pointee.pw_name else {
            throw .userRefused("\(geteuid())")
        }
        let name = unsafe String(cString: start)
        let plain = name.utf8.allSatisfy { Identifier.isValid(String(UnicodeScalar($0))) || $0 == 0x2D }
        // Under such a name the administrator and a runtime account would be one.
        guard plain, !name.isEmpty, ServerAccount(rawValue: name) == nil else { throw .userRefused(name) }
        return name
    }

    /// Makes the data folder, beside its place and moved there when it is whole.
    private static func install(_ folder: ServerFolder, as user: String) throws(PrivateServerError) {
        if folder.isInstalled { return }
        let fresh = try folder.freshInstallFolder()
        let process = try ChildProcess.start(
            installer,
            [
                "--defaults-file=\(folder.configuration)", "--datadir=\(fresh)", "--skip-test-db",
                "--skip-name-resolve",
                "--auth-root-authentication-method=socket", "--auth-root-socket-user=\(user)",
            ] + (geteuid() == 0 ? ["--user=root"] : []),
            log: folder.log)
        let status = ChildProcess.collect(process)
        guard status == 0 else { throw .programFailed(program: installer, status: status) }
        try folder.finishInstall(from: fresh)
    }

    /// Waits for the answer and brings schemas and accounts to what `ServerAccount` says.
    private func provision(as user: String, within seconds: Int) async throws {
        let folder = folder
        let keeper = keeper
        try await Self.onOwnThread {
            var settings = DatabaseSettings(
                server: .socket(path: folder.socket), user: user, password: .none, schema: nil)
            settings.reconnectSeconds = UInt32(max(1, seconds))
            var session = Session(settings) { keeper.hasEnded }
            do {
                try session.plain { connection in
                    for statement in ServerAccount.provisioning { try connection.execute(statement) }
                    for account in ServerAccount.allCases {
                        try folder.ensurePassword(of: account)
                        try connection.unlock(account, passwordFile: folder.password(of: account))
                    }
                }
            } catch DatabaseError.gone {
                throw PrivateServerError.notAnswering(log: folder.log)
            }
        }
    }

    /// Runs blocking work on a thread of its own.
    private static func onOwnThread(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let thread = WorkerThread(named: "mariadb-server") {
                continuation.resume(with: Result { try work() })
            }
            guard let thread else {
                let error = PrivateServerError.programFailed(program: "pthread_create", status: EAGAIN)
                return continuation.resume(throwing: error)
            }
            thread.letGo()
        }
    }
}

extension Connection {
    /// Sets an account's password to the content of its file; the statement's text is wiped afterwards.
    ///
    /// The protocol cannot bind a password in ALTER USER. The file must hold hexadecimal digits, which need no quoting.
    fileprivate mutating func unlock(_ account: ServerAccount, passwordFile: String) throws {
        guard let password = SecretText.firstLine(ofFile: passwordFile) else {
            throw PrivateServerError.fileFailed(path: passwordFile, errno: EACCES)
        }
        let isHexadecimal = unsafe password.withBytes { bytes in
            unsafe bytes.count >= 32
                && bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
        guard isHexadecimal else { throw PrivateServerError.fileFailed(path: passwordFile, errno: EINVAL) }
        let before = Array("ALTER USER \(account.account.quoted) IDENTIFIED BY '".utf8)
        let after = Array("' ACCOUNT UNLOCK".utf8)
        let statement = unsafe password.withBytes { digits in
            unsafe SecretText(capacity: before.count + digits.count + after.count) { buffer in
                unsafe buffer.copyBytes(from: before)
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[before.count...]).copyMemory(from: digits)
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[(before.count + digits.count)...])
                    .copyBytes(from: after)
                return buffer.count
            }
        }
        try command(secret: statement)
    }
}
