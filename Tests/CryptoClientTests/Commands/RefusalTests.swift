import CryptoClient
import NIOCore
import Testing

/// One purchase entry of YB under a key.
private let entry = "L05a/b/c0P0001" + String(repeating: "x", count: 34)

@Suite struct RefusalTests {
    @Test(arguments: [
        ("NC", "0", HostErrorCode.dataLength), ("NC", "%0", .lmkIdentifier), ("NC", "%AA", .lmkIdentifier),
        ("NC", "%01%01", .dataLength), ("NC", "~" + String(repeating: "x", count: 33), .dataLength),
        ("NC", "~x%01", .noError), ("B2", "", .inputData), ("B2", "00G1A", .inputData), ("B2", "0002A", .dataLength),
        ("B2", "0001AB", .dataLength), ("N0", "000", .randomValueLength), ("N0", "257", .randomValueLength),
        ("N0", "08", .inputData), ("N0", "-08", .inputData), ("BU", "GG", .keyTypeCode), ("BU", "FF3", .keyLengthFlag),
        ("BU", "FF1Z0123456789ABCDEF", .keyType), ("BU", "FF1Z0123456789ABCDEF;00G", .keyType),
        ("BU", "FFFL05a/b/c;00", .keyType), ("BU", "FFFL05a/b/c;002", .inputData),
        ("BU", "021Z0123456789ABCDEF;012", .inputData),
        ("A0", "2FFFS", .inputData), ("A0", "0FGFS", .keyType), ("A0", "0FFFQ", .keyScheme),
        ("A0", "1FFFS;2", .inputData),
        ("A0", "1FFFS;0Q", .keyScheme), ("A0", "1FFFS;0L05a/b/c", .keyScheme), ("A0", "0FFFS#", .keyUsage),
        ("A0", "0FFFSx", .dataLength), ("A6", "FFFL05a/b/cL05a/b/cS;12345", .checkValueLength),
        ("A6", "FFFL05a/b/cSD0016", .keyBlockFormat), ("A8", "FFFL05a/b/cL05a/b/cR&Q", .exportability),
        ("A8", "FFFL05a/b/cL05a/b/c", .keyScheme), ("YL", "L05a/b/c0", .indexValue), ("YL", "L05a/b/c5", .indexValue),
        ("YL", "L05a/b/cx", .inputData), ("YL", "L05a/b/c1", .inputData), ("YT", "L05a/b/c112345678Q", .inputData),
        ("YB", "L05a/b/c4", .indexValue), ("YB", "L05a/b/c0P0000", .indexValue), ("YB", "L05a/b/c0P1537", .indexValue),
        ("YB", "L05a/b/c0P0001xx", .dataLength), ("YD", "L05a/b/c112345678U", .keyScheme),
        ("GM", "0300001A", .hashIdentifier), ("GM", "0600002A", .dataLength), ("GM", "060000", .inputData),
        ("GM", "0600001AB", .dataLength), ("EI", "6204801", .keyTypeCode), ("EI", "0031901", .publicKeyLength),
        ("EI", "0204803", .publicKeyEncoding), ("EI", "020480100", .inputData), ("EI", "02048010001\u{1}", .inputData),
        ("EI", "02048010002\u{1}", .inputData), ("EI", "0204801#0", .keyVersion),
        ("EI", "0204801#00", .optionalBlockCount),
        ("EI", "0204801#0000&Q", .exportability), ("EI", "0204801&N", .dataLength), ("EO", "0130", .publicKeyLength),
        ("EO", "01", .publicKeyLength), ("EO", "03", .publicKeyEncoding), ("EW", "03", .hashIdentifier),
        ("EW", "0602", .signatureIdentifier), ("EW", "060102", .padModeIdentifier), ("EW", "060101000G", .inputData),
        ("EW", "0601010002A", .dataLength), ("EW", "0601010001A:", .dataLength), ("EW", "0601010001A;01", .privateKey),
        ("EW", "0601010001A;990005KEYID", .privateKeyLength), ("EW", "0601010001A;99FFFE", .privateKeyLength),
        ("EW", "0601010001A;99FFFFQ", .keyScheme), ("EW", "0601010001A;99FFFFS00015", .keyBlockFormat),
        ("EY", "0601010001A;0001B", .dataLength), ("EY", "0601010001A;0001B;", .inputData), ("NO", "02", .inputData),
        ("J2", "0", .dataLength), ("JK", "00", .dataLength), ("YB", entry + ";1000100000", .indexValue),
        ("YB", entry + ";0000100001", .indexValue), ("YB", entry + ";1000009999~x%01", .noError),
        ("YB", entry + ";10000", .inputData), ("M0", "02", .keyLengthForAlgorithm), ("M0", "003", .inputFormat),
        ("M0", "0003", .outputFormat), ("M0", "0000GGG", .keyLengthFlag), ("M0", "0000FFFL05a/b/c0G00", .messageLength),
        ("M0", "0000FFFL05a/b/c0009abcdefgh", .dataLength), ("M0", "0010FFFL05a/b/c0002GG", .inputData),
        ("M0", "0100FFFL05a/b/c00112233445566770008abcdefgh~x%01", .noError),
        ("M0", "0100FFFL05a/b/cGG112233445566770008abcdefgh", .inputData), ("M4", "0002", .destinationMode),
        ("M4", "000000FFFL05a/b/cXXX", .destinationKeyType), ("MS", "4", .keyLengthFlag), ("MS", "02", .keyTypeCode),
        ("MS", "002", .messageLength), ("MS", "0012", .inputFormat),
        ("CW", "L05a/b/c12345678901;2912101", .accountNumber),
        ("CW", "L05a/b/c12345678901234567890;2912101", .accountNumber),
        ("CW", "L05a/b/c4123456789012345;29121", .inputData),
        ("CW", "L05a/b/c4123456789012345:2912101", .inputData),
        ("CY", "L05a/b/c12A4123456789012345;2912101", .inputData),
        ("KQ", "5", .keyTypeCode), ("KQ", "02", .keyLengthFlag), ("KQ", "31", .inputFormat),
        ("KQ", "00L05a/b/c12345678AT1234", .dataLength), ("KQ", "00L05a/b/c12345678AT123400", .noTransactionData),
        ("KQ", "00L05a/b/c12345678AT123403abcd", .dataLength),
        ("KQ", "00L05a/b/c12345678AT123403abc;1234567", .inputData),
        ("KQ", "30L05a/b/cL05a/b/c12345678AT123403abc;12345678MAC400", .checkValueLength),
        ("KW", "5", .keyTypeCode), ("KW", "00", .keyLengthFlag), ("KW", "03L05a/b/c12", .accountNumber),
        ("KW", "03L05a/b/c01a:", .inputData), ("KW", "42L05a/b/c12345678AT12345678CSU 9", .inputData),
        ("YV", "L05a/b/cC", .keyTypeCode), ("YV", "L05a/b/cAX", .keyLengthFlag), ("YV", "L05a/b/cAP3", .paddingMethod),
        ("YV", "L05a/b/cAP200", .accountNumber), ("YV", "L05a/b/cAP201X", .inputData),
        ("YV", "L05a/b/cAP201100ATUNPR5", .keyLengthForAlgorithm), ("YV", "L05a/b/cAP201100ATUNPR00000", .dataLength),
        ("YI", "L05a/b/c1123456783", .keyTypeCode), ("YI", "L05a/b/c11234567812", .keyLengthForAlgorithm),
        ("YI", "L05a/b/c11234567810HEAD05", .dataLength), ("YI", "L05a/b/c11234567810HEAD04RAND0G", .messageLength),
        ("Y0", "Z", .macAlgorithm), ("Y0", "EL05a/b/c0002a", .dataLength), ("Y2", "EL05a/b/c1234567", .inputData),
        ("ZZ", "", .commandNotLicensed),
        ("~~", "", .commandNotLicensed),
    ])
    func `a wrong request gets the code of its wrong field`(
        _ command: String, _ text: String, _ code: HostErrorCode
    ) throws {
        let frame = try frame(command, body(text))
        guard code != .noError else {
            #expect(try HostRequest.parse(frame).end.trailer == ByteBuffer(string: "x%01"))
            return
        }
        do {
            _ = try HostRequest.parse(frame)
            Issue.record("taken")
        } catch {
            #expect(error.code == code)
        }
    }

