import CryptoClient
import Glibc
import NIOCore

/// Asks the service each request once before a measurement, to learn the replies that must come for it.
enum RawExchange {
    /// One connection, one request at a time. Throws where a reply is not what `isRight` expects.
    static func exchanges(
        _ settings: Settings.Crypto, _ requests: [HostFrame], isRight: (HostFrame) -> Bool
    ) async throws -> [LoadPattern.Exchange] {
        var exchanges: [LoadPattern.Exchange] = []
        let nothing = LoadPattern([LoadPattern.Exchange(request: [0], reply: [0])])
        let connection = try LoadConnection(port: settings.port, first: 0, nothing)
        defer { connection.close() }
        var stream = HostFrameStream(HostFrameFormat(headerLength: settings.headerLength))
        for request in requests {
            let bytes = try written(request)
            guard
                unsafe bytes.withUnsafeBytes({ unsafe send(connection.descriptor, $0.baseAddress, $0.count, 0) })
                    == bytes.count
            else { throw LoadFailure.closed }
            let reply = try receive(connection.descriptor, &stream)
            guard reply.header == request.header, reply.command == request.command.reply, isRight(reply) else {
                let shown = String(decoding: reply.body.readableBytesView.prefix(8), as: UTF8.self)
                throw BenchTrouble("\(request.command) is answered \(reply.command) “\(shown)”")
            }
            exchanges.append(LoadPattern.Exchange(request: bytes, reply: try written(reply)))
        }
        return exchanges
    }

    private static func receive(_ descriptor: Int32, _ stream: inout HostFrameStream) throws -> HostFrame {
        var inbox = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let frame = try stream.next() { return frame }
            let count = unsafe inbox.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { throw count == 0 ? LoadFailure.closed : .silent }
            stream.receive(ByteBuffer(bytes: inbox[..<count]))
        }
    }

    static func written(_ frame: HostFrame) throws(FrameError) -> [UInt8] {
        var buffer = ByteBuffer()
        try frame.write(into: &buffer)
        return Array(buffer.readableBytesView)
    }
}
