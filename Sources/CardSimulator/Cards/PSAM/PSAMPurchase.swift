/// What CREDIT SAM needs from INIT SAM.
struct PendingPurchase: Sendable {
    let key: CardCore.KeyPlace
    let session: CardCipher
    let amount: [UInt8]
}

extension PSAMCard {
    /// INIT SAM FOR PURCHASE `80 70 00 00 14+8n | rand4 | offlineSeq2 | amount4 | type | date4 | time3 | key version |
    /// algorithm | factors 8n` → `terminalTxn4 | MAC1 4`. The answer's number is the counter's value before it goes up.
    mutating func initializePurchase(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0, p2: 0)
        let data = command.data
        guard data.count >= 20, (data.count - 20).isMultiple(of: 8) else { throw .wrongLength }
        try command.expect(8)
        try requireAuthorisation()
        let (version, algorithm) = (data[18], data[19])
        let place = core.place(in: core.session.directory) {
            $0.kind & 0x1F == KeyType.purchase && $0.id == version && $0.algorithm == algorithm
        }
        guard let place else { throw .keyIndexNotSupported }
        let key = core.key(place)
        if key.isExhausted { throw .permanentlyLocked }
        let cardKey = try diversified(key, by: data[20...])
        let terminal = try terminalNumber()
        let transaction = try takeTransactionNumber()
        let block = Array(data[0..<6]) + transaction.suffix(2)
        guard let session = PBOCKeys.session(cardKey, block: block) else { throw .wrongFileKind }
        let amount = Array(data[6..<10])
        let mac1 = session.mac(amount + [data[10]] + terminal + data[11..<18])
        purchase = PendingPurchase(key: place, session: session, amount: amount)
        return Answer(data: transaction + mac1)
    }

    /// CREDIT SAM FOR PURCHASE `80 72 00 00 04 | MAC2`: right after INIT, else 6901. A wrong MAC2 answers 9302 and counts;
    /// the fifteenth in a row answers 9303 and the key is dead.
    mutating func creditPurchase(_ command: Command, _ open: PendingPurchase?) throws(Status) -> Answer {
        try command.require(p1: 0, p2: 0)
        try command.require(length: 4)
        guard let open else { throw .notExpectedNow }
        let left = core.countFailure(open.key)
        guard sameBytes(open.session.mac(open.amount), command.data) else {
            throw left == 0 ? .permanentlyLocked : .macWrong
        }
        core.clearFailures(open.key)
        return Answer()
    }

    /// EF 0016: of the application if it has one, else of the MF.
    private func terminalNumber() throws(Status) -> [UInt8] {
        for directory in [core.directory, core.memory.directories[0]] {
            for file in directory.files where file.identifier == 0x0016 {
                guard case .binary(let contents) = file.contents, contents.bytes.count >= 6 else { continue }
                return Array(contents.bytes.prefix(6))
            }
        }
        throw .conditionsNotMet
    }

    /// Takes the terminal transaction number from EF 0019 of the application and writes it back one higher, in the same
    /// state change as everything else of the command: a number is never given twice, even when power fails.
    private mutating func takeTransactionNumber() throws(Status) -> [UInt8] {
        guard let index = core.directory.files.firstIndex(where: { $0.identifier == 0x0019 }),
            case .binary(var contents) = core.directory.files[index].contents, contents.bytes.count >= 4
        else { throw .conditionsNotMet }
        let number = UInt32(contents.bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
        guard number < .max else { throw .counterAtMaximum }
        contents.bytes.replaceSubrange(0..<4, with: (number + 1).bytes)
        core.directory.files[index].contents = .binary(contents)
        return number.bytes
    }
}
