import CryptoClient
import NIOCore

/// Reads the fields of an answer as those of the command and writes them again.
func rewriteReply(_ command: HostCommandCode, _ body: ByteBuffer) throws(FieldError) -> ByteBuffer? {
    switch command {
    case HostCommandCode.diagnostics.reply: try rewrite(DiagnosticsReply.self, body)
    case HostCommandCode.echo.reply, HostCommandCode.randomValue.reply: try rewrite(BytesReply.self, body)
    case HostCommandCode.checkValue.reply: try rewrite(CheckValueReply.self, body)
    case HostCommandCode.generateKey.reply, HostCommandCode.importKey.reply, HostCommandCode.exportKey.reply,
        HostCommandCode.diversifyKey.reply, HostCommandCode.formKey.reply:
        try rewrite(KeyReply.self, body)
    case HostCommandCode.generateMAC.reply, HostCommandCode.verifyMAC.reply: try rewrite(MACReply.self, body)
    case HostCommandCode.authorizeLoad.reply, HostCommandCode.makePurchaseMAC.reply:
        try rewrite(PurseMACReply.self, body)
    case HostCommandCode.checkPurchaseMAC.reply, HostCommandCode.verifyTAC.reply: try rewrite(EmptyReply.self, body)
    case HostCommandCode.encryptData.reply, HostCommandCode.decryptData.reply, HostCommandCode.translateData.reply:
        try rewrite(CipheredDataReply.self, body)
    case HostCommandCode.translateScheme.reply, HostCommandCode.translateLMK.reply:
        try rewrite(SchemeReply.self, body)
    case HostCommandCode.oldMAC.reply: try rewrite(MACReply.self, body)
    case HostCommandCode.generateCardCode.reply: try rewrite(CardCodeReply.self, body)
    case HostCommandCode.verifyCardCode.reply, HostCommandCode.checkUnloadMAC.reply,
        HostCommandCode.verifyUnionPayMAC.reply:
        try rewrite(EmptyReply.self, body)
    case HostCommandCode.emv3Cryptogram.reply, HostCommandCode.emv4Cryptogram.reply,
        HostCommandCode.cardCryptogram.reply, HostCommandCode.protectCommand.reply,
        HostCommandCode.generateUnionPayMAC.reply:
        try rewrite(BytesReply.self, body)
    case HostCommandCode.authorizeUnload.reply: try rewrite(PurseMACReply.self, body)
    case HostCommandCode.verifyTACBatch.reply: try rewrite(TACBatchReply.self, body)
    case HostCommandCode.hash.reply: try rewrite(BytesReply.self, body)
    case HostCommandCode.generateKeyPair.reply: try rewrite(KeyPairReply.self, body)
    case HostCommandCode.importPublicKey.reply: try rewrite(PublicKeyReply.self, body)
    case HostCommandCode.sign.reply: try rewrite(SignatureReply.self, body)
    case HostCommandCode.verifySignature.reply: try rewrite(EmptyReply.self, body)
    case HostCommandCode.status.reply: try rewrite(StatusReply.self, body)
    case HostCommandCode.loading.reply: try rewrite(LoadingReply.self, body)
    case HostCommandCode.volumes.reply: try rewrite(VolumesReply.self, body)
    case HostCommandCode.healthCounts.reply: try rewrite(HealthCountsReply.self, body)
    case HostCommandCode.health.reply: try rewrite(HealthReply.self, body)
    default: nil
    }
}

private func rewrite<Fields: HostReplyFields>(
    _ type: Fields.Type, _ body: ByteBuffer
) throws(FieldError) -> ByteBuffer {
    var buffer = ByteBuffer()
    try Fields.parse(body).write(into: &buffer)
    return buffer
}
