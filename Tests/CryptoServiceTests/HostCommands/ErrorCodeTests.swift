import CryptoClient
import HSMBridge
import Testing

/// Every error code that a client can bring about, by the message that does.
struct ErrorCodeTests {
    private static let block = String(repeating: "0", count: 80)

    @Test(arguments: [
        ("ZZ", "", "67"), ("A1", "", "67"),
        ("B2", "0005ab", "80"), ("B2", "0002abc", "80"), ("B2", "00x2ab", "15"),
        ("N0", "000", "01"), ("N0", "257", "01"), ("N0", "0x8", "15"),
        ("NC", "extra", "80"), ("NC", "%07", "13"),
        // Labels: none of this name; none that could be; another's product.
        ("BU", "FFFL18canteen/pos/nobody;001", "21"), ("BU", "FFFL18canteen/pos/m~cnow;001", "21"),
        ("BU", "FFFL18canteen/closed/mac;001", "29"), ("BU", "FFFL18canteen/pos/mac/99", "21"),
        // Key forms.
        ("BU", "FFFU00112233445566778899AABBCCDDEEFF;001", "26"), ("BU", "FFFQ", "26"),
        ("BU", "FFFSD0112M3T", "83"), ("BU", "FFFSX0112M3TC00N0000", "83"),
        ("BU", "00FL15canteen/pos/mac;001", "04"), ("BU", "FF1L15canteen/pos/mac;002;001", "05"),
        // M6: mode, format, size, algorithm, padding, key type, length, usage.
        ("M6", "900311FFFL15canteen/pos/mac0008ABCDEFGH", "02"),
        ("M6", "090311FFFL15canteen/pos/mac0008ABCDEFGH", "03"),
        ("M6", "009311FFFL15canteen/pos/mac0008ABCDEFGH", "15"),
        ("M6", "000911FFFL15canteen/pos/mac0008ABCDEFGH", "04"),
        ("M6", "00039FFFL15canteen/pos/mac0008ABCDEFGH", "09"), ("M6", "00031FF0L15canteen/pos/mac0008ABCDEFGH", "05"),
        ("M6", "00031FFFL15canteen/pos/mac00G8ABCDEFGH", "06"), ("M6", "00031FFFL15canteen/pos/mac0009ABCDEFGH", "80"),
        ("M6", "00030FFFL15canteen/pos/mac0007ABCDEFG", "80"), ("M6", "00031FFFL16canteen/kek/bank0008ABCDEFGH", "A6"),
        ("M6", "00011FFFL15canteen/pos/mac0008ABCDEFGH", "A6"), ("M6", "00031FFFRD0112", "83"),
        // A0, A6, A8.
        ("A0", "0001S#M3T2C00N00", "28"), ("A0", "0FFFU#M3T2C00N00", "26"), ("A0", "0FFFS#99T2C00N00", "A6"),
        ("A0", "0FFFS#M3Q2C00N00", "A7"), ("A0", "0FFFS#M3T2?00N00", "A8"), ("A0", "0FFFS#M3T2C00X00", "AA"),
        ("A0", "0FFFS#M3T2C00N0110040000", "80"), ("A0", "0FFFS#M3T2X00N00", "BD"),
        ("A6", "FFFL16canteen/kek/bankX00112233445566778899AABBCCDDEEFFS#M3T2C00N00", "82"),
        ("A6", "FFFL16canteen/kek/bankX00112233445566778899AABBCCDDEEFFS#M3T2C00N00;123456", "84"),
        ("A6", "FFFL15canteen/pos/macX00112233445566778899AABBCCDDEEFFS#M3T2C00N00;123456", "A6"),
        ("A8", "FFFL16canteen/kek/bankL15canteen/pos/macS", "26"),
        // Levels.
        ("YT", "L17canteen/purse/tac0", "21"), ("YT", "L17canteen/purse/tac5", "21"),
        ("YT", "L17canteen/purse/tacx", "15"),
    ])
    func `A request that cannot be carried out is answered with the field's own code`(
        command: String, body: String, code: String
    ) async throws {
        let connection = try await World.shared.value.connect()
        let reply = try await connection.send(command: command, body: Array(body.utf8))
        #expect(reply.error.rawValue == code)
        #expect(reply.bytes.isEmpty)
        #expect(try await connection.run(EchoRequest([1])).bytes == [1])
        await connection.close()
    }

    @Test func `A block with a changed character does not open`() async throws {
        let world = try await World.shared.value
        let connection = try await world.connect()
        let attributes = try HostKeyAttributes(usage: "M3", algorithm: "T2", modeOfUse: "C", exportability: "N")
        let made = try await connection.run(GenerateKeyRequest(attributes: attributes))
        var block = try #require(made.key.block)
        // The mode of use: generate and verify becomes verify only.
        block[8] = UInt8(ascii: "V")
        let changed = try HostKeyReference.lmkBlock(String(decoding: block, as: UTF8.self))
        await #expect(throws: CryptoClientError.refused(.keyBlockAuthentication)) {
            try await connection.run(CheckValueRequest(key: changed))
        }
        await connection.close()
    }

    @Test func `Another's key is refused in another mode of use`() async throws {
        let connection = try await World.shared.value.connect()
        let attributes = try HostKeyAttributes(usage: "M3", algorithm: "T2", modeOfUse: "V", exportability: "N")
        let verifying = try await connection.run(GenerateKeyRequest(attributes: attributes)).key
        let fields = HostMACFields(
            algorithm: .algorithm3, padding: .method1, key: verifying, message: HostMACMessage([1, 2, 3]))
        await #expect(throws: CryptoClientError.refused(.modeOfUse)) {
            try await connection.run(GenerateMACRequest(fields))
        }
        await #expect(throws: CryptoClientError.refused(.exportability)) {
            try await connection.run(
                ExportKeyRequest(transportKey: CommandTests.label("canteen/kek/bank"), key: verifying))
        }
        await connection.close()
    }
}
