import HSMBridge

extension Seeds {
    /// One message for nearly every command, and one with all of them.
    static func moduleMessages() -> [[UInt8]] {
        let alone = (0..<commandCount).map { number in message { append(number, to: &$0) } }
        return alone + [message { for number in 0..<commandCount { append(number, to: &$0) } }]
    }

    private static func message(_ fill: (inout ModuleRequest) -> Void) -> [UInt8] {
        var request = ModuleRequest()
        fill(&request)
        return Array(request.message().dropFirst(4))
    }

    /// The keys that `ModuleDesk` has open, in its order: epoch 2, because opening counts twice.
    private static func key(_ number: UInt64) -> KeyReference { .handle(KeyHandle(rawValue: 2 << 32 | number)) }

    private static let identity = KeyIdentity("FUZZ/corpus/seed/01")
    private static let time = TransactionTime(date: 0x2016_1216, time: 0x13_4600)
    private static let session = PurchaseSession(random: 7, offlineSequence: 1, terminalTransaction: 2)
    private static let commandCount = 25

    private static func append(_ number: Int, to request: inout ModuleRequest) {
        guard let identity, let terminal = TerminalNumber(0x0011_2233_4455) else { return }
        let attributes = KeyAttributes(
            usage: .mac3, algorithm: .tripleDES2, mode: .calculate, exportability: .exportable)
        let block = "D0112M3TC00E0000" + String(repeating: "4B", count: 48)
        switch number {
        case 0: request.append(GetStatus())
        case 1: request.append(InspectKey(key: key(1)))
        case 2: request.append(OpenKey(key: .block(block, expected: identity)))
        case 3:
            request.append(
                VerifyMAC(key: key(1), algorithm: .algorithm3, padding: .method2, data: [1, 2, 3], mac: [1, 2, 3, 4]))
        case 4:
            request.append(GenerateMAC(key: key(1), algorithm: .algorithm3, padding: .method2, length: 4, data: [1]))
        case 5:
            request.append(GenerateMAC(key: key(2), algorithm: .algorithm1, padding: .method2, length: 8, data: [1]))
        case 6: request.append(GenerateMAC(key: key(3), algorithm: .cmac, padding: .none, length: 16, data: [1]))
        case 7: request.append(VerifyTAC(key: DerivedKey(key(4), factors: [1]), data: [1, 2, 3], tac: 9))
        case 8:
            request.append(
                VerifyTACBatch(key: key(4), levels: 1, dataLength: 3, records: [UInt8](repeating: 7, count: 45)))
        case 9:
            request.append(
                VerifyTACBatch(key: key(5), levels: 2, dataLength: 3, records: [UInt8](repeating: 7, count: 46)))
        case 10:
            request.append(
                PurchaseMAC1(
                    key: DerivedKey(key(7), factors: [1]), session: session, amount: 100, type: 6,
                    terminal: terminal, time: time))
        case 11:
            request.append(
                VerifyPurchaseMAC2(key: DerivedKey(key(7), factors: [1, 2]), session: session, amount: 1, mac2: 3))
        case 12: request.append(DiversifyKey(key: DerivedKey(key(4), factors: [1, 2, 3, 4])))
        case 13: request.append(DiversifyKey(key: DerivedKey(key(4), factors: [1]), transportKey: key(11)))
        case 23: request.append(DiversifyKeyBatch(key: key(4), levels: 2, factors: [1, 2, 3, 4]))
        case 14: request.append(CheckValue(key: key(1)))
        case 15: request.append(RandomBytes(count: 9))
        case 16: request.append(CardCryptogram(key: DerivedKey(key(8)), challenge: [1, 2, 3, 4]))
        case 17: request.append(DerivedCheckValue(key: DerivedKey(key(4), factors: [5])))
        case 18: request.append(GenerateKey(attributes: attributes, identity: identity))
        case 19: request.append(BeginComponentEntry(attributes: attributes, identity: identity, components: 2))
        case 20: request.append(ExportKeyBlock(transportKey: key(11), key: key(1)))
        case 21:
            request.append(
                ImportKeyBlock(transportKey: key(11), block: block, attributes: attributes, identity: identity))
        case 22:
            request.append(
                ProtectKeyLoad(
                    controllingKey: DerivedKey(key(8)), key: DerivedKey(key(4), factors: [1]),
                    commandHeader: 0x84D4_0000, keyHeader: [0, 1, 0], challenge: [1, 2, 3, 4]))
        default: request.append(CloseKey(handle: KeyHandle(rawValue: 2 << 32 | 14)))
        }
    }
}
