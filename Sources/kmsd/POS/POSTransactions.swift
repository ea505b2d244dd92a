import CryptoClient
import Dispatch
import FoundationEssentials
import HSMBridge
import Synchronization

/// A purchase and a load as a small POS carries them out: PC/SC on one side, the crypto service on the other, no key at all.
enum POSTransactions {
    /// 消费: card INIT, PSAM MAC1, card debit, PSAM checks MAC2. Offline: no network is needed.
    static func purchase(
        card cardChannel: any CardChannel, sam samChannel: any CardChannel, amount: UInt32, layout: PurseLayout,
        now: Date
    ) throws -> POSRecord {
        let sam = try PurchaseSAM(opening: samChannel, layout: layout)
        let card = try PurseCard(opening: cardChannel, layout: layout)
        let clock = POSClock(now)
        let type: UInt8 = 0x06
        let start = try card.initialisePurchase(
            keyIndex: layout.purchaseKeyIndex, amount: amount, terminal: sam.terminal)
        let started = try sam.initialise(start, amount: amount, type: type, time: clock.bytes, factor: card.factor)
        let debited = try card.debit(
            terminalTransaction: started.terminalTransaction, time: clock.bytes, mac1: started.mac1)
        try sam.credit(mac2: debited.mac2)
        return POSRecord(
            kind: "purchase", terminal: Hex.encode(sam.terminal.octets.suffix(6)), psam: Hex.encode(sam.serial),
            card: Hex.encode(card.applicationSerial), amount: amount, type: Hex.encode([type]),
            terminalTransaction: started.terminalTransaction, cardSequence: start.offlineSequence,
            random: Hex.encode(start.random.octets), balanceBefore: start.balance, balanceAfter: try card.balance(),
            date: Hex.encode(clock.date), time: Hex.encode(clock.time), keyVersion: Hex.encode([start.keyVersion]),
            algorithm: Hex.encode([start.algorithm]), mac1: Hex.encode(started.mac1.octets),
            mac2: Hex.encode(debited.mac2.octets), tac: Hex.encode(debited.tac.octets))
    }

    /// 圈存: the card's MAC1 goes to the crypto service, its MAC2 back to the card. The PIN is verified first.
    static func load(
        card cardChannel: any CardChannel, pin: [UInt8], amount: UInt32, terminal: UInt64, layout: PurseLayout,
        now: Date,
        authorise: (PurseCard, PurseCard.LoadStart, POSClock) throws -> UInt32?
    ) throws -> POSRecord {
        let card = try PurseCard(opening: cardChannel, layout: layout)
        let clock = POSClock(now)
        _ = try exchange(cardChannel, "verify PIN", [0x00, 0x20, 0x00, 0x00] + pin)
        let start = try card.initialiseLoad(keyIndex: layout.loadKeyIndex, amount: amount, terminal: terminal)
        guard let mac2 = try authorise(card, start, clock) else { throw POSFailure.loadRefused }
        let tac = try card.credit(time: clock.bytes, mac2: mac2)
        return POSRecord(
            kind: "load", terminal: Hex.encode(terminal.octets.suffix(6)), psam: "",
            card: Hex.encode(card.applicationSerial),
            amount: amount, type: "02", terminalTransaction: 0, cardSequence: start.onlineSequence,
            random: Hex.encode(start.random.octets), balanceBefore: start.oldBalance, balanceAfter: try card.balance(),
            date: Hex.encode(clock.date), time: Hex.encode(clock.time), keyVersion: Hex.encode([start.keyVersion]),
            algorithm: Hex.encode([start.algorithm]), mac1: Hex.encode(start.mac1.octets),
            mac2: Hex.encode(mac2.octets),
            tac: Hex.encode(tac.octets))
    }
}

/// Waits, on a card's own thread, for something asynchronous: between two APDUs of a load stands a question to the network.
/// Only for threads that may block, never the cooperative pool.
func waitOnCardThread<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) throws -> T {
    let done = DispatchSemaphore(value: 0)
    let outcome = Mutex<Result<T, any Error>?>(nil)
    Task {
        let result: Result<T, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        outcome.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    guard let result = outcome.withLock({ $0 }) else {
        preconditionFailure("the semaphore is signalled after the result")
    }
    return try result.get()
}
