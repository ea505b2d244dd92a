import Configuration
import SystemPackage

/// Everything the configuration file decides, read once at the start and passed down as values.
struct Settings: Sendable {
    var state: String
    var run: String
    var logLevel: String
    var logFormat: LogFormat
    var hsm: HSM
    var database: DatabaseAccess
    var admin: Admin
    var crypto: Crypto
    var personalization: Cards
    var platform: Platform

    struct HSM: Sendable {
        var socket: String
        var socketMode: UInt32
        var calculationUsers: [UInt32]
        var ceremonyUsers: [UInt32]
    }

    struct DatabaseAccess: Sendable {
        var socket: String
        var host: String
        var port: Int
        var passwords: String
        var workers: Int
        var queueLimit: Int
        /// No server configured: we run one of our own.
        var isPrivate: Bool
    }

    struct Admin: Sendable {
        var host: String
        var port: Int
        var idleSeconds: Int
    }

    struct Crypto: Sendable {
        var host: String
        var port: Int
        var headerLength: Int
        var plainClient: String
        var connectionLimit: Int
        var frameSeconds: Int
        var httpHost: String
        var httpPort: Int
        var access = CryptoAccess()
        /// What keeps one client from taking the service from the others.
        var limits = CryptoLimits()
    }

    struct Cards: Sendable {
        var profiles: String
        var transmitSeconds: Int
        var cardSeconds: Int
    }

    struct Platform: Sendable {
        var host: String
        var port: Int
        var cryptoHost: String
        var cryptoPort: Int
        var tacKey: String
        /// Card number prefix → key label, for cards of other parks.
        var tacKeysByCard: [String: String]
        var tokens: String
    }

    /// Why a configuration is not usable, with the option's name.
    enum Fault: Error, CustomStringConvertible {
        case unreadable(String, String)
        case invalid(String, String)

        var description: String {
            switch self {
            case .unreadable(let file, let reason): "Cannot read the configuration \(file): \(reason)"
            case .invalid(let option, let rule): "Configuration option \(option) must be \(rule)."
            }
        }
    }

    static let defaultFile = "/etc/kmsd/kmsd.yaml"

    /// Reads `file`, or the default file if it is there, or takes the defaults.
    static func read(_ file: String?) async throws(Fault) -> Settings {
        let provider: FileProvider<YAMLSnapshot>
        do {
            provider = try await FileProvider<YAMLSnapshot>(
                filePath: FilePath(file ?? defaultFile), allowMissing: file == nil)
        } catch {
            throw .unreadable(file ?? defaultFile, "\(error)")
        }
        return try Settings(ConfigReader(provider: provider), file: file)
    }

    private init(_ config: ConfigReader, file: String?) throws(Fault) {
        let state = config.string(forKey: "state", default: "/var/lib/kmsd")
        let run = config.string(forKey: "run", default: "/run/kmsd")
        self.state = state
        self.run = run
        logLevel = config.string(forKey: "log.level", default: "info")
        guard let format = LogFormat(rawValue: config.string(forKey: "log.format", default: "text")) else {
            throw .invalid("log.format", "text or json")
        }
        logFormat = format
        func or(_ key: ConfigKey, _ fallback: String) -> String {
            let text = config.string(forKey: key, default: "")
            return text.isEmpty ? fallback : text
        }
        let modeText = config.string(forKey: "hsm.socketMode", default: "0600")
        guard let mode = UInt32(modeText, radix: 8), mode <= 0o777 else {
            throw .invalid("hsm.socketMode", "an octal file mode such as 0600")
        }
        hsm = HSM(
            socket: or("hsm.socket", run + "/hsm.sock"), socketMode: mode,
            calculationUsers: config.intArray(forKey: "hsm.calculationUsers", default: []).map { UInt32(clamping: $0) },
            ceremonyUsers: config.intArray(forKey: "hsm.ceremonyUsers", default: []).map { UInt32(clamping: $0) })
        let socket = config.string(forKey: "database.socket", default: "")
        let host = config.string(forKey: "database.host", default: "")
        database = DatabaseAccess(
            socket: socket.isEmpty ? run + "/mariadb.sock" : socket, host: host,
            port: config.int(forKey: "database.port", default: 3306),
            passwords: or("database.passwords", state + "/database/passwords"),
            workers: config.int(forKey: "database.workers", default: 4),
            queueLimit: config.int(forKey: "database.queueLimit", default: 256),
            isPrivate: socket.isEmpty && host.isEmpty)
        admin = Admin(
            host: config.string(forKey: "admin.host", default: "127.0.0.1"),
            port: config.int(forKey: "admin.port", default: 8440),
            idleSeconds: config.int(forKey: "admin.idleSeconds", default: 900))
        crypto = Crypto(
            host: config.string(forKey: "crypto.host", default: "127.0.0.1"),
            port: config.int(forKey: "crypto.port", default: 1500),
            headerLength: config.int(forKey: "crypto.headerLength", default: 4),
            plainClient: config.string(forKey: "crypto.plainClient", default: "host-port"),
            connectionLimit: config.int(forKey: "crypto.connectionLimit", default: 1024),
            frameSeconds: config.int(forKey: "crypto.frameSeconds", default: 10),
            httpHost: config.string(forKey: "crypto.httpHost", default: "127.0.0.1"),
            httpPort: config.int(forKey: "crypto.httpPort", default: 8441))
        crypto.access = try CryptoAccess(config)
        crypto.limits = try CryptoLimits(config)
        var byCard: [String: String] = [:]
        for entry in config.stringArray(forKey: "platform.tacKeysByCard", default: []) {
            let parts = entry.split(separator: "=").map(String.init)
            guard parts.count == 2 else {
                throw .invalid("platform.tacKeysByCard", "a list of PREFIX=issuer/product/label")
            }
            byCard[parts[0]] = parts[1]
        }
        let beside = file.map { FilePath($0).removingLastComponent().appending("cards").string } ?? "/etc/kmsd/cards"
        personalization = Cards(
            profiles: or("personalization.profiles", beside),
            transmitSeconds: config.int(forKey: "personalization.transmitSeconds", default: 5),
            cardSeconds: config.int(forKey: "personalization.cardSeconds", default: 30))
        platform = Platform(
            host: config.string(forKey: "platform.host", default: "127.0.0.1"),
            port: config.int(forKey: "platform.port", default: 8442),
            cryptoHost: config.string(forKey: "platform.cryptoHost", default: "127.0.0.1"),
            cryptoPort: config.int(forKey: "platform.cryptoPort", default: 1500),
            tacKey: config.string(forKey: "platform.tacKey", default: ""), tacKeysByCard: byCard,
            tokens: or("platform.tokens", state + "/platform/tokens"))
        try check()
    }

    private func check() throws(Fault) {
        for (name, port) in [
            ("admin.port", admin.port), ("crypto.port", crypto.port), ("crypto.httpPort", crypto.httpPort),
            ("platform.port", platform.port),
        ] where !(1...65_535).contains(port) {
            throw .invalid(name, "a port from 1 to 65535")
        }
        guard (0...99).contains(crypto.headerLength) else { throw .invalid("crypto.headerLength", "0 to 99") }
        guard (1...64).contains(database.workers) else { throw .invalid("database.workers", "1 to 64") }
        guard hsm.socket.utf8.count <= 107 else { throw .invalid("hsm.socket", "a path of at most 107 bytes") }
    }
}
