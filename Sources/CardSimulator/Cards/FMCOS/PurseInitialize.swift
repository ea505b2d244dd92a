/// What a transaction needs between its two commands.
struct PendingTransaction: Sendable {
    enum Kind: Sendable { case load, purchase, unload, overdraft }

    let kind: Kind
    /// Transaction type byte: 01/02 load, 03 unload, 04 cash, 05/06 purchase, 07 overdraft limit.
    let type: UInt8
    /// Index of the purse file in the current directory.
    let file: Int
    let key: CardCore.KeyPlace
    let amount: UInt32
    let terminal: [UInt8]
    let random: [UInt8]
}

/// First command of each transaction, and the questions about a purse (FM-UM chapter 8, domain.md §1.3–1.5).
extension FMCOSCard {
    /// GET BALANCE `80 5C 00 01|02 04`.
    mutating func getBalance(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0)
        guard command.data.isEmpty else { throw .wrongLength }
        let (_, purse) = try purse(command.p2)
        try core.require(purse.useRight)
        try command.expect(4)
        return Answer(data: purse.balance.bytes)
    }

    /// GET TRANSACTION PROVE `80 5A 00 type 02 | sequence` → `MAC4 | TAC4` of the last transaction, 9406 if it was not that.
    mutating func getTransactionProof(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0)
        try command.require(length: 2)
        try command.expect(8)
        let sequence = UInt16(command.data.number)
        for file in core.directory.files {
            guard case .purse(let purse) = file.contents, let proof = purse.lastProof else { continue }
            if proof.type == command.p2, proof.sequence == sequence {
                return Answer(data: proof.mac.bytes + proof.tac.bytes)
            }
        }
        throw .proofNotAvailable
    }

    /// INITIALIZE FOR … `80 50 P1 P2 0B | key index | amount4 | terminal6`.
    mutating func initialize(_ command: Command) throws(Status) -> Answer {
        let kind: PendingTransaction.Kind
        let type: UInt8
        let keyType: UInt8
        switch (command.p1, command.p2) {
        case (0x00, 0x01), (0x00, 0x02): (kind, type, keyType) = (.load, command.p2, KeyType.load)
        case (0x01, 0x01), (0x01, 0x02): (kind, type, keyType) = (.purchase, command.p2 + 4, KeyType.purchase)
        case (0x02, 0x01): (kind, type, keyType) = (.purchase, 0x04, KeyType.purchase)
        case (0x04, 0x01): (kind, type, keyType) = (.overdraft, 0x07, KeyType.overdraft)
        case (0x05, 0x01): (kind, type, keyType) = (.unload, 0x03, KeyType.unload)
        default: throw .wrongParameters
        }
        try command.require(length: kind == .overdraft ? 7 : 11)
        let (file, purse) = try purse(command.p2)
        try core.require(purse.useRight)
        if kind != .purchase, !core.session.isPINVerified { throw .securityNotSatisfied }
        guard let key = place(keyType, command.data[0]) else { throw .keyIndexNotSupported }
        try core.require(core.key(key).useRight)
        let amount = kind == .overdraft ? 0 : UInt32(command.data[1...4].reduce(0) { $0 << 8 | UInt32($1) })
        try check(purse, kind, amount)
        let length = kind == .purchase ? 15 : kind == .overdraft ? 19 : 16
        try command.expect(length)

        let transaction = PendingTransaction(
            kind: kind, type: type, file: file, key: key, amount: amount, terminal: Array(command.data.suffix(6)),
            random: core.random.bytes(4))
        let answer = try initialAnswer(transaction, purse)
        pending = transaction
        return Answer(data: answer)
    }

    private func check(_ purse: Purse, _ kind: PendingTransaction.Kind, _ amount: UInt32) throws(Status) {
        let sequence = kind == .purchase ? purse.offlineSequence : purse.onlineSequence
        if sequence == .max { throw .counterAtMaximum }
        switch kind {
        case .load: if purse.balance.addingReportingOverflow(amount).overflow { throw .conditionsNotMet }
        case .purchase, .unload: if amount > purse.balance { throw .balanceTooSmall }
        case .overdraft: break
        }
    }

    private func initialAnswer(_ transaction: PendingTransaction, _ purse: Purse) throws(Status) -> [UInt8] {
        let key = core.key(transaction.key)
        let overdraft = Array(purse.overdraft.bytes.suffix(3))
        let identity = [key.attribute, key.algorithm] + transaction.random
        guard transaction.kind != .purchase else {
            return purse.balance.bytes + purse.offlineSequence.bytes + overdraft + identity
        }
        let session = try onlineSession(transaction, purse)
        if transaction.kind == .overdraft {
            let mac = session.mac(purse.balance.bytes + overdraft + [transaction.type] + transaction.terminal)
            return purse.balance.bytes + purse.onlineSequence.bytes + overdraft + identity + mac
        }
        let mac = session.mac(
            purse.balance.bytes + transaction.amount.bytes + [transaction.type] + transaction.terminal)
        return purse.balance.bytes + purse.onlineSequence.bytes + identity + mac
    }

    /// Session key of an online transaction: `rand4 | onlineSeq2 | 80 00` under the transaction's key.
    func onlineSession(_ transaction: PendingTransaction, _ purse: Purse) throws(Status) -> CardCipher {
        let block = transaction.random + purse.onlineSequence.bytes + [0x80, 0x00]
        guard let session = PBOCKeys.session(core.key(transaction.key).value.bytes, block: block) else {
            throw .wrongFileKind
        }
        return session
    }

    /// The purse file of the current directory: 01 passbook (ED), 02 purse (EP).
    func purse(_ identifier: UInt8) throws(Status) -> (file: Int, purse: Purse) {
        guard identifier == 1 || identifier == 2 else { throw .wrongParameters }
        guard let file = core.directory.files.firstIndex(where: { $0.identifier == UInt16(identifier) }) else {
            throw .fileNotFound
        }
        guard case .purse(let purse) = core.directory.files[file].contents else { throw .wrongFileKind }
        return (file, purse)
    }
}
