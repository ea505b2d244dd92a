import HSMBridge

extension Seeds {
    /// One message for each command, some with several readings, and one with all of them.
    static func moduleMessages() -> [[UInt8]] {
        let commands =
            keyCommands + calculations + purseCommands + cardCommands + signatureCommands + managementCommands
        var all = ModuleRequest()
        for command in commands { command(&all) }
        return commands.map { command in
            var request = ModuleRequest()
            command(&request)
            return Array(request.message().dropFirst(4))
        } + [Array(all.message().dropFirst(4))] + typedSecrets
    }

    private typealias Append = (inout ModuleRequest) -> Void

    private static func ask(_ command: some ModuleCommand) -> Append { { $0.append(command) } }

    // MARK: Values

    /// The keys that `ModuleDesk` has open, in its order: epoch 2, because opening counts twice.
    private static func key(_ number: UInt64) -> KeyReference { .handle(handle(number)) }
    private static func handle(_ number: UInt64) -> KeyHandle { KeyHandle(rawValue: 2 << 32 | number) }

    private static func identity(_ label: String) -> KeyIdentity {
        guard let identity = KeyIdentity("FUZZ/corpus/\(label)/01") else { preconditionFailure("a name") }
        return identity
    }

    private static func attributes(_ usage: KeyUsage, _ mode: ModeOfUse) -> KeyAttributes {
        KeyAttributes(usage: usage, algorithm: .tripleDES2, mode: mode, exportability: .exportable)
    }

    private static let block = "D0112M3TC00E0000" + String(repeating: "4B", count: 48)
    private static let challenge: [UInt8] = [1, 2, 3, 4]

    // MARK: Commands

    private static var keyCommands: [Append] {
        let mac = attributes(.mac3, .calculate)
        return [
            ask(InspectKey(key: key(1))), ask(OpenKey(key: .block(block, expected: identity("seed")))),
            ask(OpenKey(key: .block(block, expected: nil))), ask(CloseKey(handle: handle(14))),
            ask(GenerateKey(attributes: mac, identity: identity("seed"))),
            ask(GenerateKey(attributes: mac, identity: identity("seed"), component: 1)),
            ask(BeginComponentEntry(attributes: mac, identity: identity("seed"), components: 2)),
            ask(FinishComponentEntry(session: 1)), ask(AbortComponentEntry(session: 1)),
            ask(ExportKeyBlock(transportKey: key(11), key: key(1))),
            ask(
                ImportKeyBlock(transportKey: key(11), block: block, attributes: mac, identity: identity("seed"))),
            ask(
                ImportCryptogram(
                    transportKey: key(10), cryptogram: [UInt8](repeating: 0x5C, count: 16),
                    checkValue: KeyCheckValue(0, 0, 0), attributes: mac, identity: identity("seed"))),
            ask(FormKey(components: [key(1), key(3)], attributes: mac, identity: identity("seed"))),
            ask(RewrapKey(key: key(1))), ask(DiversifyKey(key: DerivedKey(key(4), factors: [1, 2, 3, 4]))),
            ask(DiversifyKey(key: DerivedKey(key(4), factors: [1]), transportKey: key(11))),
            ask(DiversifyKeyBatch(key: key(4), levels: 2, factors: [1, 2, 3, 4])),
            ask(DiversifyKeyBatch(key: key(5), levels: 1, factors: [1, 2], transportKey: key(11))),
            ask(CheckValue(key: key(1))), ask(DerivedCheckValue(key: DerivedKey(key(4), factors: [5]))),
        ]
    }

