import CryptoClient
import NIOCore

/// The work of the MAC rows: M8, verify a MAC of ISO 9797-1 algorithm 3 over 64 bytes, the key by its label.
enum HostMACLoad {
    /// Different messages; connections go round them.
    static let messages = 256
    static let messageLength = 64
    /// One request in sixteen carries a MAC with one bit changed and must be answered 01: a service that always agrees is
    /// found out.
    static let wrongEvery = 16

    /// Has the service make the MACs (M6) and puts the verification requests beside the answers they deserve.
    static func prepare(_ settings: Settings.Crypto, key label: String) async throws -> LoadPattern {
        let key = try HostKeyReference.label(label)
        var clientSettings = CryptoConnection.Settings()
        clientSettings.headerLength = settings.headerLength
        let connection = try await CryptoConnection.connect(
            host: "127.0.0.1", port: settings.port, settings: clientSettings)
        var exchanges: [LoadPattern.Exchange] = []
        do {
            for number in 0..<messages {
                let fields = HostMACFields(
                    algorithm: .algorithm3, padding: .method2, key: key, message: HostMACMessage(message(number)))
                let made = try await connection.run(GenerateMACRequest(fields)).bytes
                exchanges.append(try exchange(number, fields, made, settings.headerLength))
            }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        return LoadPattern(exchanges)
    }

    private static func exchange(
        _ number: Int, _ fields: HostMACFields, _ genuine: [UInt8], _ headerLength: Int
    ) throws -> LoadPattern.Exchange {
        let isWrong = number % wrongEvery == 0
        var bytes = genuine
        if isWrong, let last = bytes.indices.last { bytes[last] ^= 1 << UInt8(number / wrongEvery % 8) }
        guard let mac = HostMAC(bytes) else { throw CommandFailure("The service made a MAC of \(bytes.count) bytes.") }
        let header = ByteBuffer(bytes: (0..<headerLength).map { $0 == headerLength - 1 ? UInt8(number) : 0x30 })
        let request = HostFrame(
            header: header, command: .verifyMAC, body: VerifyMACRequest(fields, mac: mac).body())
        let code = isWrong ? HostErrorCode.verificationFailed : HostErrorCode.noError
        var answer = ByteBuffer()
        answer.writeString(code.rawValue)
        let reply = HostFrame(header: header, command: HostCommandCode.verifyMAC.reply, body: answer)
        return LoadPattern.Exchange(request: try RawExchange.written(request), reply: try RawExchange.written(reply))
    }

    /// Bytes that differ from message to message.
    private static func message(_ number: Int) -> [UInt8] {
        (0..<messageLength).map { UInt8(truncatingIfNeeded: ($0 &+ 1) &* 31 &+ number &* 17 &+ ($0 &* number) >> 3) }
    }
}
