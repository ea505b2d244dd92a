import CryptoClient
import NIOCore
import Testing

@Suite struct PublicKeyTests {
    /// The public key of the protocol page's EO example, made with `openssl rsa -RSAPublicKey_out`.
    private static func example() throws -> ImportPublicKeyRequest {
        let bytes = try #require(ProtocolPage.messages.first { $0.title == "EO request" }).bytes
        var stream = HostFrameStream()
        stream.receive(ByteBuffer(bytes: bytes))
        guard case .importPublicKey(let request) = try HostRequest.parse(try #require(try stream.next())).request else {
            throw FieldError(.inputData, in: .publicKey)
        }
        return request
    }

    @Test func `one key is written unsigned or as DER, and as a SubjectPublicKeyInfo`() throws {
        let key = try Self.example().publicKey
        #expect(key.bits == 2_048 && key.exponent == [1, 0, 1])
        let unsigned = try HostPublicKey(modulus: key.modulus, exponent: key.exponent, encoding: .unsigned)
        let lengths = [key, unsigned].map { ImportPublicKeyRequest($0).body().readableBytes }
        #expect(lengths == [2 + 270 + 1 + 7, 2 + 269 + 1 + 7])
        let info = key.subjectPublicKeyInfo
        #expect(info.count == 294)
        #expect(try HostPublicKey(subjectPublicKeyInfo: info) == key)
        #expect(throws: FieldError.self) { try HostPublicKey(subjectPublicKeyInfo: Array(info.dropLast())) }
        #expect(throws: FieldError.self) { try HostPublicKey(subjectPublicKeyInfo: info + [0]) }
    }

    @Test(arguments: ["01", "02"]) func `an example under either encoding is written as it was read`(
        _ encoding: String
    ) throws {
        let key = try Self.example().publicKey
        let kind = try #require(HostPublicKey.Encoding(rawValue: encoding))
        let body = ImportPublicKeyRequest(
            try HostPublicKey(modulus: key.modulus, exponent: key.exponent, encoding: kind)
        ).body()
        let (request, end) = try ImportPublicKeyRequest.parse(body)
        #expect(request.body(end: end) == body)
        #expect(request.publicKey.modulus == key.modulus)
    }

    @Test func `real DER under 01 is taken as it is`() throws {
        var body = ByteBuffer(string: "01")
        var der = ImportPublicKeyRequest(try Self.example().publicKey).body()
        der.moveReaderIndex(forwardBy: 2)
        body.writeImmutableBuffer(der)
        let (request, end) = try ImportPublicKeyRequest.parse(body)
        #expect(request.body(end: end) == body)
    }

    /// Offsets into the DER: of the sequence and of the modulus the tag and the length.
    @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 7]) func `a key with a changed tag, length or zero is none`(_ offset: Int)
        throws
    {
        var bytes = Array(ImportPublicKeyRequest(try Self.example().publicKey).body().readableBytesView)
        bytes[2 + offset] ^= 0x41
        #expect(throws: FieldError.self) { try ImportPublicKeyRequest.parse(ByteBuffer(bytes: bytes)) }
    }

    @Test func `lengths that need no second byte have none`() throws {
        // 82 00 80 where 81 80 would do.
        let number = [UInt8](repeating: 0x5A, count: 128)
        let inner = [0x02, 0x82, 0x00, 0x80] + number + [0x02, 0x01, 0x03]
        let der: [UInt8] = [0x30, 0x81, UInt8(inner.count)] + inner
        var body = ByteBuffer(string: "02")
        body.writeBytes(der)
        #expect(throws: FieldError(.publicKeyLength, in: .publicKey)) { try ImportPublicKeyRequest.parse(body) }
    }

    @Test func `an exponent in EI is as long as it says`() throws {
        for exponent in [[3], [1, 0, 1], [0x80]] as [[UInt8]] {
            let request = GenerateKeyPairRequest(use: .both, bits: 3_072, exponent: exponent, options: nil)
            let (read, end) = try GenerateKeyPairRequest.parse(request.body())
            #expect(read.exponent == exponent && read.use == .both && read.bits == 3_072)
            #expect(read.body(end: end) == request.body())
        }
    }
}