    private static var calculations: [Append] {
        let ecb = DataCipher(mode: .ecb)
        let cbc = DataCipher(mode: .cbc, initialVector: [UInt8](repeating: 3, count: 8))
        let data = [UInt8](repeating: 9, count: 16)
        let digits = Array("41234567890123458701101".utf8)
        return [
            ask(GenerateMAC(key: key(1), algorithm: .algorithm3, padding: .method2, length: 4, data: [1])),
            ask(GenerateMAC(key: key(2), algorithm: .algorithm1, padding: .method2, length: 8, data: [1])),
            ask(GenerateMAC(key: key(3), algorithm: .cmac, padding: .none, length: 16, data: [1])),
            ask(GenerateMAC(key: key(18), algorithm: .unionPayECB, padding: .method1, length: 8, data: data)),
            ask(
                GenerateMAC(
                    key: key(1), algorithm: .algorithm3, padding: .method3, initialVector: [1, 2, 3, 4, 5, 6, 7, 8],
                    length: 8, isLast: false, data: data)),
            ask(
                VerifyMAC(
                    key: key(1), algorithm: .algorithm3, padding: .method2, data: [1, 2, 3], mac: [1, 2, 3, 4])),
            { request in
                // As many as go over lanes together, of one shape and of several lengths.
                for number in 0..<20 {
                    request.append(
                        VerifyMAC(
                            key: key(1), algorithm: .algorithm3, padding: .method2,
                            data: [UInt8](repeating: 7, count: 3 * number), mac: [1, 2, 3, 4]))
                }
            },
            ask(
                ExplainMAC(
                    keys: [key(1), key(18)], factors: [1], algorithm: .algorithm3, padding: .method2,
                    initialVector: [1, 2, 3, 4, 5, 6, 7, 8], data: Array("0A1b".utf8), mac: [1, 2, 3, 4])),
            ask(RandomBytes(count: 9)), ask(EncipherData(key: key(12), cipher: cbc, data: data)),
            ask(DecipherData(key: key(12), cipher: ecb, data: data)),
            ask(
                TranslateData(
                    source: key(12), sourceCipher: cbc, destination: key(17), destinationCipher: ecb, data: data)),
            ask(GenerateCardCode(key: key(15), digits: digits)),
            ask(VerifyCardCode(key: key(15), digits: digits, cardCode: Array("561".utf8))),
        ]
    }

    private static var purseCommands: [Append] {
        guard let terminal = TerminalNumber(0x0011_2233_4455) else { return [] }
        let time = TransactionTime(date: 0x2016_1216, time: 0x13_4600)
        let session = PurchaseSession(random: 7, offlineSequence: 1, terminalTransaction: 2)
        func load(_ number: UInt64, type: UInt8) -> AuthorisePurseLoad {
            AuthorisePurseLoad(
                key: DerivedKey(key(number), factors: [1]), random: 1, onlineSequence: 2, oldBalance: 3, amount: 4,
                type: type, terminal: terminal, mac1: 5, time: time)
        }
        return [
            ask(load(6, type: 2)), ask(AuthorisePurseUnload(load(16, type: 3))),
            ask(
                VerifyUnloadMAC3(
                    key: DerivedKey(key(16), factors: [1]), random: 1, onlineSequence: 2, newBalance: 3, amount: 4,
                    type: 3, terminal: terminal, time: time, mac3: 5)),
            ask(VerifyTAC(key: DerivedKey(key(4), factors: [1]), data: [1, 2, 3], tac: 9)),
            ask(VerifyTACBatch(key: key(4), levels: 1, dataLength: 3, records: [UInt8](repeating: 7, count: 45))),
            ask(VerifyTACBatch(key: key(4), levels: 0, dataLength: 20, records: [UInt8](repeating: 7, count: 480))),
            ask(VerifyTACBatch(key: key(5), levels: 2, dataLength: 3, records: [UInt8](repeating: 7, count: 46))),
            ask(
                PurchaseMAC1(
                    key: DerivedKey(key(7), factors: [1]), session: session, amount: 100, type: 6, terminal: terminal,
                    time: time)),
            ask(VerifyPurchaseMAC2(key: DerivedKey(key(7), factors: [1, 2]), session: session, amount: 1, mac2: 3)),
        ]
    }

