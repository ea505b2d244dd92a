import HSMBridge

/// The limits of cryptogram commands.
private enum Cryptogram {
    static let longestData = 255
    static let longestProprietary = 8
}

extension CryptogramSession {
    fileprivate var kind: CardSession.Kind {
        switch self {
        case .none: .none
        case .common(let block): .common(block)
        case .pboc(let counter): .pboc(counter)
        }
    }
}

extension CryptogramPadding {
    /// Every way in which these data may have been filled up.
    fileprivate func readings(_ count: Int, blockLength: Int) -> [MACPadding] {
        switch self {
        case .zeros: [.method1]
        case .marked: [.method2]
        case .markedOrGiven: count > 0 && count % blockLength == 0 ? [.method2, .none] : [.method2]
        }
    }
}

extension CryptogramCard {
    fileprivate func session() throws(ModuleRefusal) -> CardSession {
        CardSession(account: try account(), kind: session.kind)
    }

    private func account() throws(ModuleRefusal) -> UInt64 {
        let account = account
        return try primitive { () throws(PrimitiveError) in try account.factor() }
    }

    /// The response, under the session's key or the card's own.
    fileprivate func response(
        _ response: CryptogramResponse, to cryptogram: UInt64, under key: OpenKeySchedule
    ) throws(ModuleRefusal) -> [UInt8] {
        let card = CardSession(account: try account(), kind: respondsUnderCardKey ? .none : session.kind)
        switch response {
        case .method1(let code):
            return try primitive { () throws(PrimitiveError) in
                try key.cardResponse(card, cryptogram: cryptogram, code: code).bytes
            }
        case .method2(let update, let proprietary):
            guard proprietary.count <= Cryptogram.longestProprietary else { throw ModuleRefusal(.dataLengthInvalid) }
            let data = BigEndian.bytes(cryptogram) + BigEndian.bytes(update) + proprietary
            return try primitive { () throws(PrimitiveError) in
                try key.cardMAC(card, padding: .method2, over: data.span, length: 4).bytes
            }
        }
    }
}

extension VerifyCryptogram: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> CryptogramVerdict {
        let schedule = try execution.key(card.key).schedule(for: .verifyCryptogram, factors: 1)
        // More than a block: the cryptogram of one block is its encipherment under the session's key, and so is a response by method
        // 1. From one genuine cryptogram a caller could go on to a response to whatever it likes.
        guard data.count > schedule.blockLength, data.count <= Cryptogram.longestData else {
            throw ModuleRefusal(.dataLengthInvalid)
        }
        let session = try card.session()
        let claimed = BigEndian.bytes(cryptogram)
        let data = data
        var isRight = false
        for padding in padding.readings(data.count, blockLength: schedule.blockLength) {
            let expected = try primitive { () throws(PrimitiveError) in
                try schedule.cardMAC(session, padding: padding, over: data.span, length: 8)
            }
            isRight = expected.matches(claimed) || isRight
        }
        // Keys are looked at before the outcome is told, so that a refusal tells nothing of the cryptogram.
        let issuer = try issuerData.map { check throws(ModuleRefusal) in
            try execution.key(check.key).schedule(for: .verifyIssuerData, factors: 1)
        }
        guard isRight else { return .mismatch }
        if let issuer, let issuerData {
            let check = CardSession(account: session.account, kind: .masked(issuerData.counter))
            guard issuerData.data.count <= Cryptogram.longestData else { throw ModuleRefusal(.dataLengthInvalid) }
            let data = issuerData.data
            let expected = try primitive { () throws(PrimitiveError) in
                try issuer.cardMAC(check, padding: .method2, over: data.span, length: 4)
            }
            guard expected.matches(issuerData.mac) else { return .issuerDataMismatch }
        }
        guard let response else { return .match(response: []) }
        return .match(response: try card.response(response, to: cryptogram, under: schedule))
    }
}

extension RespondToCryptogram: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> HSMBridge.MACValue {
        let isUnderCardKey = card.respondsUnderCardKey || card.session == .none
        let operation = isUnderCardKey ? KeyOperation.respondUnderCardKey : .respondToCryptogram
        let schedule = try execution.key(card.key).schedule(for: operation, factors: 1)
        return HSMBridge.MACValue(bytes: try card.response(response, to: cryptogram, under: schedule))
    }
}
