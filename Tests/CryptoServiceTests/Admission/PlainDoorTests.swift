import CryptoClient
import KMS
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import CryptoService

/// Host commands without TLS: from where, and as whom.
@Suite struct PlainDoorTests {
    private let rules = ["192.0.2.0/24", "192.0.2.64/26=hall", "192.0.2.70=gate", "127.0.0.9=local"].map {
        PlainAddress($0)!
    }

    @Test(
        arguments: [
            ("192.0.2.1", "usual"), ("192.0.2.65", "hall"), ("192.0.2.70", "gate"), ("127.0.0.9", "local"),
            ("127.0.0.1", "usual"), ("::1", "usual"), ("198.51.100.1", nil), ("2001:db8::1", nil), ("10.0.0.1", nil),
        ] as [(String, String?)])
    func `the longest range decides, loopback is the usual client, and others are nobody`(
        address: String, client: String?
    ) throws {
        let source = try #require(SourceAddress(address))
        #expect(PlainAddress.client(at: source, rules, usual: "usual") == client)
        let loopback = source.isLoopback ? "usual" : nil
        #expect(PlainAddress.client(at: source, [], usual: "usual") == loopback)
    }

    @Test(arguments: ["", "=", "192.0.2.1=", "=pos", "192.0.2.1=a=b", "somewhere", "192.0.2.1/24=pos"])
    func `what is misspelt is no rule`(text: String) {
        #expect(PlainAddress(text) == nil)
    }

    /// A connection as the kernel would report it.
    private func channel(from address: String) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 4_711)
        return channel
    }

    @Test func `a connection from elsewhere is refused before a byte of it is read`() async throws {
        let world = try await World.make()
        for door in [ServiceDoor.tcp, .http] {
            for address in ["198.51.100.7", "10.0.0.1", "2001:db8::7", "0.0.0.0"] {
                #expect(throws: AdmissionRefusal.plainNotAllowed) {
                    try world.admission.enter(try channel(from: address), door)
                }
            }
            _ = try world.admission.enter(try channel(from: "127.0.0.5"), door)
            _ = try world.admission.enter(try channel(from: "::1"), door)
            #expect(throws: AdmissionRefusal.plainNotAllowed) {
                try world.admission.enter(EmbeddedChannel(), door)
            }
            let refused = world.admission.figures.first { $0.door == door && $0.outcome == "plainNotAllowed" }
            #expect(refused?.count == 4)
        }
        await world.stop()
    }

    @Test func `a plain port on another address than loopback needs a list of who may come`() async throws {
        await #expect(throws: CryptoServerError.notLoopback("0.0.0.0")) {
            _ = try await World.make { $0.host = "0.0.0.0" }
        }
        let world = try await World.make {
            $0.host = "0.0.0.0"
            $0.plainAddresses = [PlainAddress("192.0.2.7")!]
        }
        #expect(world.port > 0)
        await world.stop()
    }

    @Test func `the address decides which client a plain connection is`() async throws {
        let world = try await World.make { $0.plainAddresses = [PlainAddress("127.0.0.9=gate")!] }
        try await world.centre.createClientWithoutToken("gate", description: "", by: World.conf)
        // N0, eight random bytes: needs a grant that `host-port` has and `gate` has not.
        let random = Array("0001N0008".utf8)
        func answer(from address: String) async throws -> String? {
            let channel = try await World.clients
                .bind(to: try SocketAddress(ipAddress: address, port: 0))
                .connect(host: "127.0.0.1", port: world.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            return try await channel.executeThenClose { inbound, outbound in
                do {
                    try await outbound.write(ByteBuffer(bytes: [0, UInt8(random.count)] + random))
                    var stream = HostFrameStream()
                    for try await read in inbound {
                        stream.receive(read)
                        if let frame = try stream.next() {
                            return frame.body.getString(at: frame.body.readerIndex, length: 2)
                        }
                    }
                } catch ChannelError.ioOnClosedChannel {
                    // The server was faster with closing than the client with writing.
                } catch is IOError {
                    // A byte that comes after the close is answered with a reset.
                }
                return nil
            }
        }
        #expect(try await answer(from: "127.0.0.1") == "00")
        #expect(try await answer(from: "127.0.0.9") == "29")
        try await world.centre.restrict("gate", to: [AddressRange("192.0.2.0/24")!], by: World.conf)
        #expect(try await answer(from: "127.0.0.9") == nil)
        #expect(try await answer(from: "127.0.0.1") == "00")
        await world.stop()
    }
}
