import HSMBridge

/// The ways to the module for what takes long with RSA: connections of their own, so that the making of a key, which can take seconds,
/// holds up neither a key import nor another's public key. Signatures go from the event loops, by ways of their own too
/// (`HostLoop.signing`). The module has a thread for each connection.
struct RSAModules: Sendable {
    /// Taking public keys.
    let publicKeys: any SecurityModule
    /// Making key pairs: one at a time; the next waits.
    let keyPairs: any SecurityModule

    init(_ settings: CryptoSettings) {
        publicKeys = ModuleBridge(path: settings.moduleSocket, lanes: 1)
        keyPairs = ModuleBridge(path: settings.moduleSocket, lanes: 1)
    }
}
