import HSMBridge
import Testing

@testable import HSMEngine

/// A request of the e-purse with the reply that it deserves, from the bytes that the standard lays out (facts/domain.md 1.2–1.5)
/// and libcrypto's cipher: the session key by enciphering one block under the card's key, the MAC by the chain under that.
struct PurseCase {
    enum Kind: CaseIterable {
        case load, unload, purchaseMAC1, purchaseMAC2, unloadMAC3

        var isAuthorisation: Bool { self == .load || self == .unload }
        var usage: KeyUsage {
            switch self {
            case .load: .load
            case .purchaseMAC1, .purchaseMAC2: .purchase
            case .unload, .unloadMAC3: .unload
            }
        }
    }

    let kind: Kind
    let key: DerivedKey
    /// A genuine MAC is claimed; always so where none is.
    let isRight: Bool
    /// The MAC to be made: 0 where none is asked for, or none may be given.
    let expected: UInt32

    private let random: UInt32
    private let sequence: UInt16
    private let transaction: UInt32
    private let balance: UInt32
    private let amount: UInt32
    private let type: UInt8
    private let terminal: TerminalNumber
    private let time: TransactionTime
    private let claimed: UInt32

    /// Under `schedule`, which is what `key` names. A wrong MAC differs in one bit.
    init(_ kind: Kind, _ key: DerivedKey, _ schedule: OpenKeySchedule, isRight: Bool, _ dice: inout Dice) throws {
        self.kind = kind
        self.key = key
        self.isRight = isRight || kind == .purchaseMAC1
        random = .random(in: 0 ... .max, using: &dice)
        sequence = .random(in: 0 ... .max, using: &dice)
        transaction = .random(in: 0 ... .max, using: &dice)
        balance = .random(in: 0 ... .max, using: &dice)
        amount = .random(in: 0 ... .max, using: &dice)
        type = kind == .load ? .random(in: 1...2, using: &dice) : kind.usage == .unload ? 3 : 6
        terminal = try #require(TerminalNumber(dice.next() >> 16))
        time = TransactionTime(
            date: .random(in: 0 ... .max, using: &dice), time: .random(in: 0..<1 << 24, using: &dice))

        let online = Self.bytes((UInt64(random), 4), (UInt64(sequence), 2), (0x8000, 2))
        let offline = Self.bytes((UInt64(random), 4), (UInt64(sequence), 2), (UInt64(transaction) & 0xFFFF, 2))
        let fields = Self.bytes((UInt64(amount), 4), (UInt64(type), 1), (terminal.value, 6))
        let stamp = Self.bytes((UInt64(time.date), 4), (UInt64(time.time), 3))
        func mac(_ session: [UInt8], _ data: [UInt8]) throws -> UInt32 {
            try Self.mac(schedule, key.factors, session, data)
        }
        let error: UInt32 = isRight ? 0 : 1 << UInt32.random(in: 0..<32, using: &dice)
        switch kind {
        case .load, .unload:
            claimed = try mac(online, Self.bytes((UInt64(balance), 4)) + fields) ^ error
            expected = isRight ? try mac(online, fields + stamp) : 0
        case .purchaseMAC1:
            claimed = 0
            expected = try mac(offline, fields + stamp)
        case .purchaseMAC2:
            claimed = try mac(offline, Self.bytes((UInt64(amount), 4))) ^ error
            expected = 0
        case .unloadMAC3:
            let head = Self.bytes((UInt64(balance), 4), (UInt64(sequence), 2))
            claimed = try mac(online, head + fields + stamp) ^ error
            expected = 0
        }
    }

    private static func bytes(_ fields: (UInt64, Int)...) -> [UInt8] {
        fields.flatMap { value, length in
            (0..<length).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (length - 1 - $0))) }
        }
    }

    private static func mac(
        _ schedule: OpenKeySchedule, _ factors: [UInt64], _ session: [UInt8], _ data: [UInt8]
    ) throws -> UInt32 {
        let isWide = schedule.blockLength == 16
        let block = isWide ? session + session.map { ~$0 } : session
        let sessionKey = try openKey(
            try schedule.authenticate(factors: factors, challenge: block), isWide ? .sm4 : nil)
        let mac = try sessionKey.mac(.iso1, padding: .method2, over: data, length: 4)
        return mac.bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// As the calculation sees it.
    var exchange: PurseExchange {
        let session = PurchaseSession(random: random, offlineSequence: sequence, terminalTransaction: transaction)
        return switch kind {
        case .load, .unload:
            .authorisation(
                random: random, onlineSequence: sequence, oldBalance: balance, amount: amount, type: type,
                terminal: terminal, mac1: claimed, time: time)
        case .purchaseMAC1: .purchaseMAC1(session, amount: amount, type: type, terminal: terminal, time: time)
        case .purchaseMAC2: .purchaseMAC2(session, amount: amount, mac2: claimed)
        case .unloadMAC3:
            .unloadMAC3(
                random: random, onlineSequence: sequence, newBalance: balance, amount: amount, type: type,
                terminal: terminal, time: time, mac3: claimed)
        }
    }

    /// The fields as those of a load, or of an unload.
    var load: AuthorisePurseLoad {
        AuthorisePurseLoad(
            key: key, random: random, onlineSequence: sequence, oldBalance: balance, amount: amount, type: type,
            terminal: terminal, mac1: claimed, time: time)
    }

    func append(to request: inout ModuleRequest) {
        let session = PurchaseSession(random: random, offlineSequence: sequence, terminalTransaction: transaction)
        switch kind {
        case .load: request.append(load)
        case .unload: request.append(AuthorisePurseUnload(load))
        case .purchaseMAC1:
            request.append(
                PurchaseMAC1(key: key, session: session, amount: amount, type: type, terminal: terminal, time: time))
        case .purchaseMAC2:
            request.append(VerifyPurchaseMAC2(key: key, session: session, amount: amount, mac2: claimed))
        case .unloadMAC3:
            request.append(
                VerifyUnloadMAC3(
                    key: key, random: random, onlineSequence: sequence, newBalance: balance, amount: amount,
                    type: type, terminal: terminal, time: time, mac3: claimed))
        }
    }

    /// Reply number `index` is the one that this request deserves.
    func isAnswered(by reply: ModuleReply, _ index: Int) throws -> Bool {
        switch kind {
        case .load, .unload:
            switch try reply.reply(index, to: AuthorisePurseLoad.self) {
            case .mac1Mismatch: !isRight
            case .authorised(let mac2): isRight && mac2 == expected
            }
        case .purchaseMAC1:
            try reply.reply(index, to: PurchaseMAC1.self).bytes == BigEndian.bytes(expected)
        case .purchaseMAC2, .unloadMAC3:
            try reply.reply(index, to: VerifyPurchaseMAC2.self) == (isRight ? .match : .mismatch)
        }
    }
}
