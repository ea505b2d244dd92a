import HSMBridge

extension SoftwareModule {
    /// Room that is left for one more reply of any kind in a full answer.
    private static let replyReserve = 64 << 10

    /// Answers a message (the part after its length field). False where it was no message at all: the answer is then one
    /// refusal, and the connection is out of step. `inPlace` is false in the test that holds the two paths against each other.
    func answer(
        _ message: UnsafeRawBufferPointer, from caller: Caller, inPlace: Bool = true,
        into writer: inout ModuleReplyWriter
    ) -> Bool {
        guard let frame = unsafe MessageFrame(body: message) else {
            writer.append(ModuleRefusal(.malformedRequest))
            return false
        }
        var execution = Execution(module: self, caller: caller)
        var queue = CalculationQueue(messageItems: frame.count)
        var offset = 4
        for _ in 0..<frame.count {
            let code = unsafe UInt16(message[offset]) << 8 | UInt16(message[offset + 1])
            var length = 0
            for index in 2..<6 { length = length << 8 | Int(unsafe message[offset + index]) }
            let body = unsafe UnsafeRawBufferPointer(rebasing: message[offset + 6..<offset + 6 + length])
            offset += 6 + length
            let isFull = writer.byteCount > ModuleMessageLimits.maximumLength - Self.replyReserve
            if isFull {
                writer.append(ModuleRefusal(.tooLarge))
            } else if let command = CommandCode(rawValue: code) {
                if inPlace, unsafe execution.answerInPlace(command, body, &queue, into: &writer) { continue }
                // What changes the module takes effect after what was asked before it.
                if command.rule.journalling != .no { queue.run(into: &writer) }
                unsafe WireReader.reading(body) { reader in
                    dispatch(command, &reader, &execution, into: &writer)
                }
            } else {
                writer.append(ModuleRefusal(.unknownCommand))
            }
        }
        queue.run(into: &writer)
        return true
    }

    /// Every command's type, by its code.
    private func dispatch(
        _ code: CommandCode, _ reader: inout WireReader, _ execution: inout Execution,
        into writer: inout ModuleReplyWriter
    ) {
        switch code {
        case .getStatus: execution.carryOut(GetStatus.self, &reader, into: &writer)
        case .runSelfTest: execution.carryOut(RunSelfTest.self, &reader, into: &writer)
        case .listReaders: execution.carryOut(ListReaders.self, &reader, into: &writer)
        case .formatAdminCard: execution.carryOut(FormatAdminCard.self, &reader, into: &writer)
        case .inspectAdminCard: execution.carryOut(InspectAdminCard.self, &reader, into: &writer)
        case .beginCeremony: execution.carryOut(BeginCeremony.self, &reader, into: &writer)
        case .presentAdminCard: execution.carryOut(PresentAdminCard.self, &reader, into: &writer)
        case .finishCeremony: execution.carryOut(FinishCeremony.self, &reader, into: &writer)
        case .abortCeremony: execution.carryOut(AbortCeremony.self, &reader, into: &writer)
        case .sealModule: execution.carryOut(SealModule.self, &reader, into: &writer)
        case .generateKey: execution.carryOut(GenerateKey.self, &reader, into: &writer)
        case .generateKeyPair: execution.carryOut(GenerateKeyPair.self, &reader, into: &writer)
        case .beginComponentEntry: execution.carryOut(BeginComponentEntry.self, &reader, into: &writer)
        case .enterComponent: execution.carryOut(EnterComponent.self, &reader, into: &writer)
        case .finishComponentEntry: execution.carryOut(FinishComponentEntry.self, &reader, into: &writer)
        case .abortComponentEntry: execution.carryOut(AbortComponentEntry.self, &reader, into: &writer)
        case .importKeyBlock: execution.carryOut(ImportKeyBlock.self, &reader, into: &writer)
        case .importCryptogram: execution.carryOut(ImportCryptogram.self, &reader, into: &writer)
        case .exportKeyBlock: execution.carryOut(ExportKeyBlock.self, &reader, into: &writer)
        case .inspectKey: execution.carryOut(InspectKey.self, &reader, into: &writer)
        case .openKey: execution.carryOut(OpenKey.self, &reader, into: &writer)
        case .closeKey: execution.carryOut(CloseKey.self, &reader, into: &writer)
        case .formKey: execution.carryOut(FormKey.self, &reader, into: &writer)
        case .rewrapKey: execution.carryOut(RewrapKey.self, &reader, into: &writer)
        case .generateMAC: execution.carryOut(GenerateMAC.self, &reader, into: &writer)
        case .verifyMAC: execution.carryOut(VerifyMAC.self, &reader, into: &writer)
        case .checkValue: execution.carryOut(CheckValue.self, &reader, into: &writer)
        case .randomBytes: execution.carryOut(RandomBytes.self, &reader, into: &writer)
        case .sign: execution.carryOut(Sign.self, &reader, into: &writer)
        case .authorisePurseLoad: execution.carryOut(AuthorisePurseLoad.self, &reader, into: &writer)
        case .purchaseMAC1: execution.carryOut(PurchaseMAC1.self, &reader, into: &writer)
        case .verifyPurchaseMAC2: execution.carryOut(VerifyPurchaseMAC2.self, &reader, into: &writer)
        case .verifyTAC: execution.carryOut(VerifyTAC.self, &reader, into: &writer)
        case .verifyTACBatch: execution.carryOut(VerifyTACBatch.self, &reader, into: &writer)
        case .diversifyKey: execution.carryOut(DiversifyKey.self, &reader, into: &writer)
        case .diversifyKeyBatch: execution.carryOut(DiversifyKeyBatch.self, &reader, into: &writer)
        case .protectKeyLoad: execution.carryOut(ProtectKeyLoad.self, &reader, into: &writer)
        case .protectCommand: execution.carryOut(ProtectCommand.self, &reader, into: &writer)
        case .cardCryptogram: execution.carryOut(CardCryptogram.self, &reader, into: &writer)
        case .derivedCheckValue: execution.carryOut(DerivedCheckValue.self, &reader, into: &writer)
        case .hash: execution.carryOut(Hash.self, &reader, into: &writer)
        case .createSignature: execution.carryOut(CreateSignature.self, &reader, into: &writer)
        case .verifySignature: execution.carryOut(VerifySignature.self, &reader, into: &writer)
        case .protectPublicKey: execution.carryOut(ProtectPublicKey.self, &reader, into: &writer)
        case .encipherData: execution.carryOut(EncipherData.self, &reader, into: &writer)
        case .decipherData: execution.carryOut(DecipherData.self, &reader, into: &writer)
        case .translateData: execution.carryOut(TranslateData.self, &reader, into: &writer)
        case .generateCardCode: execution.carryOut(GenerateCardCode.self, &reader, into: &writer)
        case .verifyCardCode: execution.carryOut(VerifyCardCode.self, &reader, into: &writer)
        case .verifyCryptogram: execution.carryOut(VerifyCryptogram.self, &reader, into: &writer)
        case .respondToCryptogram: execution.carryOut(RespondToCryptogram.self, &reader, into: &writer)
        case .authorisePurseUnload: execution.carryOut(AuthorisePurseUnload.self, &reader, into: &writer)
        case .verifyUnloadMAC3: execution.carryOut(VerifyUnloadMAC3.self, &reader, into: &writer)
        case .explainMAC: execution.carryOut(ExplainMAC.self, &reader, into: &writer)
        }
    }
}
