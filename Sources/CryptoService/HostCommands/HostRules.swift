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
        // Method 3 begins with the length of the whole message, which a part does not know; CMAC pads by itself.
        let isPart = fields.mode != .only
        guard !(isPart && fields.padding == .method3), !(fields.algorithm == .cmac && fields.padding != .none) else {
            throw .host(.paddingMethod)
        }
    }

    /// No key here is single.
    static func check(_ request: OldMACRequest) throws(Refusal) {
        guard request.keyLength != .single || request.key.form.isVariant else { throw .host(.keyLength) }
    }

    /// M0 gives no text, because cipher text is none; M2 takes none.
    static func check(
        _ fields: HostCipherFields, takes input: Set<HostDataFormat> = Set(HostDataFormat.allCases),
        gives output: Set<HostDataFormat> = Set(HostDataFormat.allCases)
    ) throws(Refusal) {
        guard input.contains(fields.message.format) else { throw .host(.inputFormat) }
        guard output.contains(fields.outputFormat) else { throw .host(.outputFormat) }
        guard isDataKey(fields.keyType) else { throw .host(.keyLengthFlag) }
    }

    static func check(_ request: TranslateDataRequest) throws(Refusal) {
        guard request.message.format != .text else { throw .host(.inputFormat) }
        guard request.outputFormat != .text else { throw .host(.outputFormat) }
        guard isDataKey(request.source.keyType) else { throw .host(.keyLengthFlag) }
        guard isDataKey(request.destination.keyType) else { throw .host(.destinationKeyType) }
    }

    /// `FFF`, or the zone, data or terminal encryption key of a client of the variant scheme.
    private static func isDataKey(_ type: KeyTypeCode) -> Bool {
        type == .keyBlock || [0x00A, 0x00B, 0x30B].contains(type.rawValue)
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
        case .encryptData: .encrypt
        case .decryptData, .translateData: .decrypt
        case .oldMAC, .generateUnionPayMAC: .generateMAC
        case .verifyUnionPayMAC: .verifyMAC
        case .generateCardCode: .generateCardCode
        case .verifyCardCode: .verifyCardCode
        case .emv3Cryptogram(let request): CryptogramQuestion(request).operation
        case .emv4Cryptogram(let request): CryptogramQuestion(request).operation
        case .cardCryptogram(let request): CryptogramQuestion(request).operation
        case .authorizeUnload: .purseUnload
        case .checkUnloadMAC: .purseVerify
        case .protectCommand: .protectCommand
        case .formKey: .formKey
        case .translateScheme, .translateLMK: .translateKey
        }
    }
}

extension HostDataFormat {
    /// How the module's answer is given.
    var shape: AnswerShape { self == .hexadecimal ? .dataDigits : .data }
}

extension HostCipherFields {
    var shape: AnswerShape { outputFormat.shape }
}
