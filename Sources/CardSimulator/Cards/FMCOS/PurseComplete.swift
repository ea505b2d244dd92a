/// Second command of each transaction: checks the MAC, then changes balance, sequence, log and proof in one go, so that
/// a torn card has either all of it or nothing.
extension FMCOSCard {
    mutating func complete(_ command: Command, _ transaction: PendingTransaction?) throws(Status) -> Answer {
        let kind: PendingTransaction.Kind
        switch (command.ins, command.p1, command.p2) {
        case (0x52, 0x00, 0x00): kind = .load
        case (0x54, 0x01, 0x00): kind = .purchase
        case (0x54, 0x03, 0x00): kind = .unload
        case (0x58, 0x00, 0x00): kind = .overdraft
        default: throw .wrongParameters
        }
        guard let transaction, transaction.kind == kind else { throw .notExpectedNow }
        guard case .purse(let purse) = core.directory.files[transaction.file].contents else { throw .wrongFileKind }
        switch kind {
        case .purchase: return try debit(command, transaction, purse)
        case .load, .unload, .overdraft: return try completeOnline(command, transaction, purse)
        }
    }

    /// DEBIT FOR PURCHASE `80 54 01 00 0F | terminalTxn4 | date4 | time3 | MAC1 4` → `TAC4 | MAC2 4`.
    private mutating func debit(
        _ command: Command, _ transaction: PendingTransaction, _ before: Purse
    ) throws(Status) -> Answer {
        try command.require(length: 15)
        try command.expect(8)
        let data = command.data
        let block = transaction.random + before.offlineSequence.bytes + data[2..<4]
        guard let session = PBOCKeys.session(core.key(transaction.key).value.bytes, block: block) else {
            throw .wrongFileKind
        }
        let common = transaction.amount.bytes + [transaction.type] + transaction.terminal
        guard sameBytes(session.mac(common + data[4..<11]), Array(data[11...])) else { throw .macWrong }
        let tac = try tacCipher().mac(common + data[0..<4] + data[4..<11])
        let mac2 = session.mac(transaction.amount.bytes)

        var purse = before
        purse.balance -= transaction.amount
        purse.offlineSequence += 1
        purse.lastProof = TransactionProof(
            type: transaction.type, sequence: before.offlineSequence, mac: Octets(mac2), tac: Octets(tac))
        try record(transaction, purse, sequence: before.offlineSequence, amount: transaction.amount, data[4..<11])
        return Answer(data: tac + mac2)
    }

    /// CREDIT FOR LOAD `80 52 00 00 0B | date4 | time3 | MAC2 4` → TAC4; DEBIT FOR UNLOAD `80 54 03 00 0B` → MAC3 4;
    /// UPDATE OVERDRAFT LIMIT `80 58 00 00 0E | limit3 | date4 | time3 | MAC2 4` → TAC4.
    private mutating func completeOnline(
        _ command: Command, _ transaction: PendingTransaction, _ before: Purse
    ) throws(Status) -> Answer {
        let isOverdraft = transaction.kind == .overdraft
        try command.require(length: isOverdraft ? 14 : 11)
        try command.expect(4)
        let moment = command.data.dropLast(4).suffix(7)
        let amount = isOverdraft ? Array(command.data.prefix(3)) : transaction.amount.bytes
        let common = amount + [transaction.type] + transaction.terminal + moment
        let session = try onlineSession(transaction, before)
        let mac2 = Array(command.data.suffix(4))
        guard sameBytes(session.mac(common), mac2) else { throw .macWrong }

        var purse = before
        switch transaction.kind {
        case .load, .purchase: purse.balance += transaction.amount
        case .unload: purse.balance -= transaction.amount
        case .overdraft:
            let limit = UInt32(amount.number)
            let balance = Int64(before.balance) - Int64(before.overdraft) + Int64(limit)
            guard let balance = UInt32(exactly: balance) else { throw .conditionsNotMet }
            (purse.balance, purse.overdraft) = (balance, limit)
        }
        let covered = purse.balance.bytes + before.onlineSequence.bytes + common
        let tac = try tacCipher().mac(covered)
        let mac3 = session.mac(covered)
        purse.onlineSequence += 1
        purse.lastProof = TransactionProof(
            type: transaction.type, sequence: before.onlineSequence,
            mac: Octets(transaction.kind == .unload ? mac3 : mac2), tac: Octets(tac))
        let logged = isOverdraft ? UInt32(amount.number) : transaction.amount
        try record(transaction, purse, sequence: before.onlineSequence, amount: logged, moment)
        return Answer(data: transaction.kind == .unload ? mac3 : tac)
    }

    /// Key 34 of the application (id 00, or the first there is).
    private func tacCipher() throws(Status) -> CardCipher {
        let place =
            place(KeyType.tac, 0)
            ?? core.place(in: core.session.directory) { $0.kind & 0x3F == KeyType.tac }
        guard let place else { throw .keyIndexNotSupported }
        guard let cipher = PBOCKeys.tac(core.key(place).value.bytes) else { throw .wrongFileKind }
        return cipher
    }

    /// Writes the purse and the 23-byte log record `seq2 | overdraft3 | amount4 | type | terminal6 | date4 | time3`.
    private mutating func record(
        _ transaction: PendingTransaction, _ purse: Purse, sequence: UInt16, amount: UInt32, _ moment: ArraySlice<UInt8>
    ) throws(Status) {
        var directory = core.directory
        directory.files[transaction.file].contents = .purse(purse)
        if let log = directory.files.firstIndex(where: { $0.shortIdentifier == purse.logFile && $0.isCyclic }) {
            let number = options.logsNextSequence ? sequence + 1 : sequence
            let line =
                number.bytes + purse.overdraft.bytes.suffix(3) + amount.bytes + [transaction.type]
                + transaction.terminal + moment
            try directory.files[log].append(line)
        }
        core.directory = directory
    }
}
