import HSMBridge

/// One calculation under a session key of the e-purse: what the key is made of, what is covered, what is asked.
/// The layouts are those of JR/T 0025.2 (facts/domain.md 1.2–1.5), which the commands of `HSMBridge` quote.
struct PurseExchange: BitwiseCopyable, Sendable {
    enum Purpose: BitwiseCopyable, Sendable {
        /// Give the MAC of `message`.
        case make
        /// Say whether `claimed` is the MAC of `message`.
        case check
        /// The same and, only where it is, give the MAC of `answer`.
        case authorise
    }

    let purpose: Purpose
    /// The block that the session key is enciphered from, as a big-endian number.
    let session: UInt64
    let message: PurseMessage
    /// Zero where nothing is claimed.
    let claimed: UInt32
    /// Empty but for `authorise`.
    let answer: PurseMessage

    @inline(__always)
    private init(
        _ purpose: Purpose, session: UInt64, _ message: PurseMessage, claimed: UInt32 = 0,
        answer: PurseMessage = PurseMessage()
    ) {
        self.purpose = purpose
        self.session = session
        self.message = message
        self.claimed = claimed
        self.answer = answer
    }

    /// random4 | onlineSequence2 | 80 00, of load and unload.
    @inline(__always)
    private static func online(_ random: UInt32, _ sequence: UInt16) -> UInt64 {
        UInt64(random) << 32 | UInt64(sequence) << 16 | 0x8000
    }

    /// random4 | offlineSequence2 | right two bytes of the terminal transaction number.
    @inline(__always)
    private static func offline(_ session: PurchaseSession) -> UInt64 {
        UInt64(session.random) << 32 | UInt64(session.offlineSequence) << 16
            | UInt64(session.terminalTransaction & 0xFFFF)
    }

    /// MAC1 of a load or an unload checked, and its MAC2.
    @inline(__always)
    static func authorisation(
        random: UInt32, onlineSequence: UInt16, oldBalance: UInt32, amount: UInt32, type: UInt8,
        terminal: TerminalNumber, mac1: UInt32, time: TransactionTime
    ) -> PurseExchange {
        var card = PurseMessage()
        card.add(oldBalance)
        card.add(amount)
        card.add(type)
        card.add(terminal)
        let host = transaction(amount, type, terminal, time)
        return PurseExchange(
            .authorise, session: online(random, onlineSequence), card, claimed: mac1, answer: host)
    }

    /// MAC3 of an unload checked.
    @inline(__always)
    static func unloadMAC3(
        random: UInt32, onlineSequence: UInt16, newBalance: UInt32, amount: UInt32, type: UInt8,
        terminal: TerminalNumber, time: TransactionTime, mac3: UInt32
    ) -> PurseExchange {
        var card = PurseMessage()
        card.add(newBalance)
        card.add(UInt64(onlineSequence), bytes: 2)
        card.add(amount)
        card.add(type)
        card.add(terminal)
        card.add(time)
        return PurseExchange(.check, session: online(random, onlineSequence), card, claimed: mac3)
    }

    /// MAC1 of a purchase.
    @inline(__always)
    static func purchaseMAC1(
        _ session: PurchaseSession, amount: UInt32, type: UInt8, terminal: TerminalNumber, time: TransactionTime
    ) -> PurseExchange {
        PurseExchange(.make, session: offline(session), transaction(amount, type, terminal, time))
    }

    /// MAC2 of a purchase checked.
    @inline(__always)
    static func purchaseMAC2(_ session: PurchaseSession, amount: UInt32, mac2: UInt32) -> PurseExchange {
        var card = PurseMessage()
        card.add(amount)
        return PurseExchange(.check, session: offline(session), card, claimed: mac2)
    }

    /// amount4 | type1 | terminal6 | date4 | time3.
    @inline(__always)
    private static func transaction(
        _ amount: UInt32, _ type: UInt8, _ terminal: TerminalNumber, _ time: TransactionTime
    ) -> PurseMessage {
        var message = PurseMessage()
        message.add(amount)
        message.add(type)
        message.add(terminal)
        message.add(time)
        return message
    }
}

/// What comes of an exchange.
struct PurseAnswer: BitwiseCopyable, Sendable {
    /// The claimed MAC was right; also true where none was claimed.
    let isRight: Bool
    /// The MAC that was asked for and may leave, else 0.
    let mac: UInt32

    var verdict: Verdict { isRight ? .match : .mismatch }
    var authorisation: LoadAuthorisation { isRight ? .authorised(mac2: mac) : .mac1Mismatch }
}

extension PurseExchange {
    /// The answer from the MACs that `mac` calculates. A MAC is compared as one word, so that the time does not tell where two
    /// differ, and MAC2 is not calculated before MAC1 was found right.
    @inline(__always)
    func answer<E: Error>(_ mac: (PurseMessage) throws(E) -> UInt32) throws(E) -> PurseAnswer {
        let found = try mac(message)
        switch purpose {
        case .make: return PurseAnswer(isRight: true, mac: found)
        case .check: return PurseAnswer(isRight: found == claimed, mac: 0)
        case .authorise:
            guard found == claimed else { return PurseAnswer(isRight: false, mac: 0) }
            return PurseAnswer(isRight: true, mac: try mac(answer))
        }
    }
}
