import CryptoClient
import HSMBridge
import NIOCore
import Testing

/// GM, EI, EO, EW and EY at the port.
struct RSACommandTests {
    /// One pair for the tests that need no other: making one takes its time.
    private static let pair = Task {
        let connection = try await World.shared.value.connect()
        let pair = try await connection.run(GenerateKeyPairRequest(encoding: .unsigned))
        await connection.close()
        return pair
    }

    private static func privateKey() async throws -> HostKeyReference {
        guard case .block(let key) = try await pair.value.privateKey else {
            throw FieldError(.privateKeyLength, in: .key)
        }
        return key
    }

    private func isRight(_ request: VerifySignatureRequest, _ connection: CryptoConnection) async throws -> Bool {
        do {
            _ = try await connection.run(request)
            return true
        } catch CryptoClientError.refused(.signatureInvalid) {
            return false
        }
    }

    @Test
    func `A pair made by EI signs by EW; EO takes its public key and EY agrees, and disagrees where a bit is wrong`()
        async throws
    {
        let connection = try await World.shared.value.connect()
        let pair = try await Self.pair.value
        #expect(pair.publicKey.bits == 2_048 && pair.publicKey.encoding == .unsigned)
        let imported = try await connection.run(ImportPublicKeyRequest(pair.publicKey)).key
        let message = Array("settlement of 2026-11-23".utf8)
        for padding in HostSignaturePadding.allCases {
            for hash in [HostHash.sha224, .sha256, .sha384, .sha512] {
                let method = SignatureMethod(hash: hash, padding: padding)
                var signature = try await connection.run(
                    SignRequest(method, data: message, key: Self.privateKey())
                ).bytes
                #expect(signature.count == 256)
                for key in [imported, try await Self.privateKey()] {
                    let request = try VerifySignatureRequest(method, signature: signature, data: message, key: key)
                    #expect(try await isRight(request, connection))
                }
                signature[255] ^= 0x10
                let wrong = try VerifySignatureRequest(method, signature: signature, data: message, key: imported)
                #expect(try await !isRight(wrong, connection))
            }
        }
        await connection.close()
    }

