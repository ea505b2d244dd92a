import HSMBridge
import KMS
import NIOCore

/// Looks at the running service for `/metrics`, `/statusz` and `/readyz`.
struct ServiceWatch: Sendable {
    let settings: CryptoSettings
    let metrics: ServiceMetrics
    let module: ModuleWatch
    let directory: KeyDirectory
    let counts: RequestCounts

    func picture() async -> OperationPicture {
        OperationPicture(
            figures: metrics.figures(), settings: settings, module: await module.status(), directory: directory.health,
            totals: counts.totals, process: .now(), version: settings.version)
    }
}

extension CryptoSettings {
    /// Whether the figures may be read from here without a token.
    func mayReadMetrics(_ address: SocketAddress) -> Bool {
        if address.isLoopback { return true }
        guard let text = address.ipAddress else { return false }
        // An IPv4 address that came to an IPv6 socket.
        let plain = text.hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
        return metricsFrom.contains { $0 == text || $0 == plain }
    }
}
