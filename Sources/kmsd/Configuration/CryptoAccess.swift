import Configuration
import CryptoService
import Logging

/// `crypto.tls` and the other options about who may come to the crypto service.
struct CryptoAccess: Sendable {
    private var plainAddresses: [PlainAddress] = []
    private var files: TLSFiles?
    private var tlsHost = "0.0.0.0"
    private var tlsPort = 2500
    private var httpsHost = "0.0.0.0"
    private var httpsPort = 8444
    private var handshakeSeconds = 10
    private var handshakeLimit = 256
    private var httpConnectionLimit = 1_024
    private var addressConnectionLimit = 800
    /// 0: only a signal makes the files be read again.
    private(set) var watchSeconds = 10

    init() {}

    init(_ config: ConfigReader) throws(Settings.Fault) {
        for text in config.stringArray(forKey: "crypto.plainAddresses", default: []) {
            guard let address = PlainAddress(text) else {
                throw .invalid(
                    "crypto.plainAddresses", "a list of ADDRESS[/BITS][=CLIENT], such as 192.0.2.7=pos-front")
            }
            plainAddresses.append(address)
        }
        let certificate = config.string(forKey: "crypto.tls.certificate", default: "")
        let key = config.string(forKey: "crypto.tls.key", default: "")
        let authority = config.string(forKey: "crypto.tls.clientAuthority", default: "")
        guard certificate.isEmpty == key.isEmpty else {
            throw .invalid("crypto.tls", "given with both certificate and key, or with neither")
        }
        if !certificate.isEmpty {
            files = TLSFiles(
                certificate: certificate, key: key, clientAuthority: authority.isEmpty ? nil : authority)
        }
        tlsHost = config.string(forKey: "crypto.tls.host", default: tlsHost)
        tlsPort = config.int(forKey: "crypto.tls.port", default: tlsPort)
        httpsHost = config.string(forKey: "crypto.tls.httpHost", default: httpsHost)
        httpsPort = config.int(forKey: "crypto.tls.httpPort", default: httpsPort)
        watchSeconds = config.int(forKey: "crypto.tls.watchSeconds", default: watchSeconds)
        handshakeSeconds = config.int(forKey: "crypto.tls.handshakeSeconds", default: handshakeSeconds)
        handshakeLimit = config.int(forKey: "crypto.tls.handshakeLimit", default: handshakeLimit)
        httpConnectionLimit = config.int(forKey: "crypto.httpConnectionLimit", default: httpConnectionLimit)
        addressConnectionLimit = config.int(forKey: "crypto.addressConnectionLimit", default: addressConnectionLimit)
        try check()
    }

    private func check() throws(Settings.Fault) {
        for (name, port) in [("crypto.tls.port", tlsPort), ("crypto.tls.httpPort", httpsPort)]
        where !(1...65_535).contains(port) {
            throw .invalid(name, "a port from 1 to 65535")
        }
        for (name, number, range) in [
            ("crypto.tls.watchSeconds", watchSeconds, 0...86_400),
            ("crypto.tls.handshakeSeconds", handshakeSeconds, 1...300),
            ("crypto.tls.handshakeLimit", handshakeLimit, 1...100_000),
            ("crypto.httpConnectionLimit", httpConnectionLimit, 1...100_000),
            ("crypto.addressConnectionLimit", addressConnectionLimit, 1...100_000),
        ] where !range.contains(number) {
            throw .invalid(name, "\(range.lowerBound) to \(range.upperBound)")
        }
    }

    func apply(to crypto: inout CryptoSettings) {
        crypto.plainAddresses = plainAddresses
        crypto.tlsHost = tlsHost
        crypto.tlsPort = tlsPort
        crypto.httpsHost = httpsHost
        crypto.httpsPort = httpsPort
        crypto.handshakeSeconds = handshakeSeconds
        crypto.handshakeLimit = handshakeLimit
        crypto.httpConnectionLimit = httpConnectionLimit
        crypto.addressConnectionLimit = addressConnectionLimit
    }

    /// What the TLS doors are made of; nil where no files are configured.
    func material(_ log: Logger) throws -> TLSMaterial? {
        guard let files else { return nil }
        do { return try TLSMaterial(files, logger: log) } catch {
            throw CommandFailure("crypto.tls is not usable: \(error)")
        }
    }
}
