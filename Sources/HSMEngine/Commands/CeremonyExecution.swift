import HSMBridge
import Synchronization

extension SoftwareModule {
    /// Lends the admin card in a reader; the body's refusals and the reader's errors come out alike.
    func withAdminCard<R>(
        in reader: String, _ body: (AdminCard) throws(ModuleRefusal) -> R
    ) throws(ModuleRefusal) -> R {
        var result: Result<R, ModuleRefusal>?
        do {
            try settings.readers.withCard(reader) { channel in
                do throws(ModuleRefusal) { result = .success(try body(AdminCard(channel: channel))) } catch {
                    result = .failure(error)
                }
            }
        } catch let error as CardError {
            // The card's work is done even where letting go of it failed.
            if result == nil { throw AdminCard.refusal(error) }
        } catch {
            if result == nil { throw ModuleRefusal(.cardFault) }
        }
        guard let result else { throw ModuleRefusal(.internalFault) }
        return try result.get()
    }

    /// Takes the open ceremony out for work with one card at a time.
    func takeCeremony() throws(ModuleRefusal) -> LiveState.OpenCeremony {
        let taken = live.withLock { live -> Result<LiveState.OpenCeremony, ModuleRefusal> in
            live.endExpiredCeremony(now: settings.monotonicSeconds())
            guard let open = live.ceremony else {
                return .failure(ModuleRefusal(live.ceremonyExpired ? .ceremonyExpired : .ceremonyNotOpen))
            }
            guard !open.isAway else { return .failure(ModuleRefusal(.busy)) }
            live.ceremony?.isAway = true
            return .success(open)
        }
        return try taken.get()
    }

    /// Puts it back, changed or not; refused where the ceremony ended meanwhile.
    func putBack(_ open: LiveState.OpenCeremony) throws(ModuleRefusal) {
        let isSame = live.withLock { live in
            live.endExpiredCeremony(now: settings.monotonicSeconds())
            guard live.ceremony?.number == open.number else { return false }
            live.ceremony = open
            return true
        }
        guard isSame else { throw ModuleRefusal(.ceremonyExpired) }
    }

    func progress(_ open: LiveState.OpenCeremony) -> CeremonyProgress {
        let left = max(0, open.deadline - settings.monotonicSeconds())
        return CeremonyProgress(
            kind: open.ceremony.kind, presented: open.ceremony.presented, secondsLeft: UInt32(clamping: left))
    }
}

extension FormatAdminCard: ExecutableCommand {
    borrowing func execute(in execution: inout Execution) throws(ModuleRefusal) -> AdminCardInfo {
        let secret = try SecretCopy.pin(pin)
        let custodian = custodian
        let discard = discardComponent
        return try execution.module.withAdminCard(in: reader) { card throws(ModuleRefusal) in
            try card.format(custodian: custodian, pin: secret, discardComponent: discard)
        }
    }

    borrowing func journalFields() -> [JournalField] {
        [
            JournalField("reader", outside: reader), JournalField("custodian", custodian.rawValue),
            JournalField("discard", discardComponent),
        ]
    }

    static func journalFields(of reply: AdminCardInfo) -> [JournalField] { reply.journalFields }
}

extension AdminCardInfo {
    var journalFields: [JournalField] {
        [
            JournalField("custodian", custodian.rawValue), JournalField("serial", outside: serial),
            JournalField("term", term),
            JournalField("kcv", componentCheckValue),
        ]
    }
}

extension InspectAdminCard: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> AdminCardInfo {
        try execution.module.withAdminCard(in: reader) { card throws(ModuleRefusal) in try card.information() }
    }
}

