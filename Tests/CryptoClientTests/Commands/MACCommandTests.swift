import CryptoClient
import NIOCore
import Testing

@Suite struct MACCommandTests {
    private let key = "L13acme/pos/mac1"
    private func label() throws -> HostKeyReference { try .label("acme/pos/mac1") }

    @Test(arguments: HostMACMode.allCases, HostDataFormat.allCases)
    func `each mode and format is read as it was written`(_ mode: HostMACMode, _ format: HostDataFormat) throws {
        let fields = HostMACFields(
            mode: mode, size: .eightBytes, algorithm: .algorithm3, padding: .method2, key: try label(),
            chainingValue: mode.bringsChainingValue ? bytes("0B2E73F88DC5856A") : [],
            message: HostMACMessage(Array("Now is %09 \u{19}".utf8), format: format))
        let end = MessageEnd(lmkIdentifier: 7, trailer: ByteBuffer(string: "%00"))
        let made = try GenerateMACRequest.parse(GenerateMACRequest(fields).body(end: end))
        #expect(made.end == end)
        #expect(made.command.fields.mode == mode && made.command.fields.message.format == format)
        #expect(made.command.fields.chainingValue == fields.chainingValue)
        #expect(String(buffer: made.command.fields.message.content) == "Now is %09 \u{19}")
        #expect(made.command.fields.message.count == 12)
        let mac = try #require(HostMAC(bytes("A1C72E74EA3FA9B6")))
        let checked = try VerifyMACRequest.parse(VerifyMACRequest(fields, mac: mac).body(end: end))
        #expect(checked.command.mac?.bytes == mac.bytes && checked.end == end)
        #expect(String(buffer: checked.command.fields.message.content) == "Now is %09 \u{19}")
    }

    @Test func `hexadecimal length may count digits or bytes, whichever fits the frame`() throws {
        for (length, countsBytes) in [("0008", false), ("0004", true)] {
            for end in ["", "%01", "~", "%01~trailer"] {
                let wire = body("01011FFF\(key)\(length)ABCDEF12F9369211\(end)")
                let parsed = try VerifyMACRequest.parse(wire)
                #expect(parsed.command.fields.message.lengthCountsBytes == countsBytes)
                #expect(hex(parsed.command.fields.message.content) == "ABCDEF12")
                #expect(parsed.command.body(end: parsed.end) == wire)
            }
        }
    }

    @Test func `a length that no reading fits is a data length error`() {
        for length in ["0000", "0003", "0007", "0009", "0010", "FFFF"] {
            #expect(throws: FieldError(.dataLength, in: .data)) {
                try VerifyMACRequest.parse(body("01011FFF\(key)\(length)ABCDEF12F9369211"))
            }
        }
    }

    @Test func `a chaining value is one block of the key's cipher`() throws {
        let des = try GenerateMACRequest.parse(body("30031FFF\(key)0B2E73F88DC5856A0003abc"))
        #expect(des.command.fields.chainingValue == bytes("0B2E73F88DC5856A"))
        let wide = "000102030405060708090A0B0C0D0E0F"
        for algorithm in ["1", "6"] {
            let wire = body("300\(algorithm)1FFF\(key)\(wide)0003abc")
            let parsed = try GenerateMACRequest.parse(wire)
            #expect(parsed.command.fields.chainingValue == bytes(wide))
            #expect(parsed.command.body() == wire)
        }
        #expect(throws: FieldError(.inputData, in: .chainingValue)) {
            try GenerateMACRequest.parse(body("30031FFF\(key)0B2E73F88DC5856x0003abc"))
        }
    }

    @Test func `a part that is not the last may do without a MAC to check`() throws {
        let without = try VerifyMACRequest.parse(body("10031FFF\(key)0008Now is t"))
        #expect(without.command.mac == nil)
        let with = try VerifyMACRequest.parse(body("10031FFF\(key)0008Now is tA1C72E74"))
        #expect(with.command.mac?.bytes == bytes("A1C72E74"))
        #expect(throws: FieldError(.dataLength, in: .data)) {
            try VerifyMACRequest.parse(body("00031FFF\(key)0008Now is t"))
        }
    }

    @Test func `binary data that looks like an end is data`() throws {
        let data = bytes("41 25 30 31 19 19 25")
        let fields = HostMACFields(algorithm: .algorithm1, padding: .method1, key: try label(), message: .init(data))
        let parsed = try GenerateMACRequest.parse(GenerateMACRequest(fields).body())
        #expect(Array(parsed.command.fields.message.content.readableBytesView) == data)
        #expect(parsed.end == .none)
    }

    @Test(arguments: [
        ("4", 0, HostErrorCode.macModeFlag, FieldError.Field.mode), ("3", 1, .inputFormat, .inputFormat),
        ("3", 2, .inputData, .macSize), ("2", 3, .macAlgorithm, .macAlgorithm), ("4", 4, .paddingMethod, .padding),
        ("G", 5, .macKeyType, .keyType), ("Q", 8, .keyScheme, .key), ("x", 25, .messageLength, .length),
        ("9", 24, .dataLength, .data),
    ])
    func `each field has the code of the field`(
        _ character: String, _ offset: Int, _ code: HostErrorCode, _ field: FieldError.Field
    ) {
        var text = Array("00031FFF\(key)0003abc")
        text[offset] = Character(character)
        #expect(throws: FieldError(code, in: field)) { try GenerateMACRequest.parse(body(String(text))) }
    }

    @Test func `hexadecimal data is hexadecimal`() {
        #expect(throws: FieldError(.inputData, in: .data)) {
            try GenerateMACRequest.parse(body("01031FFF\(key)0004ABCG"))
        }
        #expect(throws: FieldError(.inputData, in: .data)) {
            try GenerateMACRequest.parse(body("01031FFF\(key)0003ABC"))
        }
    }

    @Test func `MACs have four or eight bytes`() {
        #expect(HostMAC([1, 2, 3])?.bytes == nil)
        #expect(HostMAC([0, 0, 0, 1, 2, 3, 4, 255])?.bytes == [0, 0, 0, 1, 2, 3, 4, 255])
    }
}