    @Test func `The page's public key and signature belong together`() async throws {
        let world = try await World.shared.value
        let page = try #require(ProtocolPage.shared)
        let request = try #require(page.messages["EO request"])
        let answer = try #require(
            try await RawClient.with(port: world.port) { client in
                try await client.send(request)
                return try await client.frame()
            })
        #expect(Array(answer[2..<10]) == Array("0015EP00".utf8))
        let key = try HostKeyReference(parsing: String(decoding: answer[10...], as: UTF8.self))
        let signed = try #require(page.messages["EW answer"])
        let connection = try await world.connect()
        let check = try VerifySignatureRequest(
            SignatureMethod(), signature: Array(signed[14...]), data: Array("settlement of 2026-11-23".utf8), key: key)
        #expect(try await isRight(check, connection))
        await connection.close()
    }

    @Test func `A stored key signs by its label, for those to whom it was granted`() async throws {
        let connection = try await World.shared.value.connect()
        let label = CommandTests.label("canteen/sign/report")
        let request = try SignRequest(SignatureMethod(), data: [1, 2, 3], key: label)
        let signature = try await connection.run(request).bytes
        let check = try VerifySignatureRequest(SignatureMethod(), signature: signature, data: [1, 2, 3], key: label)
        #expect(try await isRight(check, connection))
        await #expect(throws: CryptoClientError.refused(.functionNotPermitted)) {
            try await connection.run(
                SignRequest(SignatureMethod(), data: [], key: CommandTests.label("canteen/closed/mac")))
        }
        await connection.close()
    }

    @Test(arguments: HostHash.allCases.filter { $0 != .none }) func `GM hashes as the module does, short and long`(
        _ hash: HostHash
    ) async throws {
        let world = try await World.shared.value
        let connection = try await world.connect()
        let algorithms: [HostHash: HashAlgorithm] = [
            .sha1: .sha1, .md5: .md5, .sha224: .sha224, .sha256: .sha256, .sha384: .sha384, .sha512: .sha512,
            .sm3: .sm3,
        ]
        let algorithm = try #require(algorithms[hash])
        for count in [0, 17, 60_000] {
            let data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let digest = try await connection.run(HashRequest(hash, data: data)).bytes
            let expected = try await world.module.execute(HSMBridge.Hash(algorithm: algorithm, data: data)).bytes
            #expect(digest == expected)
        }
        await connection.close()
    }

    @Test(arguments: [("wire.GM.req.0", ""), ("wire.GM.req.1", "3D22CA807AD75C9FF3CA07C4E6C396B7D99F7206")])
    func `The samples' hashes are what the samples' module answered`(_ id: String, _ digest: String) async throws {
        let world = try await World.shared.value
        let request = try #require(WireSample.message(id))
        let answer = try #require(
            try await RawClient.with(port: world.port) { client in
                try await client.send([UInt8(request.count >> 8), UInt8(request.count & 255)] + request)
                return try await client.frame()
            })
        #expect(Array(answer[6..<10]) == Array("GN00".utf8))
        #expect(answer.count - 10 == (digest.isEmpty ? 32 : 20))
        if !digest.isEmpty { #expect(Hex.encode(Array(answer[10...])) == digest) }
    }

    @Test func `While pairs are made, other connections and other commands go on, and each connection keeps its order`()
        async throws
    {
        let world = try await World.shared.value
        let other = try await world.connect()
        let order = OrderOfAnswers()
        // Made before, or it would itself wait behind the pair below: they are made one at a time.
        let key = try await Self.privateKey()
        try await withThrowingTaskGroup(of: Void.self) { group in
            // One at a time, so that the last has not begun when the first is made, however busy the machine is.
            for _ in 0..<4 {
                let making = try await world.connect()
                group.addTask {
                    _ = try await making.run(GenerateKeyPairRequest(bits: 4_096))
                    await order.add("pair")
                    await making.close()
                }
            }
            // Behind them on another connection: everything that is not a pair.
            for _ in 0..<3 {
                let echo = try await other.run(EchoRequest([7]))
                #expect(echo.bytes == [7])
                _ = try await other.run(DiagnosticsRequest())
                _ = try await other.run(SignRequest(SignatureMethod(), data: [1], key: key))
            }
            await order.add("others")
            try await group.waitForAll()
        }
        #expect(await order.names.last == "pair")
        #expect(await order.names.count == 5)
        // On one connection the echo behind a signature comes after it, though it needs no module.
        let frames = [SignRequest.code: try SignRequest(SignatureMethod(), data: [1], key: key).body()]
        let sign = try #require(frames[SignRequest.code])
        var wire = ByteBuffer()
        try HostFrame(header: ByteBuffer(string: "0001"), command: .sign, body: sign).write(into: &wire)
        try HostFrame(header: ByteBuffer(string: "0002"), command: .echo, body: EchoRequest([1]).body()).write(
            into: &wire)
        let bytes = Array(wire.readableBytesView)
        let headers = try await RawClient.with(port: world.port) { client in
            try await client.send(bytes)
            let first = try await client.frame()
            return [first, try await client.frame()].map { $0.map { Array($0[2..<6]) } }
        }
        #expect(headers == [Array("0001".utf8), Array("0002".utf8)])
        await other.close()
    }

    @Test(arguments: [
        ("EI", "1204801#0000", "04"), ("EI", "0102401#0000", "76"), ("EI", "0204401#0000", "76"),
        ("EI", "0409702#0000", "76"), ("EI", "0204801#0000&E", "AA"), ("EI", "0204802#00011206AB", "AC"),
        ("EI", "02048020005\u{11}", "15"), ("GM", "0400001A", "05"),
        ("EW", "0101010001A;99FFFFL19canteen/sign/report", "05"),
        ("EW", "0201010001A;99FFFFL19canteen/sign/report", "05"),
        ("EW", "M301010001A;99FFFFL19canteen/sign/report", "05"),
        ("EW", "0401010001A;99FFFFL19canteen/sign/report", "74"),
        ("EW", "0401040001A;99FFFFL19canteen/sign/report", "07"), ("EW", "0601010001A;99FFFFL15canteen/pos/mac", "A6"),
        ("EW", "0601010001A;99FFFFS00016S0RS00N0000", "83"),
        ("EW", "0601010001A;99FFFFU00112233445566778899AABBCCDDEEFF", "26"),
        ("EW", "0601010001A;99FFFFL19canteen/sign/nobody", "21"),
        ("EY", "0201010001A;0001A;L19canteen/sign/report", "05"),
        ("EY", "0601010001A;0001A;L19canteen/sign/report", "02"), ("EY", "0601010001A;0001A;L15canteen/pos/mac", "A6"),
        ("NO", "02", "15"), ("J6", "", "67"),
    ])
    func `A request that cannot be carried out has the field's own code`(
        _ command: String, _ body: String, _ code: String
    ) async throws {
        let connection = try await World.shared.value.connect()
        let reply = try await connection.send(command: command, body: Array(body.utf8))
        #expect(reply.error.rawValue == code)
        #expect(reply.bytes.isEmpty)
        await connection.close()
    }

    @Test func `EO refuses what it cannot vouch for`() async throws {
        let connection = try await World.shared.value.connect()
        let key = try await Self.pair.value.publicKey
        func code(_ request: ImportPublicKeyRequest) async throws -> String {
            let body = Array(request.body().readableBytesView)
            return try await connection.send(command: "EO", body: body).error.rawValue
        }
        var variant = ImportPublicKeyRequest(key)
        variant.attributes = nil
        #expect(try await code(variant) == "A1")
        #expect(try await code(ImportPublicKeyRequest(key, attributes: .init(modeOfUse: "N"))) == "A8")
        #expect(
            try await code(ImportPublicKeyRequest(key, attributes: .init(version: "99", exportability: "S"))) == "00")
        let short = try HostPublicKey(modulus: Array(key.modulus.prefix(127)) + [1], exponent: [1, 0, 1])
        #expect(try await code(ImportPublicKeyRequest(short)) == "00")
        let tooShort = try HostPublicKey(modulus: Array(key.modulus.prefix(127)), exponent: [1, 0, 1])
        #expect(try await code(ImportPublicKeyRequest(tooShort)) == "76")
        let even = try HostPublicKey(modulus: Array(key.modulus.prefix(255)) + [2], exponent: [1, 0, 1])
        #expect(try await code(ImportPublicKeyRequest(even)) == "15")
        await connection.close()
    }
}

/// What came when.
private actor OrderOfAnswers {
    var names: [String] = []
    func add(_ name: String) { names.append(name) }
}
