import CryptoClient
import Foundation
import HSMBridge
import Logging
import Synchronization
import Testing

@testable import CryptoService
@testable import KMS

/// Hostile traffic with known values at both doors, everything logged down to trace, and a search for those values.
struct LogSecrecyTests {
    private final class Pages: Sendable {
        let lines = Mutex<[String]>([])
        var logger: Logger {
            var logger = Logger(label: "test", factory: { _ in Pen(pages: self) })
            logger.logLevel = .trace
            return logger
        }
        var text: String { lines.withLock { $0.joined(separator: "\n") } }
    }

    private struct Pen: LogHandler {
        let pages: Pages
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
            let error = event.error.map { "\($0)" } ?? ""
            pages.lines.withLock { $0.append("\(event.level) \(event.message) \(fields) \(error)") }
        }
    }

    @Test func `No log line holds a key, a MAC, a token or data of a request, whatever is sent`() async throws {
        let pages = Pages()
        let world = try await World.make(logger: pages.logger) { $0.httpPort = 0 }
        let token = try await world.centre.createClient("web", description: "", by: World.conf)
        let data = "5345435245542D444154412D31323334"
        let mac = "C5B780D7"
        // Host commands: good ones, bad ones, and the values at every place of a frame.
        let frames: [[UInt8]] = [
            Array("0000M8".utf8) + Array(World.macKey.utf8), Array("0000??".utf8) + Array(data.utf8),
            Array("\(World.macKey)".utf8), Array("0000M6".utf8) + Array(World.master.utf8) + Array(mac.utf8),
            Array("\(mac)A6FFFU\(World.macKey)".utf8), [0xFF, 0xFF] + Array(World.master.utf8),
        ]
        for frame in frames {
            try await RawClient.with(port: world.port) { client in
                try await client.send([UInt8(frame.count >> 8), UInt8(frame.count & 0xFF)] + frame)
                try await client.send([0, 200] + Array(World.macKey.utf8))
                client.finish()
                while try await client.frame() != nil {}
            }
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = CryptoHTTPServer(
            world.settings, centre: world.centre, module: ModuleBridge(path: world.socket, lanes: 1),
            responder: world.server.responder, logger: pages.logger
        ) { port.yield($0) }
        let running = Task { try await server.run() }
        var open: Int?
        for await port in ports {
            open = port
            break
        }
        let http = try #require(open)
        let bodies = [
            #"{"key":"\#(World.macKey)","algorithm":"algorithm3","padding":"method1","data":"\#(data)","mac":"\#(mac)"}"#,
            #"{"key":"canteen/pos/mac","\#(World.master)":"\#(data)"}"#, World.macKey, "{\"\(mac)",
        ]
        for path in ["/v1/mac/verify", "/v1/tac/verify", "/v1/\(World.macKey)", "/metrics", "/statusz", "/readyz"] {
            for body in bodies {
                let head =
                    "POST \(path) HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \(token)\r\ncontent-type: application/json\r\n"
                    + "connection: close\r\nx-\(mac): \(World.master)\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
                try await RawClient.with(port: http) { client in
                    try await client.send(Array((head + body).utf8))
                    while try await client.reads.next(isolation: #isolation) != nil {}
                }
            }
        }
        _ = try await world.module.execute(SealModule())
        running.cancel()
        _ = try? await running.value
        await world.stop()
        let text = pages.text.uppercased()
        #expect(!text.isEmpty, "nothing was logged, so nothing was looked at")
        for secret in [World.macKey, World.master, mac, data, token] {
            #expect(!text.contains(secret.uppercased()), "\(secret) stands in the log")
        }
        let bytes = Hex.decode(data).map { String(decoding: $0, as: UTF8.self) } ?? ""
        #expect(!text.contains(bytes.uppercased()))
    }
}