    @Test func `the codes are a closed set with a meaning each`() {
        #expect(Set(HostErrorCode.allCases.map(\.rawValue)).count == HostErrorCode.allCases.count)
        for code in HostErrorCode.allCases {
            #expect(code.rawValue.utf8.count == 2)
            #expect(HostErrorCode(bytes: code.bytes) == code)
            #expect(code.meaning.count > 5)
        }
        #expect(HostErrorCode(bytes: 0x3939) == nil)
        #expect(FieldError(.keyScheme, in: .key).description == "26 Invalid key scheme. Field: key.")
    }

    @Test func `an answer code is the command's with its second letter advanced`() {
        #expect(HostCommandCode("A0")?.reply == HostCommandCode("A1"))
        #expect(HostCommandCode("NC")?.reply == HostCommandCode("ND"))
        #expect(HostCommandCode(rawValue: 0x41FF).reply.rawValue == 0x4100)
        #expect(HostCommandCode("A") == nil && HostCommandCode("ABC") == nil && HostCommandCode("A\u{19}") == nil)
        #expect(HostCommandCode(rawValue: 0x0A41).description == "?A")
    }

    @Test func `an answer gives back exactly the trailer that was sent`() throws {
        let answer = try frame("B3", body("00AB~T7"))
        #expect(try HostReply(answer, trailerLength: 2).bytes == Array("AB".utf8))
        #expect(try HostReply(answer).bytes == Array("AB\u{19}T7".utf8))
        for wrong in [0, 1, 3, 7, 40] {
            #expect(throws: FieldError(.dataLength, in: .trailer)) { try HostReply(answer, trailerLength: wrong) }
        }
        #expect(try HostReply(frame("B3", body("15")), trailerLength: 2).error == .inputData)
        #expect(try HostReply(frame("B3", body("15~T7")), trailerLength: 2).body.readableBytes == 0)
        #expect(throws: FieldError(.inputData, in: .header)) { try HostReply(frame("B3", body("0"))) }
        #expect(throws: FieldError(.inputData, in: .header)) { try HostReply(frame("B3", body("zz"))) }
    }
}
