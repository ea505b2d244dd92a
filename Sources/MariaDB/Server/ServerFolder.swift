import Glibc

/// The state folder of the private server: data, passwords, configuration, log. Only its owner can enter it.
struct ServerFolder: Sendable {
    let root: String
    let socket: String

    var data: String { "\(root)/data" }
    var log: String { "\(root)/mariadbd.log" }
    var configuration: String { "\(root)/my.cnf" }
    private var passwords: String { "\(root)/passwords" }
    private var temporary: String { "\(root)/tmp" }

    func password(of account: ServerAccount) -> String { "\(passwords)/\(account.rawValue)" }

    /// Checks the paths: they go into the server's configuration, where a line break would begin another setting.
    init(root: String, socket: String) throws(PrivateServerError) {
        guard socket.utf8.count <= Handshake.socketPathLimit else {
            throw .socketPathTooLong(length: socket.utf8.count)
        }
        for path in [root, socket] {
            let harmless = path.unicodeScalars.allSatisfy { $0.value >= 0x20 && !"\"'\\#;".unicodeScalars.contains($0) }
            guard path.hasPrefix("/"), harmless else { throw .pathRefused(path) }
        }
        self.root = root
        self.socket = socket
    }

    /// Makes the folders, takes the lock that keeps a second process out, and writes the configuration.
    /// Returns the lock's open file: the lock ends when it is closed, or with the process.
    func prepare(_ configuration: PrivateServer.Configuration) throws(PrivateServerError) -> Int32 {
        for folder in [root, passwords, temporary] {
            guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw failure(folder) }
        }
        let lock = try lock()
        do throws(PrivateServerError) {
            try write(self.configuration, settings(configuration))
            try removeStaleSocket()
        } catch {
            close(lock)
            throw error
        }
        return lock
    }

    var isInstalled: Bool { unsafe access("\(data)/mysql", F_OK) == 0 }

    /// Where an installation grows until it is whole; what a first start that was cut short left there is moved aside.
    func freshInstallFolder() throws(PrivateServerError) -> String {
        let fresh = "\(root)/data.new"
        if unsafe access(fresh, F_OK) == 0 {
            guard unsafe rename(fresh, "\(root)/data.unfinished.\(getpid()).\(time(nil))") == 0 else {
                throw failure(fresh)
            }
        }
        return fresh
    }

    func finishInstall(from fresh: String) throws(PrivateServerError) {
        guard unsafe rename(fresh, data) == 0 else { throw failure(data) }
    }

    /// A random password of 48 hexadecimal digits in a file of mode 0600, made once.
    func ensurePassword(of account: ServerAccount) throws(PrivateServerError) {
        let path = password(of: account)
        if unsafe access(path, F_OK) == 0 { return }
        let digits = Array("0123456789abcdef".utf8)
        var random = SystemRandomNumberGenerator()
        let password = unsafe SecretText(capacity: 49) { buffer in
            for index in 0..<48 { unsafe buffer[index] = digits[Int(random.next() >> 60)] }
            unsafe buffer[48] = 0x0A
            return 49
        }
        let failed = unsafe password.withBytes { unsafe !writeDurably(path, $0) }
        if failed { throw failure(path) }
    }

    private func lock() throws(PrivateServerError) -> Int32 {
        let path = "\(root)/lock"
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw .inUse(root)
        }
        return file
    }

    /// A server that was killed leaves its socket; anything else at that path is not ours to remove.
    private func removeStaleSocket() throws(PrivateServerError) {
        var status = stat()
        guard unsafe lstat(socket, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .fileFailed(path: socket, errno: EEXIST) }
        guard unsafe unlink(socket) == 0 else { throw failure(socket) }
    }

    private func write(_ path: String, _ text: String) throws(PrivateServerError) {
        var text = text
        let written = text.withUTF8 { unsafe writeDurably(path, UnsafeRawBufferPointer($0)) }
        if !written { throw failure(path) }
    }

    /// Writes beside, syncs, and renames over: after a power cut there is the old file or the new one.
    private func writeDurably(_ path: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let fresh = "\(path).new"
        let file = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        let whole = unsafe Glibc.write(file, bytes.baseAddress, bytes.count) == bytes.count && fsync(file) == 0
        close(file)
        return unsafe whole && rename(fresh, path) == 0
    }

    private func failure(_ path: String) -> PrivateServerError { .fileFailed(path: path, errno: errno) }
}

extension ServerFolder {
    /// The whole configuration of the server: what `SafeSettings` asks for, and small buffers.
    private func settings(_ configuration: PrivateServer.Configuration) -> String {
        """
        # Written by kmsd at each start; changes here are lost.
        [mariadbd]
        datadir = "\(data)"
        tmpdir = "\(temporary)"
        socket = "\(socket)"
        pid-file = "\(root)/mariadbd.pid"
        log-error = "\(log)"
        \(geteuid() == 0 ? "user = root" : "")
        skip-networking
        skip-name-resolve
        skip-log-bin
        local-infile = OFF
        secure-file-priv = "\(temporary)"
        event-scheduler = DISABLED
        performance-schema = OFF
        log-warnings = 1
        default-storage-engine = InnoDB
        character-set-server = utf8mb4
        collation-server = utf8mb4_nopad_bin
        sql-mode = STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION
        transaction-isolation = REPEATABLE-READ
        innodb-snapshot-isolation = ON
        innodb-flush-log-at-trx-commit = 1
        innodb-doublewrite = ON
        innodb-strict-mode = ON
        innodb-rollback-on-timeout = ON
        innodb-lock-wait-timeout = 5
        innodb-buffer-pool-size = \(configuration.bufferPoolMegabytes)M
        innodb-log-file-size = 48M
        innodb-stats-on-metadata = OFF
        key-buffer-size = 1M
        aria-pagecache-buffer-size = 1M
        max-connections = 64
        max-allowed-packet = 16M
        table-open-cache = 400
        query-cache-type = OFF
        query-cache-size = 0
        \(configuration.settings.map { "\($0.key) = \($0.value)" }.sorted().joined(separator: "\n"))

        """
    }
}