extension BeginCeremony: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> CeremonyProgress {
        let module = execution.module
        let record = module.live.withLock { $0.record }
        let ceremony: Ceremony
        switch (kind, record.masterKey) {
        case (.generate, nil): ceremony = try .generating()
        case (.load, .some(let key)): ceremony = .loading(key)
        case (.generate, .some): throw ModuleRefusal(.alreadyInitialised)
        case (.load, nil): throw ModuleRefusal(.uninitialised)
        }
        let deadline = module.settings.monotonicSeconds() + Int64(module.settings.ceremonyLimitSeconds)
        let open = module.live.withLock { $0.begin(ceremony, deadline: deadline) ? $0.ceremony : nil }
        guard let open else { throw ModuleRefusal(.ceremonyOpen) }
        return module.progress(open)
    }

    func journalFields() -> [JournalField] { [JournalField("kind", "\(kind)")] }
}

extension PresentAdminCard: ExecutableCommand {
    borrowing func execute(in execution: inout Execution) throws(ModuleRefusal) -> CeremonyProgress {
        let module = execution.module
        let secret = try SecretCopy.pin(pin)
        let before = try module.takeCeremony()
        let after: LiveState.OpenCeremony
        do throws(ModuleRefusal) {
            after = try module.withAdminCard(in: reader) { card throws(ModuleRefusal) in
                var open = before
                try open.ceremony.present(card, pin: secret)
                return open
            }
        } catch {
            try module.putBack(before)
            throw error
        }
        try module.putBack(after)
        return module.progress(after)
    }

    borrowing func journalFields() -> [JournalField] { [JournalField("reader", outside: reader)] }

    static func journalFields(of reply: CeremonyProgress) -> [JournalField] {
        reply.presented.last?.journalFields ?? []
    }
}

extension FinishCeremony: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> ModuleStatus {
        let module = execution.module
        let open = try module.takeCeremony()
        do throws(ModuleRefusal) {
            switch open.ceremony.kind {
            case .generate: try finishGeneration(open, module)
            case .load: try finishLoad(open, module)
            }
        } catch {
            // Two of three cards, a wrong sum, a full disk: nothing of the ceremony stays.
            module.live.withLock { if $0.ceremony?.number == open.number { $0.endCeremony() } }
            throw error
        }
        return module.status()
    }

    private func finishGeneration(
        _ open: LiveState.OpenCeremony, _ module: SoftwareModule
    ) throws(ModuleRefusal) {
        let key = try open.ceremony.record()
        var record = module.live.withLock { $0.record }
        record.masterKey = key
        try module.write(record)
        let written = record
        module.live.withLock { if $0.ceremony?.number == open.number { $0.finishGeneration(written) } }
    }

    private func finishLoad(_ open: LiveState.OpenCeremony, _ module: SoftwareModule) throws(ModuleRefusal) {
        let lmk = try open.ceremony.masterKey()
        let record = try module.nextEpoch(module.live.withLock { $0.record })
        let keyring = try Keyring(
            lmk: lmk, term: open.ceremony.term, epoch: record.epoch, openKeyLimit: module.settings.openKeyLimit)
        let isOpen = module.live.withLock { live in
            live.ceremony?.number == open.number && live.finishLoad(record, keyring: keyring)
        }
        guard isOpen else { throw ModuleRefusal(.ceremonyExpired) }
    }

    static func journalFields(of reply: ModuleStatus) -> [JournalField] { reply.journalFields }
}

extension AbortCeremony: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> ModuleStatus {
        execution.module.live.withLock { $0.endCeremony() }
        return execution.module.status()
    }

    static func journalFields(of reply: ModuleStatus) -> [JournalField] { reply.journalFields }
}

extension SealModule: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> ModuleStatus {
        let module = execution.module
        module.entries.forgetAll()
        guard module.live.withLock({ $0.seal() }) else { throw ModuleRefusal(.internalFault) }
        return module.status()
    }

    static func journalFields(of reply: ModuleStatus) -> [JournalField] { reply.journalFields }
}

extension ModuleStatus {
    var journalFields: [JournalField] {
        [
            JournalField("state", state.name), JournalField("term", term), JournalField("lmk", lmkCheckValue),
            JournalField("epoch", epoch),
        ]
    }
}
