import HSMBridge

// Known answers of the card calculations. Sources: facts/domain.md 1.2, 2.4, 2.5, 3.1, 3.2, 5.3 with the vectors of the same name
// in Tests/Vectors.
extension SelfTests {
    private static let master = "00112233445566778899AABBCCDDEEFF"
    private static let other = "0123456789ABCDEFFEDCBA9876543210"
    private static let factor: UInt64 = 0x1122_3344_5566_7788

    static let cardAnswers: [SelfTest] = [
        answer("PBOC diversification", "496BD7A3513644533100B54E71196528") {
            try revealing(try open(master, .tripleDES2).diversified(by: [factor]))
        },
        answer("PBOC diversification, two levels", "93B177FFEE37069219832755AF3B09DF") {
            try revealing(try open(master, .tripleDES2).diversified(by: [0xB1B1_BEA9_B1B1_BEA9, factor]))
        },
        answer("SM4 diversification", "7904DC533E8BCA0C93D3C36DC8328866") {
            try revealing(try open(other, .sm4).diversified(by: [factor]))
        },
        // B3.purchase.mac1
        answer("e-purse MAC", "D45737C5") {
            let data = Hex.decode("000000010600112233445520161216134600") ?? []
            return try open(master, .tripleDES2)
                .sessionMAC(factors: [], session: 0x5846_33C9_0000_0000, data: data.span).bytes
        },
        // B3.purchase.tac
        answer("e-purse TAC", "8AF270DC") {
            let data = Hex.decode("00000001060011223344550000000020161216134600") ?? []
            return try open(master, .tripleDES2).tac(factors: [], data: data.span).bytes
        },
        // watch.mac
        answer("line protection MAC", "083D1DDA") {
            let data = [UInt8](0...0x1C)
            return try open(other, .tripleDES2)
                .lineMAC(factors: [], challenge: [0x5D, 0x72, 0xB3, 0xFD], data: data.span).bytes
        },
        // psam.key.cipher
        answer("line protection cipher", "DCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD") {
            let key = Hex.decode(master) ?? []
            let secret = try SecretBytes(copying: key.span)
            return try open(master, .tripleDES2).lineEncipher(factors: [], header: [0x22, 0, 0], secret: secret)
        },
        // sm4card.mac.00000000.5
        answer("SM4 line protection MAC", "A475DC3B") {
            let data: [UInt8] = [1, 2, 3, 4, 5]
            return try open(other, .sm4).lineMAC(factors: [], challenge: [0, 0, 0, 0], data: data.span).bytes
        },
        // sm4card.enc.15
        answer("SM4 line protection cipher", "454F6F388C85FF182E4D09F7DA36D24A") {
            let data = [UInt8](0...0x0E)
            return try open(other, .sm4).lineEncipher(factors: [], data: data.span)
        },
        // cup.field64
        answer("UnionPay MAC", Hex.encode(Array("8A9E91B8".utf8))) {
            let data = Hex.decode("4D08F434464FE7BF") ?? []
            return try open("C24A8FB57AA20123", .des).unionPayMAC(over: data.span).bytes
        },
        answer("check values", "08D7B42677F47AD386") {
            try open(other, .tripleDES2).checkValue().bytes + open(other, .sm4).checkValue().bytes
                + open("2B7E151628AED2A6ABF7158809CF4F3C", .aes128).checkValue().bytes
        },
    ]

    /// Of published test values alone.
    private static func revealing(_ secret: borrowing SecretBytes) throws -> [UInt8] {
        secret.withBytes { bytes in
            [UInt8](capacity: bytes.count) { output in
                for index in 0..<bytes.count { output.append(bytes[index]) }
            }
        }
    }
}
