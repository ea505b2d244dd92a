import CryptoClient
import HSMBridge
import KMS
import NIOCore

/// The way of one request: read, judged, sent to the module or answered here.
extension HostLoop {
    /// Takes request number `sequence` of a connection. It is answered exactly once, now or later.
    func take(_ frame: HostFrame, _ sequence: Int, _ connection: HostConnection) {
        answer(frame, Question(asker: .connection(connection, sequence: sequence)))
    }

    /// Takes a request that came through another door. It is answered exactly once, now or later.
    func take(_ call: HostCall) {
        let question = Question(asker: .call(call))
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
        case .diagnostics, .generateKey, .importKey, .exportKey, .diversifyKey, .formKey, .translateScheme,
            .translateLMK:
            askSlowly(request, question)
        case .generateKeyPair, .importPublicKey, .status, .loading, .volumes, .healthCounts, .health:
            askSlowly(request, question)
        case .sign(let sign):
            try HostRules.check(sign.method, isNew: true)
            try ask(question, leastBusySigning, .signature(of: sign.method), sign.key, .sign) {
                $0.createSignature($1, sign)
            }
        case .verifySignature(let verify):
            try HostRules.check(verify.method, isNew: false)
            try ask(question, leastBusySigning, .signatureVerdict(of: verify.method), verify.key, .verifySignature) {
                $0.verifySignature($1, verify)
            }
        case .hash(let hash):
            try access(of: question.asker.identity.client).requireGrant(.hash)
            let algorithm = try HostRules.algorithm(of: hash)
            let channel = hash.data.readableBytes > HostRules.longHash ? bulk : hot
            send(question, channel, .bytes, nil) { $0.hash(algorithm, hash.data) }
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
            let identity = question.asker.identity
            guard identity.rate.takeRest(request.places - 1) == nil else {
                surroundings.metrics.rateRefused(client: identity.client)
                return complete(question.asker, .refused(.fraudDetection))
            }
            // Over HTTP one batch of records of several shapes is several of these; it is counted there, as one.
            if case .connection = question.asker { meter.batch(.verifyTACBatch, records: batch.count) }
            try ask(question, bulk, .verdicts, batch.key, .verifyTAC) { $0.verifyTACBatch($1, batch) }
        case .oldMAC(let old):
            try HostRules.check(old)
            try ask(GenerateMACRequest(old.fields), question)
        case .encryptData(let encrypt):
            let fields = encrypt.fields
            try HostRules.check(fields, gives: [.binary, .hexadecimal])
            try ask(question, channel(fields.message), fields.shape, fields.key, .encrypt) {
                $0.encipherData($1, fields)
            }
        case .decryptData(let decrypt):
            let fields = decrypt.fields
            try HostRules.check(fields, takes: [.binary, .hexadecimal])
            try ask(question, channel(fields.message), fields.shape, fields.key, .decrypt) {
                $0.decipherData($1, fields)
            }
        case .translateData(let translate):
            try HostRules.check(translate)
            try ask(
                question, channel(translate.message), translate.outputFormat.shape, (translate.source.key, .decrypt),
                (translate.destination.key, .encrypt)
            ) { $0.translateData($1, $2, translate) }
        case .generateCardCode(let generate):
            try ask(question, hot, .cardCode, generate.key, .generateCardCode) { $0.generateCardCode($1, generate) }
        case .verifyCardCode(let verify):
            try ask(question, hot, .verdict, verify.key, .verifyCardCode) { $0.verifyCardCode($1, verify) }
        case .emv3Cryptogram(let request): try ask(CryptogramQuestion(request), question)
        case .emv4Cryptogram(let request): try ask(CryptogramQuestion(request), question)
        case .cardCryptogram(let request): try ask(CryptogramQuestion(request), question)
        case .authorizeUnload(let unload):
            try ask(question, hot, .load, unload.fields.key.master, .purseUnload) { $0.authoriseUnload($1, unload) }
        case .checkUnloadMAC(let check):
            try ask(question, hot, .verdict, check.key.master, .purseVerify) { $0.verifyUnloadMAC3($1, check) }
        case .protectCommand(let protect):
            try ask(question, hot, .bytes, protect.key.master, .protectCommand) { $0.protectCommand($1, protect) }
        case .generateUnionPayMAC(let generate):
            try ask(question, hot, .bytes, generate.key, .generateMAC) { $0.generateUnionPayMAC($1, generate) }
        case .verifyUnionPayMAC(let verify):
            try ask(question, hot, .verdict, verify.key, .verifyMAC) { $0.verifyUnionPayMAC($1, verify) }
        }
    }

    private func ask(_ generate: GenerateMACRequest, _ question: Question) throws(Refusal) {
        try HostRules.check(generate.fields)
        try ask(question, hot, .mac, generate.fields.key, .generateMAC) { $0.generateMAC($1, generate.fields) }
    }

    private func ask(_ verify: VerifyMACRequest, _ question: Question) throws(Refusal) {
        try HostRules.check(verify.fields)
        guard !verify.fields.mode.isContinued else {
            // What comes out can be a MAC (algorithm 1 over whole blocks is its chaining value), so it takes the leave to make one.
            return try ask(question, hot, .mac, verify.fields.key, .generateMAC) { $0.generateMAC($1, verify.fields) }
        }
        guard let mac = verify.mac else { throw .host(.inputData) }
        try ask(question, hot, .verdict, verify.fields.key, .verifyMAC) { $0.verifyMAC($1, verify.fields, mac) }
    }

    private func ask(_ check: VerifyTACRequest, _ question: Question) throws(Refusal) {
        try ask(question, hot, .verdict, check.key.master, .verifyTAC) { $0.verifyTAC($1, check) }
    }

    private func ask(_ cryptogram: CryptogramQuestion, _ question: Question) throws(Refusal) {
        let (shape, operation) = (cryptogram.shape, cryptogram.operation)
        if !cryptogram.task.verifies {
            guard let response = cryptogram.response else { throw .host(.inputData) }
            try ask(question, hot, shape, cryptogram.key, operation) {
                $0.respondToCryptogram($1, cryptogram, response)
            }
        } else if let issuerData = cryptogram.issuerData {
            try ask(question, hot, shape, (cryptogram.key, operation), (issuerData.key, operation)) {
                $0.verifyCryptogram($1, issuerDataKey: $2, cryptogram)
            }
        } else {
            try ask(question, hot, shape, cryptogram.key, operation) {
                $0.verifyCryptogram($1, issuerDataKey: nil, cryptogram)
            }
        }
    }

    // MARK: To the module

    /// A request on its way.
    struct Question {
        let asker: Asker
    }

    /// Sends a command with one key, which is the first field of the module's command: by handle, or the first time by its
    /// block, with an `OpenKey` beside it.
    private func ask(
        _ question: Question, _ channel: ModuleChannel?, _ shape: AnswerShape, _ key: HostKeyReference,
        _ operation: ServiceOperation, _ write: (inout ModuleMessage, ModuleMessage.Key) -> Void
    ) throws(Refusal) {
        let entry = try entry(key, for: operation, question.asker)
        if entry.handle != 0 {
            let handle = entry.handle
            return send(question, channel, shape, entry) { write(&$0, .handle(handle)) }
        }
        open(entry, channel)
        send(question, channel, shape, entry) { write(&$0, .reference(entry.key.reference)) }
    }

    /// Sends a command with two keys; it is counted for the first.
    func ask(
        _ question: Question, _ channel: ModuleChannel?, _ shape: AnswerShape,
        _ first: (key: HostKeyReference, operation: ServiceOperation),
        _ second: (key: HostKeyReference, operation: ServiceOperation), isRetry: Bool = false,
        _ write: @escaping (inout ModuleMessage, ModuleMessage.Key, ModuleMessage.Key) -> Void
    ) throws(Refusal) {
        let entries = [
            try entry(first.key, for: first.operation, question.asker),
            try entry(second.key, for: second.operation, question.asker),
        ]
        let keys = entries.map { entry -> ModuleMessage.Key in
            // One of the two was void, and the module does not say which.
            if isRetry { entry.handle = 0 }
            if entry.handle != 0 { return .handle(entry.handle) }
            open(entry, channel)
            return .reference(entry.key.reference)
        }
        let again = { [unowned self] in
            attempt(question, first.operation) { () throws(Refusal) in
                try ask(question, channel, shape, first, second, isRetry: true, write)
            }
        }
        let run = ModuleRun(
            purpose: .answer(question.asker), shape: shape, key: entries[0], isRetry: isRetry, again: again)
        guard channel?.add(run, { write(&$0, keys[0], keys[1]) }) == true else { return lose(run) }
    }

    /// Long messages go the way of batches, so that they hold nothing up.
    private func channel(_ message: HostMessage) -> ModuleChannel? { message.count > Self.longMessage ? bulk : hot }
    private static var longMessage: Int { 2_048 }

    private func open(_ entry: KeyEntry, _ channel: ModuleChannel?) {
        guard !entry.isOpening, let channel else { return }
        let run = ModuleRun(purpose: .open(entry), shape: .bytes, key: entry, isRetry: false)
        entry.isOpening = channel.add(run) { $0.openKey(entry.key.reference) }
    }

    private func send(
        _ question: Question, _ channel: ModuleChannel?, _ shape: AnswerShape, _ entry: KeyEntry?,
        _ write: (inout ModuleMessage) -> Void
    ) {
        let run = ModuleRun(purpose: .answer(question.asker), shape: shape, key: entry, isRetry: false)
        guard channel?.add(run, write) == true else { return lose(run) }
    }

    // MARK: From the module

    /// Takes the answers to a run, the first of which is for item `number` of its message.
    func take(
        _ run: ModuleRun, from channel: ModuleChannel, _ number: Int, _ replies: inout ModuleReplies,
        _ items: inout SentItems
    ) {
        switch run.purpose {
        case .open(let entry): take(opened: entry, replies.next())
        case .answer(let asker):
            var tally = RunTally()
            while tally.count < run.count {
                if case .connection(let connection, let first) = asker {
                    connection.complete(run, first: first, &replies, &tally)
                    guard tally.count < run.count else { break }
                }
                // One that is not of the usual kind.
                let asker = asker.advanced(by: tally.count)
                switch replies.next() {
                case .refused(.unknownHandle) where !run.isRetry && run.key != nil:
                    if let again = run.again {
                        tally.again += 1
                        meter.handleVoided()
                        again()
                    } else if let item = items.item(number + tally.count), askAgain(run, asker, item, channel) {
                        tally.again += 1
                    } else {
                        finish(asker, .refused(.internalError), &tally)
                    }
                case .refused(let error): finish(asker, .refused(run.shape.code(error)), &tally)
                case .success(let body): finish(asker, HostAnswer(run.shape, body), &tally)
                }
            }
            if case .connection(let connection, _) = asker { connection.endOfRun() }
            if let key = run.key { count(key, tally, origin: asker.identity.origin) }
        }
    }

    private func take(opened entry: KeyEntry, _ answer: ModuleReplies.Answer) {
        entry.isOpening = false
        guard case .success(let body) = answer else { return }
        entry.handle = body.getInteger(at: body.readerIndex, as: UInt64.self) ?? 0
        meter.keyOpened()
    }

    /// The module is away: each request of the run has its code at once.
    func lose(_ run: ModuleRun) {
        switch run.purpose {
        case .open(let entry): entry.isOpening = false
        case .answer(let asker):
            var tally = RunTally()
            while tally.count < run.count {
                finish(asker.advanced(by: tally.count), .refused(ErrorTable.code(.unavailable)), &tally)
            }
            if let key = run.key { count(key, tally, origin: asker.identity.origin) }
        }
    }

    /// The module has forgotten the key: the same item goes again with the key itself in the place of its handle.
    private func askAgain(_ run: ModuleRun, _ asker: Asker, _ item: ByteBuffer, _ channel: ModuleChannel) -> Bool {
        guard let entry = run.key else { return false }
        meter.handleVoided()
        entry.handle = 0
        open(entry, channel)
        let retry = ModuleRun(purpose: .answer(asker), shape: run.shape, key: entry, isRetry: true)
        return channel.add(retry) { $0.append(again: item, entry.key.reference) }
    }

    private func finish(_ asker: Asker, _ answer: HostAnswer, _ tally: inout RunTally) {
        if answer.isSuccess { tally.succeeded += 1 } else { tally.failed += 1 }
        switch answer {
        case .refused(.verificationFailed), .refused(.signatureInvalid): tally.wrong += 1
        // No refusal of the module has this code (06), so it is KQ's verdict.
        case .refused(.issuerDataMAC): tally.wrongIssuerData += 1
        default: break
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
