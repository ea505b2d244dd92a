import CryptoClient
import KMS

/// What a request must say beyond its form, for a server that keeps key blocks only.
enum HostRules {
    /// `FFF`, or one of the two numbers that clients of the variant scheme still send with a key block.
    static func check(_ fields: HostMACFields) throws(Refusal) {
        switch fields.keyType {
        case .keyBlock, .terminalAuthentication, .zoneAuthentication: break
        default: throw .host(.keyLengthFlag)
        }
    }

    static func check(_ request: CheckValueRequest) throws(Refusal) {
        guard !request.key.form.isVariant, request.key.form != .transportBlock else { throw .host(.keyScheme) }
        guard request.keyTypeCode == 0xFF else { throw .host(.keyTypeCode) }
        guard request.lengthFlag == .keyBlock else { throw .host(.keyLengthFlag) }
    }

    /// Keys that come and go are key blocks.
    static func check(_ type: KeyTypeCode, _ scheme: KeyScheme, _ wanted: KeyScheme) throws(Refusal) {
        guard type == .keyBlock else { throw .host(.keyType) }
        guard scheme == wanted else { throw .host(.keyScheme) }
    }

    /// The operation that a client must be granted; nil for those that need none.
    static func operation(of request: HostRequest) -> ServiceOperation? {
        switch request {
        case .diagnostics, .echo: nil
        case .randomValue: .random
        case .checkValue: .checkValue
        case .generateKey: .generateKey
        case .importKey: .importKey
        case .exportKey: .exportKey
        case .generateMAC: .generateMAC
        case .verifyMAC: .verifyMAC
        case .authorizeLoad: .purseLoad
        case .makePurchaseMAC: .pursePurchase
        case .checkPurchaseMAC: .purseVerify
        case .verifyTAC, .verifyTACBatch: .verifyTAC
        case .diversifyKey: .diversify
        case .hash: .hash
        case .generateKeyPair: .generateKeyPair
        case .importPublicKey: .importPublicKey
        case .sign: .sign
        case .verifySignature: .verifySignature
        case .status: nil
        case .loading, .volumes, .healthCounts, .health: .monitor
        }
    }
}
