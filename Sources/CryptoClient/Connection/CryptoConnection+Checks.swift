/// The questions a front end or settlement program asks most, each with a plain answer.
extension CryptoConnection {
    /// Frames of one TAC batch under way at a time.
    private static var batchWindow: Int { 16 }

    /// True when the MAC is right, false when the server says 01.
    public func verifyMAC(_ request: VerifyMACRequest) async throws(CryptoClientError) -> Bool {
        try await isRight(request)
    }

    /// True when the TAC is right.
    public func verifyTAC(_ request: VerifyTACRequest) async throws(CryptoClientError) -> Bool {
        try await isRight(request)
    }

    /// True when the card has paid: its MAC2 is right.
    public func checkPurchaseMAC(_ request: CheckPurchaseMACRequest) async throws(CryptoClientError) -> Bool {
        try await isRight(request)
    }

    /// MAC2 of a load, or nil when the card's MAC1 is wrong.
    public func authorizeLoad(_ request: AuthorizeLoadRequest) async throws(CryptoClientError) -> PurseMAC? {
        do {
            return try await run(request).mac
        } catch .refused(.verificationFailed) {
            return nil
        }
    }

    /// Checks any number of TACs under one master key: split into YB frames of at most 1,536 entries of one kind, several
    /// under way at once. Up to 10,000 are one batch of parts, each of which says where it belongs. Verdicts come in the order of
    /// the checks; the first refused frame refuses all.
    public func verifyTACs(
        _ checks: [TACCheck], key: HostKeyReference, sharedPath: DiversificationPath = .none
    ) async throws(CryptoClientError) -> [TACVerdict] {
        let parts = Self.parts(of: checks)
        let answers = await withTaskGroup { (group: inout TaskGroup<(Int, Result<[TACVerdict], CryptoClientError>)>) in
            var next = 0
            func addNext() {
                guard next < parts.count else { return }
                let number = next
                let part = Array(checks[parts[number]])
                let place = Self.place(of: parts[number], in: checks.count)
                next += 1
                group.addTask { (number, await self.verdicts(part, key, sharedPath, place)) }
            }
            for _ in 0..<Self.batchWindow { addNext() }
            var answers: [Result<[TACVerdict], CryptoClientError>?] = Array(repeating: nil, count: parts.count)
            while let (number, answer) = await group.next() {
                answers[number] = answer
                if case .success = answer { addNext() }
            }
            return answers
        }
        var verdicts: [TACVerdict] = []
        verdicts.reserveCapacity(checks.count)
        for case let answer? in answers { verdicts += try answer.get() }
        return verdicts
    }

    /// Runs of one kind, none longer than a frame holds.
    static func parts(of checks: [TACCheck]) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = 0
        for index in checks.indices {
            let isFull = index - start == VerifyTACBatchRequest.maximumEntries
            if isFull || checks[index].record.kind != checks[start].record.kind {
                parts.append(start..<index)
                start = index
            }
        }
        if start < checks.count { parts.append(start..<checks.count) }
        return parts
    }

    /// Nil for a batch of one frame, and for more than one batch can have.
    static func place(of part: Range<Int>, in total: Int) -> VerifyTACBatchRequest.Part? {
        guard part.count < total, total <= VerifyTACBatchRequest.Part.maximumTotal else { return nil }
        return VerifyTACBatchRequest.Part(total: total, first: part.lowerBound)
    }

    private func verdicts(
        _ part: [TACCheck], _ key: HostKeyReference, _ sharedPath: DiversificationPath,
        _ place: VerifyTACBatchRequest.Part?
    ) async -> Result<[TACVerdict], CryptoClientError> {
        do throws(FieldError) {
            let request = try VerifyTACBatchRequest(key: key, sharedPath: sharedPath, checks: part, part: place)
            let verdicts = await reply(to: request).map(\.verdicts)
            guard case .success(let list) = verdicts, list.count != part.count else { return verdicts }
            return .failure(.malformedReply(FieldError(.dataLength, in: .results)))
        } catch {
            return .failure(.refused(error.code))
        }
    }

    private func reply<Command: HostCommand>(
        to command: Command
    ) async -> Result<Command.Reply, CryptoClientError> {
        do throws(CryptoClientError) {
            return .success(try await run(command))
        } catch {
            return .failure(error)
        }
    }

    private func isRight(_ command: some HostCommand) async throws(CryptoClientError) -> Bool {
        do throws(CryptoClientError) {
            _ = try await run(command)
            return true
        } catch .refused(.verificationFailed) {
            return false
        }
    }
}
