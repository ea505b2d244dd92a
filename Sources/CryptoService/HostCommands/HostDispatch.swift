import CryptoClient
import HSMBridge
import KMS
import NIOCore

/// The way of one request: read, judged, sent to the module or answered here.
extension HostLoop {
    /// Takes request number `sequence` of a connection. It is answered exactly once, now or later.
    func take(_ frame: HostFrame, _ sequence: Int, _ connection: HostConnection) {
        answer(frame, Question(asker: .connection(connection, sequence: sequence), isRetry: false))
    }

    /// Takes a request that came through another door. It is answered exactly once, now or later.
    func take(_ call: HostCall) { answer(call, isRetry: false) }

    private func answer(_ call: HostCall, isRetry: Bool) {
        let question = Question(asker: .call(call), isRetry: isRetry)
        attempt(question, HostRules.operation(of: call.request)) { () throws(Refusal) in
            try dispatch(call.request, question)
        }
    }

    private func answer(_ frame: HostFrame, _ question: Question) {
        do throws(FieldError) {
            // The commands of every day are read as what they are; the closed set of all has to be carried about.
            switch frame.command {
            case .verifyMAC:
                let (verify, end) = try VerifyMACRequest.parse(frame.body)
                if accept(end, question) {
                    attempt(question, .verifyMAC) { () throws(Refusal) in try ask(verify, question) }
                }
            case .generateMAC:
                let (generate, end) = try GenerateMACRequest.parse(frame.body)
                if accept(end, question) {
                    attempt(question, .generateMAC) { () throws(Refusal) in try ask(generate, question) }
                }
            case .verifyTAC:
                let (check, end) = try VerifyTACRequest.parse(frame.body)
                if accept(end, question) {
                    attempt(question, .verifyTAC) { () throws(Refusal) in try ask(check, question) }
                }
            default:
                let (request, end) = try HostRequest.parse(frame)
                if accept(end, question) {
                    attempt(question, HostRules.operation(of: request)) { () throws(Refusal) in
                        try dispatch(request, question)
                    }
                }
            }
        } catch {
            complete(question.asker, .refused(error.code))
        }
    }

    /// Keeps what the answer has to end with; false, and refused, where the request is for another LMK.
    private func accept(_ end: MessageEnd, _ question: Question) -> Bool {
        if let trailer = end.trailer, case .connection(let connection, let sequence) = question.asker {
            connection.setTrailer(trailer, sequence)
        }
        guard (end.lmkIdentifier ?? 0) == 0 else {
            complete(question.asker, .refused(.lmkIdentifier))
            return false
        }
        return true
    }

    private func attempt(_ question: Question, _ operation: ServiceOperation?, _ body: () throws(Refusal) -> Void) {
        do throws(Refusal) { try body() } catch { refuse(question, operation, error) }
    }

    private func dispatch(_ request: HostRequest, _ question: Question) throws(Refusal) {
        switch request {
        case .echo(let echo):
            try access(of: question.asker.identity.client).requireClient()
            complete(question.asker, .bytes(echo.data))
        case .diagnostics, .generateKey, .importKey, .exportKey, .diversifyKey:
            askSlowly(request, question)
        case .randomValue(let random):
            try access(of: question.asker.identity.client).requireGrant(.random)
            send(question, hot, .bytes, nil) { $0.randomBytes(count: random.count) }
        case .checkValue(let check):
            try HostRules.check(check)
            try ask(question, hot, .checkValue, check.key, .checkValue) { $0.checkValue($1) }
        case .generateMAC(let generate): try ask(generate, question)
        case .verifyMAC(let verify): try ask(verify, question)
        case .authorizeLoad(let load):
            try ask(question, hot, .load, load.key.master, .purseLoad) { $0.authorise($1, load) }
        case .makePurchaseMAC(let purchase):
            try ask(question, hot, .purseMAC, purchase.key.master, .pursePurchase) { $0.purchaseMAC1($1, purchase) }
        case .checkPurchaseMAC(let check):
            try ask(question, hot, .verdict, check.key.master, .purseVerify) { $0.verifyPurchaseMAC2($1, check) }
        case .verifyTAC(let check): try ask(check, question)
        case .verifyTACBatch(let batch):
            try ask(question, bulk, .verdicts, batch.key, .verifyTAC) { $0.verifyTACBatch($1, batch) }
        }
    }

    private func ask(_ generate: GenerateMACRequest, _ question: Question) throws(Refusal) {
        try HostRules.check(generate.fields)
        try ask(question, hot, .mac, generate.fields.key, .generateMAC) { $0.generateMAC($1, generate.fields) }
    }

    private func ask(_ verify: VerifyMACRequest, _ question: Question) throws(Refusal) {
        try HostRules.check(verify.fields)
        guard !verify.fields.mode.isContinued else {
            return try ask(question, hot, .mac, verify.fields.key, .verifyMAC) { $0.generateMAC($1, verify.fields) }
        }
        guard let mac = verify.mac else { throw .host(.inputData) }
        try ask(question, hot, .verdict, verify.fields.key, .verifyMAC) { $0.verifyMAC($1, verify.fields, mac) }
    }

