import CryptoClient
import Foundation
import HSMBridge
import Testing

/// Every error code that a client can bring about, by the message that does.
struct ErrorCodeTests {
    private static let block = String(repeating: "0", count: 80)

    static let rows: [(command: String, body: String, code: String)] = [
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
        // M0, M4, MS.
        ("M0", "0200FFFL15canteen/pos/mac0000", "02"), ("M0", "0000FFFL15canteen/pos/mac00G8", "06"),
        ("M0", "0000FFFL16canteen/pos/none0008abcdefgh", "21"), ("M2", "0020FFFL15canteen/pos/mac0008abcdefgh", "03"),
        ("M0", "0002FFFL15canteen/pos/mac0008abcdefgh", "04"), ("M0", "0000FFFL15canteen/pos/mac0008abcdefgh", "A6"),
        ("M4", "0009", "07"), ("M4", "000000FFFL15canteen/pos/mac001L15canteen/pos/mac0008abcdefgh", "08"),
        ("MS", "0000L15canteen/pos/mac0008abcdefgh", "27"),
        ("MS", "1010L15canteen/pos/mac0007abcdefg", "80"),
        // CW, KQ, A4, A0.
        ("CW", "L15canteen/pos/mac1234;2912101", "22"), ("CW", "L15canteen/pos/mac4123456789012345;2912101", "A6"),
        ("KQ", "00L15canteen/pos/mac12345678AT123400", "81"), ("KQ", "31L15canteen/pos/mac", "03"),
        ("A4", "1FFFS", "03"), ("A0", "0FFFS#M3T2C00N0x", "AB"), ("A0", "0FFFS#M3T2C00N01PB04", "AC"),
        ("A0", "1FFFS;0L16canteen/kek/bankR#M3T2Cc1N00", "A9"),
        ("A0", "1FFFS;0L16canteen/kek/bankR#D0A3B00E00", "BB"), ("M6", "10033FFFL15canteen/pos/mac0008abcdefgh", "09"),
        ("M6", "10333FFFL15canteen/pos/mac0008abcdefgh", "15"),
        ("A6", "FFFL16canteen/kek/bankX00112233445566778899AABBCCDDEEFFS#M3T3C00N00;123456", "A7"),
        ("A6", "FFFL16canteen/kek/bankX00112233445566778899AABBCCDDEEFFS#D0T3B00N00;123456", "A5"),
        // EW without a hash function, over a DigestInfo that says SHA-1: nobody signs with it any more.
        (
            "EW",
            "0401010035\u{30}\u{21}\u{30}\u{09}\u{06}\u{05}\u{2B}\u{0E}\u{03}\u{02}\u{1A}\u{05}\u{00}\u{04}\u{14}"
                + "ABCDEFGHIJKLMNOPQRST;99FFFFL19canteen/sign/report", "79"
        ),
        ("A6", "FFFL16canteen/kek/bankX00112233445566778899AABBCCDDEEFFS#D0T2B00N00;123456", "A6"),
        ("A6", "FFFL16canteen/kek/bankX00112233445566778899AABBCCDDEEFFS#K0T2B00N00;123456", "A6"),
        // Levels.
        ("YT", "L17canteen/purse/tac0", "21"), ("YT", "L17canteen/purse/tac5", "21"),
        ("YT", "L17canteen/purse/tacx", "15"),
    ]

    @Test(arguments: rows)
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

    /// Brought about by other tests: module away or sealed, rights, dates, states, frames, cryptograms, and the commands of RSA.
    private static let elsewhere: Set<String> = [
        "00", "11", "13", "29", "39", "41", "49", "51", "68", "74", "76", "78", "A1", "A3", "A4", "AE", "AF", "B5",
        "BE",
    ]

    @Test func `Every code is brought about by a test, or the page says why nothing does`() throws {
        let page = try ProtocolPage.text()
        let lines = page.split(separator: "\n").drop { !$0.hasPrefix("**Codes that no request brings about here**") }
        let never = lines.dropFirst().prefix { $0.hasPrefix("* ") }.flatMap { line in
            line.dropFirst(2).prefix { $0 != ":" }.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let given = Set(Self.rows.map(\.code)).union(Self.elsewhere)
        #expect(given.isDisjoint(with: never))
        #expect(given.union(never) == Set(HostErrorCode.allCases.map(\.rawValue)))
    }
}
