import CryptoClient
import FoundationEssentials
import NIOCore

/// Requests under many different keys: made by the service (A0), and brought along as key blocks under the LMK.
enum KeyLoad {
    private static let message = HostMACMessage((0..<64).map { UInt8(truncatingIfNeeded: $0 &* 31) })

    static func make(_ context: BenchContext, count: Int) async throws -> [MadeKey] {
        let attributes = try HostKeyAttributes(usage: "M3", algorithm: "T2", modeOfUse: "C", exportability: "E")
        let connection = try await CryptoConnection.connect(host: "127.0.0.1", port: context.port)
        var keys: [MadeKey] = []
        do {
            while keys.count < count {
                // Some under way at a time: each waits for the module's journal.
                keys += try await withThrowingTaskGroup(of: MadeKey.self) { group in
                    for _ in 0..<32 {
                        group.addTask {
                            try MadeKey(try await connection.run(GenerateKeyRequest(attributes: attributes)))
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        return Array(keys.prefix(count))
    }

    static func request(_ number: Int, _ key: HostKeyReference) -> HostFrame {
        let fields = HostMACFields(algorithm: .algorithm3, padding: .method2, key: key, message: message)
        return HostFrame(
            header: ByteBuffer(integer: UInt32(number)), command: .generateMAC, body: GenerateMACRequest(fields).body())
    }

    static func exchanges(_ context: BenchContext, _ keys: [MadeKey]) async throws -> [LoadPattern.Exchange] {
        let requests = keys.enumerated().map { request($0, $1.reference) }
        return try await RawExchange.exchanges(context.settings.crypto, requests) { reply in
            (try? HostReply(reply).error) == .noError
        }
    }
}
