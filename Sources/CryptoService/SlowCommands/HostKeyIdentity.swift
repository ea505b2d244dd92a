import CryptoClient
import HSMBridge

/// The name of keys that were made for a host and are stored nowhere here: issuer `host`, product = the client, label random.
///
/// Every block of this house names its key, so that it cannot take another's place. No issuer can be called `host`,
/// and the label is 96 random bits.
enum HostKeyIdentity {
    /// `version` is the two characters of the header; `00`, nil and letters count as 1.
    static func make(client: String, version: String?) throws(Refusal) -> KeyIdentity {
        let label = Hex.encode((0..<12).map { _ in UInt8.random(in: 0...255) })
        let number = version.flatMap { Int($0) } ?? 1
        guard
            let identity = KeyIdentity(
                issuer: KeyIdentity.hostIssuer, product: product(client), label: label, version: min(max(number, 1), 99)
            )
        else { throw .host(.internalError) }
        return identity
    }

    /// Client names are account names; what an identity cannot hold is replaced.
    private static func product(_ client: String) -> String {
        let text = String(client.prefix(24).map { KeyIdentity.isValidPart(String($0)) ? $0 : "-" })
        return text.isEmpty ? "-" : text
    }
}