    private func ask(_ check: VerifyTACRequest, _ question: Question) throws(Refusal) {
        try ask(question, hot, .verdict, check.key.master, .verifyTAC) { $0.verifyTAC($1, check) }
    }

    // MARK: To the module

    /// A request on its way.
    struct Question {
        let asker: Asker
        /// The handle was void: this time the key goes along as a block.
        let isRetry: Bool
    }

    /// Sends a command with one key: by handle, or the first time by its block, with an `OpenKey` beside it.
    private func ask(
        _ question: Question, _ channel: ModuleChannel?, _ shape: AnswerShape, _ key: HostKeyReference,
        _ operation: ServiceOperation, _ write: (inout ModuleMessage, ModuleMessage.Key) -> Void
    ) throws(Refusal) {
        let entry = try entry(key, for: operation, question.asker)
        if entry.handle != 0, !question.isRetry {
            let handle = entry.handle
            return send(question, channel, shape, entry) { write(&$0, .handle(handle)) }
        }
        if !entry.isOpening, let channel {
            entry.isOpening = channel.add(ModuleSlot(purpose: .open(entry))) { $0.openKey(entry.key.reference) }
        }
        send(question, channel, shape, entry) { write(&$0, .reference(entry.key.reference)) }
    }

    private func send(
        _ question: Question, _ channel: ModuleChannel?, _ shape: AnswerShape, _ entry: KeyEntry?,
        _ write: (inout ModuleMessage) -> Void
    ) {
        let slot = ModuleSlot(
            purpose: .answer(question.asker, shape: shape, key: entry, isRetry: question.isRetry))
        guard channel?.add(slot, write) == true else { return take(slot, .refused(.unavailable)) }
    }

    /// Takes one answer of the module.
    func take(_ slot: ModuleSlot, _ answer: ModuleChannel.ModuleAnswer) {
        switch slot.purpose {
        case .open(let entry):
            entry.isOpening = false
            guard case .success(let body) = answer else { return }
            entry.handle = body.getInteger(at: body.readerIndex, as: UInt64.self) ?? 0
        case .answer(let asker, let shape, let entry, let isRetry):
            switch answer {
            case .success(let body):
                finish(asker, HostAnswer(shape, body), entry)
            case .byte(let byte):
                finish(asker, HostAnswer(shape, byte: byte), entry)
            case .refused(.unknownHandle) where !isRetry:
                entry?.handle = 0
                askAgain(asker)
            case .refused(let error):
                finish(asker, .refused(ErrorTable.code(error)), entry)
            }
        }
    }

    /// The module has forgotten the key: the request is read again from its frame and carries the key itself.
    private func askAgain(_ asker: Asker) {
        switch asker {
        case .connection(let connection, let sequence):
            guard let frame = connection.frame(sequence) else { return }
            answer(frame, Question(asker: asker, isRetry: true))
        case .call(let call): answer(call, isRetry: true)
        }
    }

    private func finish(_ asker: Asker, _ answer: HostAnswer, _ entry: KeyEntry?) {
        if let entry {
            count(entry, succeeded: answer.isSuccess)
            if case .refused(.verificationFailed) = answer {
                surroundings.failedChecks.record(
                    client: entry.client, key: entry.key.name, operation: entry.operation,
                    code: HostErrorCode.verificationFailed.rawValue, origin: asker.identity.origin)
            }
        }
        complete(asker, answer)
    }

    private func refuse(_ question: Question, _ operation: ServiceOperation?, _ refusal: Refusal) {
        if case .keys(let error) = refusal, let operation {
            // Somebody asks for what was not granted: worth a line, at a bounded rate.
            if error == .grantMissing || error == .clientUnknown {
                let identity = question.asker.identity
                surroundings.failedChecks.record(
                    client: identity.client, key: KeyAccess.unnamed, operation: operation,
                    code: refusal.code.rawValue, origin: identity.origin)
            }
        }
        complete(question.asker, .refused(refusal.code))
    }

    /// Gives the answer to who waits for it.
    private func complete(_ asker: Asker, _ answer: HostAnswer) {
        switch asker {
        case .connection(let connection, let sequence): connection.complete(sequence, answer)
        case .call(let call): end(call, answer)
        }
    }

    // MARK: Slow commands

    /// Runs on other threads, over another connection to the module; the answer still waits for its turn.
    private func askSlowly(_ request: HostRequest, _ question: Question) {
        let asker = question.asker
        let identity = asker.identity
        let access = access(of: identity.client)
        let slow = surroundings.slow
        let eventLoop = eventLoop
        let bound = NIOLoopBound((self, asker), eventLoop: eventLoop)
        Task {
            let answer = await slow.answer(request, access, origin: identity.origin)
            eventLoop.execute {
                let (loop, asker) = bound.value
                loop.complete(asker, answer)
                loop.flushDirty()
            }
        }
    }
}