    private static var cardCommands: [Append] {
        let accounts: [CryptogramAccount] = [.optionA(0x1122_3344_5566_7788), .optionB([1, 2, 3, 4, 5, 6, 7, 8, 9])]
        let cards = [.none, .common(7), .pboc(7)].flatMap { session in
            accounts.map { CryptogramCard(key: key(19), account: $0, session: session) }
        }
        let responses: [CryptogramResponse?] = [
            .method1(code: 0x3030), .method2(statusUpdate: 1, proprietary: [1, 2]), nil,
        ]
        let issuer = IssuerDataCheck(key: key(20), counter: 1, data: [1, 2, 3], mac: 4)
        return cards.enumerated().map { number, card in
            ask(
                VerifyCryptogram(
                    card: card, padding: [.zeros, .marked, .markedOrGiven][number % 3],
                    data: [UInt8](repeating: 1, count: 16), cryptogram: 9, issuerData: number < 2 ? issuer : nil,
                    response: responses[number % 3]))
        } + [
            ask(RespondToCryptogram(card: cards[0], cryptogram: 9, response: .method1(code: 0))),
            ask(
                RespondToCryptogram(card: cards[3], cryptogram: 9, response: .method2(statusUpdate: 1, proprietary: []))
            ),
            ask(CardCryptogram(key: DerivedKey(key(8)), challenge: challenge)),
            ask(
                ProtectKeyLoad(
                    controllingKey: DerivedKey(key(8)), key: DerivedKey(key(4), factors: [1]),
                    commandHeader: 0x84D4_0000, keyHeader: [0, 1, 0], challenge: challenge)),
            ask(
                ProtectCommand(
                    key: DerivedKey(key(9), factors: [1]), commandHeader: 0x04D6_9500, data: [1, 2, 3], encipher: true,
                    challenge: challenge)),
        ]
    }

    private static var signatureCommands: [Append] {
        let inputs = [
            SignatureInput(hash: .sha256, padding: .pkcs1, message: [1, 2, 3]),
            SignatureInput(hash: .sha1, padding: .pss, message: []),
            SignatureInput(hash: nil, padding: .pkcs1, message: [1, 2, 3]),
        ]
        let modulus = [0xC1] + [UInt8](repeating: 0x55, count: 127)
        return inputs.map { ask(CreateSignature(key: key(21), input: $0)) }
            + inputs.map {
                ask(VerifySignature(key: key(21), input: $0, signature: [UInt8](repeating: 2, count: 256)))
            } + [
                ask(Sign(key: key(21), message: [1, 2, 3])), ask(Hash(algorithm: .sm3, data: [1, 2, 3])),
                ask(Hash(algorithm: .sha512, data: [])),
                ask(
                    ProtectPublicKey(
                        modulus: modulus, exponent: [1, 0, 1], exportability: .exportable, identity: identity("seed"))),
            ]
    }

    private static var managementCommands: [Append] {
        [
            ask(GetStatus()), ask(RunSelfTest()), ask(ListReaders()), ask(InspectAdminCard(reader: "R")),
            ask(BeginCeremony(kind: .load)), ask(BeginCeremony(kind: .generate)), ask(FinishCeremony()),
            ask(AbortCeremony()),
        ]
    }

    /// Commands with what a person typed, which nobody but the keyboard makes: written out.
    private static var typedSecrets: [[UInt8]] {
        let reader: [UInt8] = [0, 0, 0, 1, 0x52]
        let pin: [UInt8] = [0, 0, 0, 6] + Array("123456".utf8)
        let component: [UInt8] = [0, 0, 0, 16] + [UInt8](repeating: 0x5A, count: 16)
        let bodies: [(CommandCode, [UInt8])] = [
            (.formatAdminCard, reader + [1, 0] + pin), (.presentAdminCard, reader + pin),
            (.enterComponent, [0, 0, 0, 0, 0, 0, 0, 1, 1] + component),
        ]
        return bodies.map { code, body in
            [0, 0, 0, 1, 0, UInt8(code.rawValue), 0, 0, 0, UInt8(body.count)] + body
        }
    }
}
