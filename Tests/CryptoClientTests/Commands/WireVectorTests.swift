import CryptoClient
import NIOCore
import Testing

/// Messages of a production codec (source in each line of the vector file), in both directions.
@Suite struct WireVectorTests {
    /// Samples that are not well formed, and why (docs/protocol.md §9).
    static let malformed: [String: String] = [
        "wire.A6.rsp.7": "ends before its error code"
    ]

    @Test func `the vector file is all there`() {
        #expect(WireMessage.all.count == 135)
        #expect(WireMessage.all.filter { WireMessage.notOurs[$0.command] != nil }.count == 6)
    }

    @Test(arguments: WireMessage.all)
    func `every sample is a frame with its header and code`(_ sample: WireMessage) throws {
        var stream = HostFrameStream()
        stream.receive(sample.framed)
        let frame = try #require(try stream.next())
        #expect(try stream.next() == nil)
        #expect(hex(frame.header) == String(sample.message.prefix(8)))
        #expect(frame.body == sample.body)
        let command = try #require(HostCommandCode(sample.command))
        #expect(frame.command == (sample.kind == "request" ? command : command.reply))
        var again = ByteBuffer()
        try frame.write(into: &again)
        #expect(again == sample.framed)
    }

    @Test(arguments: WireMessage.all.filter { $0.kind == "response" })
    func `every answer has an error code of the closed set`(_ sample: WireMessage) throws {
        let frame = try frame(sample)
        guard Self.malformed[sample.id] == nil else {
            #expect(throws: FieldError(.inputData, in: .header)) { try HostReply(frame) }
            return
        }
        #expect(try hex(HostReply(frame).body) == String(sample.message.dropFirst(16)))
    }

    @Test(arguments: WireMessage.all.filter { $0.kind == "request" && $0.isOurs })
    func `requests of ours are read and written back byte for byte`(_ sample: WireMessage) throws {
        let (request, end) = try HostRequest.parse(try frame(sample))
        #expect(hex(request.command.body(end: end)) == hex(sample.body))
    }

    @Test(arguments: WireMessage.all.filter { $0.kind == "request" && !$0.isOurs })
    func `requests of others are refused as unknown`(_ sample: WireMessage) throws {
        let frame = try frame(sample)
        #expect(throws: FieldError(.commandNotLicensed, in: .command)) { try HostRequest.parse(frame) }
    }

    @Test(
        arguments: WireMessage.all.filter {
            $0.kind == "response" && $0.isOurs && malformed[$0.id] == nil
        })
    func `answers of ours are read and written back byte for byte`(_ sample: WireMessage) throws {
        let reply = try HostReply(try frame(sample))
        guard reply.error == .noError else {
            #expect(reply.body.readableBytes == 0)
            return
        }
        let again = try #require(try rewriteReply(reply.command, reply.body))
        #expect(hex(again) == hex(reply.body))
    }

    @Test func `fields land where the codec that sent them says`() throws {
        guard case .generateKey(let a0) = try request("wire.A0.req.3") else { throw Missing() }
        #expect(a0.transport?.hasDelimiter == false && a0.transport?.isTerminalKey == false)
        #expect(a0.transport?.key.form == .lmkBlock && a0.transport?.scheme == .keyBlock)
        #expect(a0.attributes?.usage == "K0" && a0.attributes?.algorithm == "T2" && a0.attributes?.exportability == "E")
        guard case .verifyMAC(let m8) = try request("wire.M8.req.2") else { throw Missing() }
        #expect(hex(m8.fields.message.content) == "ABCDEF12")
        #expect(m8.fields.message.lengthCountsBytes == false && m8.mac?.bytes == bytes("F9369211"))
        guard case .checkValue(let bu) = try request("wire.BU.req.2") else { throw Missing() }
        #expect(bu.keyTypeCode == 2 && bu.keyType == nil && bu.digits == .six)
        guard case .exportKey(let a8) = try request("wire.A8.req.2") else { throw Missing() }
        #expect(a8.exportability == "N" && a8.transportKey.form == .lmkBlock)
    }

    @Test func `an RSA pair, a signature and a hash are what the codec says`() throws {
        guard case .generateKeyPair(let ei) = try request("wire.EI.req.1") else { throw Missing() }
        #expect(ei.use == .keyManagement && ei.bits == 2_048 && ei.encoding == .unsigned && ei.exponent == nil)
        #expect(ei.options?.version == "00" && ei.options?.exportability == "N")
        guard case .sign(let ew) = try request("wire.EW.req.1") else { throw Missing() }
        #expect(ew.method == SignatureMethod() && ew.data == ByteBuffer(bytes: bytes("ABCBAB")))
        #expect(ew.key.form == .lmkBlock && ew.key.text.readableBytes == 688)
        guard case .hash(let gm) = try request("wire.GM.req.1") else { throw Missing() }
        #expect(gm.hash == .sha1 && gm.data == ByteBuffer(string: "some data to hash"))
        let pair = try KeyPairReply.parse(try HostReply(try frame(sample("wire.EI.rsp.1"))).body)
        #expect(pair.publicKey.bits == 2_048 && pair.publicKey.exponent == [1, 0, 1])
        #expect(pair.publicKey.encoding == .unsigned)
        let old = try KeyPairReply.parse(try HostReply(try frame(sample("wire.EI.rsp.0"))).body)
        guard case .variant(let bytes) = old.privateKey else { throw Missing() }
        #expect(bytes.readableBytes == 656)
        let signature = try SignatureReply.parse(try HostReply(try frame(sample("wire.EW.rsp.0"))).body)
        #expect(signature.bytes.count == 256)
    }

    private func sample(_ id: String) throws -> WireMessage {
        try #require(WireMessage.all.first { $0.id == id })
    }

    private struct Missing: Error {}

    private func frame(_ sample: WireMessage) throws -> HostFrame {
        var stream = HostFrameStream()
        stream.receive(sample.framed)
        return try #require(try stream.next())
    }

    private func request(_ id: String) throws -> HostRequest {
        try HostRequest.parse(try frame(try #require(WireMessage.all.first { $0.id == id }))).request
    }
}
