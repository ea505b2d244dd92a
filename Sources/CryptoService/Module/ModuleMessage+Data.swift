import CryptoClient
import HSMBridge
import NIOCore

// MARK: - Data ciphers

extension ModuleMessage {
    mutating func encipherData(_ key: Key, _ fields: HostCipherFields) {
        cipherData(.encipherData, key, fields)
    }

    mutating func decipherData(_ key: Key, _ fields: HostCipherFields) {
        cipherData(.decipherData, key, fields)
    }

    mutating func translateData(_ source: Key, _ destination: Key, _ request: TranslateDataRequest) {
        append(.translateData) { buffer in
            buffer.writeKey(source)
            buffer.writeCipher(request.source.mode, request.source.initialVector)
            buffer.writeKey(destination)
            buffer.writeCipher(request.destination.mode, request.destination.initialVector)
            buffer.writeField(request.message.content)
        }
    }

    private mutating func cipherData(_ code: CommandCode, _ key: Key, _ fields: HostCipherFields) {
        append(code) { buffer in
            buffer.writeKey(key)
            buffer.writeCipher(fields.mode, fields.initialVector)
            buffer.writeField(fields.message.content)
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func writeCipher(_ mode: HostCipherMode, _ vector: [UInt8]) {
        writeInteger(mode.module.rawValue)
        writeField(vector)
    }
}

extension HostCipherMode {
    var module: DataCipherMode {
        switch self {
        case .ecb: .ecb
        case .cbc: .cbc
        }
    }
}
