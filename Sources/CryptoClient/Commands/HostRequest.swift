/// Every request this project knows, as one closed set: what a server switches over.
public enum HostRequest: Sendable {
    case diagnostics(DiagnosticsRequest)
    case echo(EchoRequest)
    case randomValue(RandomValueRequest)
    case checkValue(CheckValueRequest)
    case generateKey(GenerateKeyRequest)
    case importKey(ImportKeyRequest)
    case exportKey(ExportKeyRequest)
    case generateMAC(GenerateMACRequest)
    case verifyMAC(VerifyMACRequest)
    case authorizeLoad(AuthorizeLoadRequest)
    case makePurchaseMAC(MakePurchaseMACRequest)
    case checkPurchaseMAC(CheckPurchaseMACRequest)
    case verifyTAC(VerifyTACRequest)
    case verifyTACBatch(VerifyTACBatchRequest)
    case diversifyKey(DiversifyKeyRequest)
    case hash(HashRequest)
    case generateKeyPair(GenerateKeyPairRequest)
    case importPublicKey(ImportPublicKeyRequest)
    case sign(SignRequest)
    case verifySignature(VerifySignatureRequest)
    case status(StatusRequest)
    case loading(LoadingRequest)
    case volumes(VolumesRequest)
    case healthCounts(HealthCountsRequest)
    case health(HealthRequest)
    case encryptData(EncryptDataRequest)
    case decryptData(DecryptDataRequest)
    case translateData(TranslateDataRequest)
    case oldMAC(OldMACRequest)
    case formKey(FormKeyRequest)
    case translateScheme(TranslateSchemeRequest)
    case translateLMK(TranslateLMKRequest)
    case generateCardCode(GenerateCardCodeRequest)
    case verifyCardCode(VerifyCardCodeRequest)
    case emv3Cryptogram(EMV3CryptogramRequest)
    case emv4Cryptogram(EMV4CryptogramRequest)
    case cardCryptogram(CardCryptogramRequest)
    case authorizeUnload(AuthorizeUnloadRequest)
    case checkUnloadMAC(CheckUnloadMACRequest)
    case protectCommand(ProtectCommandRequest)
    case generateUnionPayMAC(GenerateUnionPayMACRequest)
    case verifyUnionPayMAC(VerifyUnionPayMACRequest)

    /// Reads a request by its command. An unknown command is refused with 67.
    public static func parse(_ frame: HostFrame) throws(FieldError) -> (request: HostRequest, end: MessageEnd) {
        switch frame.command {
        case .diagnostics: try parse(frame, HostRequest.diagnostics)
        case .echo: try parse(frame, HostRequest.echo)
        case .randomValue: try parse(frame, HostRequest.randomValue)
        case .checkValue: try parse(frame, HostRequest.checkValue)
        case .generateKey: try parse(frame, HostRequest.generateKey)
        case .importKey: try parse(frame, HostRequest.importKey)
        case .exportKey: try parse(frame, HostRequest.exportKey)
        case .generateMAC: try parse(frame, HostRequest.generateMAC)
        case .verifyMAC: try parse(frame, HostRequest.verifyMAC)
        case .authorizeLoad: try parse(frame, HostRequest.authorizeLoad)
        case .makePurchaseMAC: try parse(frame, HostRequest.makePurchaseMAC)
        case .checkPurchaseMAC: try parse(frame, HostRequest.checkPurchaseMAC)
        case .verifyTAC: try parse(frame, HostRequest.verifyTAC)
        case .verifyTACBatch: try parse(frame, HostRequest.verifyTACBatch)
        case .diversifyKey: try parse(frame, HostRequest.diversifyKey)
        case .hash: try parse(frame, HostRequest.hash)
        case .generateKeyPair: try parse(frame, HostRequest.generateKeyPair)
        case .importPublicKey: try parse(frame, HostRequest.importPublicKey)
        case .sign: try parse(frame, HostRequest.sign)
        case .verifySignature: try parse(frame, HostRequest.verifySignature)
        case .status: try parse(frame, HostRequest.status)
        case .loading: try parse(frame, HostRequest.loading)
        case .volumes: try parse(frame, HostRequest.volumes)
        case .healthCounts: try parse(frame, HostRequest.healthCounts)
        case .health: try parse(frame, HostRequest.health)
        case .encryptData: try parse(frame, HostRequest.encryptData)
        case .decryptData: try parse(frame, HostRequest.decryptData)
        case .translateData: try parse(frame, HostRequest.translateData)
        case .oldMAC: try parse(frame, HostRequest.oldMAC)
        case .formKey: try parse(frame, HostRequest.formKey)
        case .translateScheme: try parse(frame, HostRequest.translateScheme)
        case .translateLMK: try parse(frame, HostRequest.translateLMK)
        case .generateCardCode: try parse(frame, HostRequest.generateCardCode)
        case .verifyCardCode: try parse(frame, HostRequest.verifyCardCode)
        case .emv3Cryptogram: try parse(frame, HostRequest.emv3Cryptogram)
        case .emv4Cryptogram: try parse(frame, HostRequest.emv4Cryptogram)
        case .cardCryptogram: try parse(frame, HostRequest.cardCryptogram)
        case .authorizeUnload: try parse(frame, HostRequest.authorizeUnload)
        case .checkUnloadMAC: try parse(frame, HostRequest.checkUnloadMAC)
        case .protectCommand: try parse(frame, HostRequest.protectCommand)
        case .generateUnionPayMAC: try parse(frame, HostRequest.generateUnionPayMAC)
        case .verifyUnionPayMAC: try parse(frame, HostRequest.verifyUnionPayMAC)
        default: throw FieldError(.commandNotLicensed, in: .command)
        }
    }

    /// The request as the command it is.
    public var command: any HostCommand {
        switch self {
        case .diagnostics(let command): command
        case .echo(let command): command
        case .randomValue(let command): command
        case .checkValue(let command): command
        case .generateKey(let command): command
        case .importKey(let command): command
        case .exportKey(let command): command
        case .generateMAC(let command): command
        case .verifyMAC(let command): command
        case .authorizeLoad(let command): command
        case .makePurchaseMAC(let command): command
        case .checkPurchaseMAC(let command): command
        case .verifyTAC(let command): command
        case .verifyTACBatch(let command): command
        case .diversifyKey(let command): command
        case .hash(let command): command
        case .generateKeyPair(let command): command
        case .importPublicKey(let command): command
        case .sign(let command): command
        case .verifySignature(let command): command
        case .status(let command): command
        case .loading(let command): command
        case .volumes(let command): command
        case .healthCounts(let command): command
        case .health(let command): command
        case .encryptData(let command): command
        case .decryptData(let command): command
        case .translateData(let command): command
        case .oldMAC(let command): command
        case .formKey(let command): command
        case .translateScheme(let command): command
        case .translateLMK(let command): command
        case .generateCardCode(let command): command
        case .verifyCardCode(let command): command
        case .emv3Cryptogram(let command): command
        case .emv4Cryptogram(let command): command
        case .cardCryptogram(let command): command
        case .authorizeUnload(let command): command
        case .checkUnloadMAC(let command): command
        case .protectCommand(let command): command
        case .generateUnionPayMAC(let command): command
        case .verifyUnionPayMAC(let command): command
        }
    }

    private static func parse<Command: HostCommand>(
        _ frame: HostFrame, _ make: (Command) -> HostRequest
    ) throws(FieldError) -> (request: HostRequest, end: MessageEnd) {
        let parsed = try Command.parse(frame.body)
        return (make(parsed.command), parsed.end)
    }
}
