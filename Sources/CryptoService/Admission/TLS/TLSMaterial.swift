import FoundationEssentials
public import Logging
import NIOSSL
import Synchronization

/// The files that the TLS doors are made of.
public struct TLSFiles: Sendable, Hashable {
    /// The server's certificate and those of its issuers but the root, in PEM.
    public var certificate: String
    /// Its private key, in PEM, without a passphrase.
    public var key: String
    /// Certificates of the authorities that issue clients' certificates; nil: what an administrator has added is enough.
    public var clientAuthority: String?

    public init(certificate: String, key: String, clientAuthority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthority = clientAuthority
    }
}

/// Why TLS files are not usable, for people.
public struct TLSFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
}

/// What the TLS doors show and ask for, made of files and made anew when these change.
///
/// Files that do not fit are not taken: the old ones go on, and the log says so. Handshakes after a reload use the new ones;
/// connections that are open go on. Tickets of sessions from before are not taken up: their keys went with the old context.
public final class TLSMaterial: Sendable {
    /// What came of looking at the files.
    public enum Outcome: Sendable, Hashable {
        case unchanged, reloaded
        case refused(TLSFault)
    }

    private struct State {
        /// Asks for a client certificate and takes no connection without one.
        var hosts: NIOSSLContext
        /// Asks for one and goes on without it.
        var web: NIOSSLContext
        var stamps: [Stamp]
    }

    /// What changes when a file does: replaced by rename (device, number) or written in place (size, time).
    private struct Stamp: Hashable {
        let device: Int
        let number: Int
        let size: Int
        let changed: Date
    }

    private let files: TLSFiles
    private let logger: Logger
    private let state: Mutex<State>
    /// Of the last files that did not fit, so that they are said once.
    private let refusedStamps = Mutex<[Stamp]>([])

    /// Reads the files. Throws where they are missing, unreadable, not a pair, or where the key is readable by everybody.
    public init(_ files: TLSFiles, logger: Logger) throws(TLSFault) {
        self.files = files
        self.logger = logger
        let first = try Self.load(files, logger)
        state = Mutex(first)
    }

    /// Whether certificates must also be issued by a configured authority.
    var hasClientAuthority: Bool { files.clientAuthority != nil }

    func context(_ door: ServiceDoor) -> NIOSSLContext {
        state.withLock { door == .tls ? $0.hosts : $0.web }
    }

    /// Looks at the files, and reads them if they changed; `always`: even if not.
    @discardableResult
    public func reload(always: Bool = false) -> Outcome {
        let stamps = (try? Self.stamps(files)) ?? []
        if !always,
            state.withLock({ $0.stamps == stamps }) || refusedStamps.withLock({ $0 == stamps && !stamps.isEmpty })
        {
            return .unchanged
        }
        do throws(TLSFault) {
            let next = try Self.load(files, logger)
            state.withLock { $0 = next }
            refusedStamps.withLock { $0 = [] }
            logger.notice("TLS files reloaded", metadata: ["certificate": "\(files.certificate)"])
            return .reloaded
        } catch {
            refusedStamps.withLock { $0 = stamps }
            logger.error("TLS files not taken, the old ones go on", metadata: ["reason": "\(error)"])
            return .refused(error)
        }
    }

    // MARK: Reading

    private static func load(_ files: TLSFiles, _ logger: Logger) throws(TLSFault) -> State {
        // Before the contents: if a file changes in between, the next look sees it.
        let stamps = try stamps(files)
        let chain = try read(files.certificate, "certificate") { try NIOSSLCertificate.fromPEMFile($0) }
        guard let leaf = chain.first else { throw TLSFault(description: "\(files.certificate) holds no certificate") }
        // The library reads the key file itself, so that the key never lies in an array of ours.
        let key = try read(files.key, "private key") { try NIOSSLPrivateKey(file: $0, format: .pem) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv13
        configuration.trustRoots = .certificates([])
        if let authority = files.clientAuthority {
            let roots = try read(authority, "client authority") { try NIOSSLCertificate.fromPEMFile($0) }
            guard !roots.isEmpty else { throw TLSFault(description: "\(authority) holds no certificate") }
            configuration.trustRoots = .certificates(roots)
            configuration.sendCANameList = true
        }
        warn(leaf, files.certificate, logger)
        configuration.certificateVerification = .noHostnameVerification
        let hosts = try context(configuration)
        configuration.certificateVerification = .optionalVerification
        configuration.applicationProtocols = ["http/1.1"]
        return State(hosts: hosts, web: try context(configuration), stamps: stamps)
    }

    private static func context(_ configuration: TLSConfiguration) throws(TLSFault) -> NIOSSLContext {
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw TLSFault(description: "certificate and private key are not a pair, or of an unusable kind")
        }
    }

    private static func read<Value>(
        _ path: String, _ what: String, _ body: (String) throws -> Value
    ) throws(TLSFault) -> Value {
        do { return try body(path) } catch {
            throw TLSFault(description: "\(path) cannot be read as a \(what) in PEM")
        }
    }

    private static func warn(_ leaf: NIOSSLCertificate, _ path: String, _ logger: Logger) {
        let left = leaf.notValidAfter - Int(Date().timeIntervalSince1970)
        if left <= 0 {
            logger.error("the server's certificate has expired", metadata: ["file": "\(path)"])
        } else if left < 30 * 86_400 {
            logger.warning(
                "the server's certificate ends soon", metadata: ["file": "\(path)", "days": "\(left / 86_400)"])
        }
    }

    private static func stamps(_ files: TLSFiles) throws(TLSFault) -> [Stamp] {
        var stamps: [Stamp] = []
        for path in [files.certificate, files.key, files.clientAuthority].compactMap({ $0 }) {
            // Where a link leads: those who renew certificates by program change links.
            let place = URL(filePath: path).resolvingSymlinksInPath().path
            guard let status = try? FileManager.default.attributesOfItem(atPath: place) else {
                throw TLSFault(description: "\(path) is not there, or in a folder that kmsd may not enter")
            }
            // Everybody on the machine could pose as this server.
            if path == files.key, (number(status[.posixPermissions]) ?? 0o777) & 0o007 != 0 {
                throw TLSFault(description: "\(path) is open to everybody: chmod 0640, owned by root and kmsd's group")
            }
            stamps.append(
                Stamp(
                    device: number(status[.systemNumber]) ?? 0, number: number(status[.systemFileNumber]) ?? 0,
                    size: number(status[.size]) ?? 0, changed: status[.modificationDate] as? Date ?? .distantPast))
        }
        return stamps
    }

    /// The library gives these as different kinds of integers.
    private static func number(_ value: Any?) -> Int? {
        (value as? any BinaryInteger).map { Int(truncatingIfNeeded: $0) } ?? value as? Int
    }
}
