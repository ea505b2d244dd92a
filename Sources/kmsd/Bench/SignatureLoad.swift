import CryptoClient
import FoundationEssentials
import NIOCore

/// RSA: the port's EW command against `openssl speed`, both on every core of the machine.
enum SignatureLoad {
    private static let messages = 64

    static func measure(_ context: BenchContext, _ row: inout BenchRow) async throws {
        guard let command = HostCommandCode("EW") else { throw BenchTrouble("EW is no command") }
        let label = context.rsaKey
        let requests = (0..<messages).map { number in
            // SHA-256, no identifiers, PKCS#1 v1.5 | length of the message 4 N | message | `;99` `FF`…: a stored key.
            var body = ByteBuffer(string: "0601010064")
            body.writeBytes((0..<64).map { UInt8(truncatingIfNeeded: $0 &* 29 &+ number) })
            let length = label.utf8.count
            body.writeString(";99FFFFL\(length < 10 ? "0" : "")\(length)\(label)")
            return HostFrame(header: ByteBuffer(integer: UInt32(number)), command: command, body: body)
        }
        // The same message has the same signature under PKCS#1 v1.5, so that the replies are known after asking once.
        let exchanges = try await RawExchange.exchanges(context.settings.crypto, requests) { reply in
            reply.body.readableBytes == 2 + 4 + 256 && reply.body.readableBytesView.starts(with: Array("000256".utf8))
        }
        let pattern = LoadPattern(exchanges)
        let cores = ProcessorPinning.processorCount
        try context.inTurn(&row) {
            try context.service(pattern, connections: 2, depth: 32)
        } reference: {
            let seconds = Int(max(1, context.seconds.rounded()))
            let text = try OutsideProgram.run(
                ["openssl", "speed", "-seconds", "\(seconds)", "-multi", "\(cores)", "rsa2048"])
            // rsa 2048 bits 0.000590s 0.000017s   1694.9  57513.0
            guard let line = text.split(separator: "\n").last(where: { $0.hasPrefix("rsa 2048 bits") }),
                let rate = line.split(separator: " ").dropLast().last.flatMap({ Double($0) })
            else { throw BenchTrouble("openssl speed says: \(text.suffix(200))") }
            return rate
        }
    }
}
