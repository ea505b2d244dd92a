import HSMBridge

/// The ways to the module for RSA: connections of their own, so that neither a signature nor the making of a key, which can take
/// seconds, holds up a MAC, a key import or each other. The module has a thread for each connection.
struct RSAModules: Sendable {
    /// Signatures and their checks: twice as many at one time as there are processors, so that a processor has the next one
    /// to calculate while the last is on its way back (with as many as processors, `kmsd bench --row rsa-sign` stood at half).
    let signing: any SecurityModule
    /// Making key pairs: one at a time; the next waits.
    let keyPairs: any SecurityModule

    init(signing: any SecurityModule, keyPairs: any SecurityModule) {
        self.signing = signing
        self.keyPairs = keyPairs
    }

    init(_ settings: CryptoSettings) {
        signing = ModuleBridge(path: settings.moduleSocket, lanes: 2 * max(2, ProcessFigures.processors))
        keyPairs = ModuleBridge(path: settings.moduleSocket, lanes: 1)
    }
}
