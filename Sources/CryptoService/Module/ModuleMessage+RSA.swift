import CryptoClient
import HSMBridge
import NIOCore

// MARK: - Signatures

extension ModuleMessage {
    mutating func createSignature(_ key: Key, _ request: SignRequest) {
        append(.createSignature) { buffer in
            buffer.writeKey(key)
            buffer.writeInput(request.method, request.data)
        }
    }

    mutating func verifySignature(_ key: Key, _ request: VerifySignatureRequest) {
        append(.verifySignature) { buffer in
            buffer.writeKey(key)
            buffer.writeInput(request.method, request.data)
            buffer.writeField(request.signature)
        }
    }
}

extension ByteBuffer {
    /// `SignatureInput` of the bridge.
    fileprivate mutating func writeInput(_ method: SignatureMethod, _ data: ByteBuffer) {
        let padding: SignaturePadding = method.padding == .pss ? .pss : .pkcs1
        writeMultipleIntegers(method.hash.module?.rawValue ?? 0, padding.rawValue)
        writeField(data)
    }
}
