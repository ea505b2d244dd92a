import HSMBridge

extension BeginComponentEntry: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> ComponentEntry {
        let settings = execution.module.settings
        let now = settings.monotonicSeconds()
        execution.module.entries.forgetExpired(now: now)
        return try execution.module.entries.begin(self, deadline: now + Int64(settings.ceremonyLimitSeconds))
    }

    func journalFields() -> [JournalField] {
        attributes.journalFields(identity) + [JournalField("components", components)]
    }
}

extension EnterComponent: ExecutableCommand {
    borrowing func execute(in execution: inout Execution) throws(ModuleRefusal) -> ComponentEntry {
        try execution.module.entries.enter(self, now: execution.module.settings.monotonicSeconds())
    }

    borrowing func journalFields() -> [JournalField] { [JournalField("number", number)] }

    static func journalFields(of reply: ComponentEntry) -> [JournalField] {
        let text = reply.entered.map { $0?.description ?? "-" }.joined(separator: ",")
        return [JournalField("entered", text)]
    }
}

extension FinishComponentEntry: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let keyring = try execution.keyring()
        let formed = try execution.module.entries.finish(session, now: execution.module.settings.monotonicSeconds())
        return try formed.wrapped(by: keyring)
    }

    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}

extension AbortComponentEntry: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Done {
        try execution.module.entries.abort(session, now: execution.module.settings.monotonicSeconds())
        return Done()
    }
}
