import CMariaDB
import Glibc

/// Opens one connection: options that keep a false server harmless, the log-in, and the session's settings.
struct Handshake {
    private let settings: DatabaseSettings

    /// Longest path of a Unix socket (`sun_path` less its zero).
    static let socketPathLimit = 107

    /// Log-in methods that do not hand the password to the server in clear.
    private static let logInMethods = "mysql_native_password,client_ed25519,unix_socket,caching_sha2_password"

    /// Library-wide set-up, once, before any thread uses it.
    private static let libraryReady: Bool = mysql_server_init(0, nil, nil) == 0

    init(_ settings: DatabaseSettings) {
        self.settings = settings
    }

    func connect() throws(DatabaseError) -> UnsafeMutablePointer<MYSQL> {
        try refuseUnsafeAddress()
        guard Self.libraryReady, let handle = unsafe mysql_init(nil) else {
            throw .other(code: UInt32(CR_OUT_OF_MEMORY))
        }
        do throws(DatabaseError) {
            unsafe setOptions(handle)
            try unsafe logIn(handle)
            try unsafe prepareSession(handle)
            return unsafe handle
        } catch {
            unsafe mysql_close(handle)
            throw error
        }
    }

    /// Rows and log-ins cross a network only inside TLS with a known authority.
    private func refuseUnsafeAddress() throws(DatabaseError) {
        switch settings.server {
        case .socket(let path):
            guard path.utf8.count <= Self.socketPathLimit else { throw .other(code: UInt32(CR_INVALID_PARAMETER_NO)) }
        case .tcp(let host, _, let authorityFile):
            let loopback = host == "127.0.0.1" || host == "::1" || host == "localhost"
            guard loopback || authorityFile != nil else {
                throw .unsafeSettings([
                    SettingViolation(setting: "TLS to the database", found: "off", wanted: "an authority file")
                ])
            }
        }
    }

    private func setOptions(_ handle: UnsafeMutablePointer<MYSQL>) {
        var connect = settings.connectSeconds
        // Longer than the server's own limit, so that a slow statement ends as an error and not as a lost connection.
        var answer = settings.answerSeconds + 5
        var off: UInt32 = 0
        unsafe mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect)
        unsafe mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &answer)
        unsafe mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &answer)
        // A false server could otherwise ask for any file of this machine.
        unsafe mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &off)
        unsafe option(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        unsafe option(handle, MARIADB_OPT_RESTRICTED_AUTH, Self.logInMethods)
        if case .tcp(_, _, let authorityFile?) = settings.server {
            var on: my_bool = 1
            unsafe mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &on)
            unsafe mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on)
            unsafe option(handle, MYSQL_OPT_SSL_CA, authorityFile)
        }
    }

    private func option(_ handle: UnsafeMutablePointer<MYSQL>, _ name: mysql_option, _ value: String) {
        unsafe value.withCString { unsafe _ = mysql_options(handle, name, $0) }
    }

    private func logIn(_ handle: UnsafeMutablePointer<MYSQL>) throws(DatabaseError) {
        let connected: Bool
        switch settings.password {
        case .none:
            connected = unsafe logIn(handle, password: nil)
        case .file(let path):
            guard let password = SecretText.firstLine(ofFile: path) else { throw .accessDenied }
            connected = unsafe password.withCString { unsafe logIn(handle, password: $0) }
        }
        guard connected else { throw unsafe ServerErrors.error(of: handle) }
        // The library keeps the password for a reconnect of its own, which we never ask for.
        if let kept = unsafe handle.pointee.passwd { unsafe explicit_bzero(kept, strlen(kept)) }
    }

    private func logIn(_ handle: UnsafeMutablePointer<MYSQL>, password: UnsafePointer<CChar>?) -> Bool {
        // With CLIENT_FOUND_ROWS an UPDATE counts the rows it matched, which is what compare-and-set asks for.
        let flags = UInt(CLIENT_FOUND_ROWS)
        switch settings.server {
        case .socket(let path):
            // The word "localhost" selects the Unix socket.
            return unsafe mysql_real_connect(
                handle, "localhost", settings.user, password, settings.schema, 0, path, flags) != nil
        case .tcp(let host, let port, _):
            // "localhost" would mean a Unix socket that nobody named.
            let address = host == "localhost" ? "127.0.0.1" : host
            return unsafe mysql_real_connect(
                handle, address, settings.user, password, settings.schema, UInt32(port), nil, flags) != nil
        }
    }

    /// Sets what every statement of ours relies on, whatever the server's defaults are.
    private func prepareSession(_ handle: UnsafeMutablePointer<MYSQL>) throws(DatabaseError) {
        let words = """
            SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
            NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY,NO_AUTO_CREATE_USER', time_zone = '+00:00', tx_isolation = 'REPEATABLE-READ', \
            innodb_snapshot_isolation = ON, autocommit = ON, foreign_key_checks = ON, unique_checks = ON, \
            check_constraint_checks = ON, wsrep_sync_wait = 1, \
            innodb_lock_wait_timeout = \(settings.lockWaitSeconds), lock_wait_timeout = \(settings.lockWaitSeconds), \
            sql_select_limit = \(settings.rowLimit + 1), max_statement_time = \(settings.answerSeconds)
            """
        let failed = unsafe words.withCString { unsafe mysql_real_query(handle, $0, UInt(words.utf8.count)) != 0 }
        if failed {
            let error = unsafe ServerErrors.error(of: handle)
            if case .other(UInt32(ER_UNKNOWN_SYSTEM_VARIABLE)) = error {
                throw .unsafeSettings([
                    SettingViolation(setting: "version", found: "too old", wanted: "MariaDB 10.11.8 or newer")
                ])
            }
            throw error
        }
    }
}
