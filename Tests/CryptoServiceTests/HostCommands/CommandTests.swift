import CryptoClient
import HSMBridge
import Testing

/// Each command through the typed client.
struct CommandTests {
    private static let mac3 = HostMACFields(
        algorithm: .algorithm3, padding: .method1, key: label("canteen/pos/mac"),
        message: HostMACMessage(Array("Now is the time for all ".utf8)))

    static func label(_ text: String) -> HostKeyReference {
        guard let key = try? HostKeyReference.label(text) else { preconditionFailure("a label of these tests") }
        return key
    }

    @Test func `NC gives the check value of the LMK`() async throws {
        let world = try await World.shared.value
        let connection = try await world.connect()
        let answer = try await connection.run(DiagnosticsRequest())
        let status = try await world.module.execute(GetStatus())
        #expect(answer.lmkCheckValue == status.lmkCheckValue.map { "\($0)0000000000" })
        #expect(answer.firmware == "0001-E000")
        await connection.close()
    }

    @Test func `N0 gives as many bytes as were asked for, others each time`() async throws {
        let connection = try await World.shared.value.connect()
        let first = try await connection.run(RandomValueRequest(count: 256)).bytes
        let second = try await connection.run(RandomValueRequest(count: 256)).bytes
        #expect(first.count == 256 && second.count == 256 && first != second)
        await connection.close()
    }

    @Test func `A MAC made by M6 is right for M8, and with a flipped bit it is not, and the service goes on`()
        async throws
    {
        let connection = try await World.shared.value.connect()
        let mac = try await connection.run(GenerateMACRequest(Self.mac3)).bytes
        for bit in [0, 13, 31] {
            var wrong = mac
            wrong[bit / 8] ^= 1 << UInt8(bit % 8)
            let isRight = try await connection.verifyMAC(VerifyMACRequest(Self.mac3, mac: HostMAC(wrong)))
            #expect(!isRight)
        }
        #expect(try await connection.verifyMAC(VerifyMACRequest(Self.mac3, mac: HostMAC(mac))))
        await connection.close()
    }

    @Test func `A key made by A0 serves by its block, travels by A8 and comes back by A6 as the same key`() async throws
    {
        let connection = try await World.shared.value.connect()
        let attributes = try HostKeyAttributes(usage: "M3", algorithm: "T2", modeOfUse: "C", exportability: "E")
        let made = try await connection.run(GenerateKeyRequest(attributes: attributes))
        var fields = Self.mac3
        fields.key = made.key
        let mac = try await connection.run(GenerateMACRequest(fields)).bytes

        let kek = Self.label("canteen/kek/bank")
        let given = try await connection.run(ExportKeyRequest(transportKey: kek, key: made.key))
        #expect(given.checkValue == made.checkValue)
        let taken = try await connection.run(ImportKeyRequest(transportKey: kek, key: given.key))
        #expect(taken.checkValue == made.checkValue)
        fields.key = taken.key
        #expect(try await connection.verifyMAC(VerifyMACRequest(fields, mac: HostMAC(mac))))
        #expect(try await connection.run(CheckValueRequest(key: taken.key)).checkValue == made.checkValue)
        await connection.close()
    }

    @Test func `A0 with a transport key gives the key twice`() async throws {
        let connection = try await World.shared.value.connect()
        let attributes = try HostKeyAttributes(usage: "M3", algorithm: "T2", modeOfUse: "C", exportability: "E")
        let made = try await connection.run(
            GenerateKeyRequest(
                transport: .init(key: Self.label("canteen/kek/bank"), scheme: .transportBlock), attributes: attributes))
        let copy = try #require(made.keyUnderTransport)
        let taken = try await connection.run(
            ImportKeyRequest(transportKey: Self.label("canteen/kek/bank"), key: copy))
        #expect(taken.checkValue == made.checkValue)
        await connection.close()
    }

    @Test func `YD gives the card's key wrapped, under the LMK or a transport key, with one check value`() async throws
    {
        let connection = try await World.shared.value.connect()
        let card = try CardKey(
            master: Self.label("canteen/purse/tac"),
            path: DiversificationPath(
                card: #require(DiversificationFactor([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]))))
        let under = try await connection.run(DiversifyKeyRequest(key: card))
        let out = try await connection.run(
            DiversifyKeyRequest(key: card, transportKey: Self.label("canteen/kek/bank")))
        // Computed outside, see ProtocolPage.values.
        #expect(under.checkValue == "EFD5E1" && out.checkValue == "EFD5E1")
        #expect(under.key.form == .lmkBlock && out.key.form == .transportBlock)
        await connection.close()
    }

    @Test func `YB with shared levels is the same as each card's own path`() async throws {
        let connection = try await World.shared.value.connect()
        let key = Self.label("canteen/purse/regions")
        let region = try #require(DiversificationFactor([1, 2, 3, 4, 5, 6, 7, 8]))
        let record = PurchaseRecord(
            amount: 1_250, type: 6, terminal: try #require(PurseTerminal([0, 1, 2, 3, 4, 5])), terminalSequence: 9,
            time: PurseTime(date: 0x2016_1216, time: 0x13_4600))
        var checks: [TACCheck] = []
        var expected: [TACVerdict] = []
        for number in 0..<40 {
            let card = DiversificationFactor(rawValue: UInt64(number))
            let tac = PurseMAC(UInt32(number) &* 0x9E37_79B9)
            checks.append(TACCheck(card: card, record: .purchase(record), tac: tac))
            let path = try #require(DiversificationPath([region, card]))
            let isRight = try await connection.verifyTAC(
                VerifyTACRequest(key: CardKey(master: key, path: path), record: .purchase(record), tac: tac))
            expected.append(isRight ? .valid : .invalid)
        }
        let verdicts = try await connection.verifyTACs(
            checks, key: key, sharedPath: try #require(DiversificationPath([region])))
        #expect(verdicts == expected)
        await connection.close()
    }
}
