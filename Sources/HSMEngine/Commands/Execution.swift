import HSMBridge

/// A command as the module carries it out. `HSMBridge` says what it is; its file here says what it does.
protocol ExecutableCommand: ModuleCommand, ~Copyable {
    borrowing func execute(in execution: inout Execution) throws(ModuleRefusal) -> Reply
    /// What the journal says of it before it is carried out, and of its reply. Only commands whose rule journals them need these.
    borrowing func journalFields() -> [JournalField]
    static func journalFields(of reply: Reply) -> [JournalField]
}

extension ExecutableCommand where Self: ~Copyable {
    borrowing func journalFields() -> [JournalField] { [] }
    static func journalFields(of reply: Reply) -> [JournalField] { [] }
}

/// The carrying out of one message: who asked, and the module's state as it was taken out of its lock.
struct Execution {
    let module: SoftwareModule
    let caller: Caller
    private var state = ModuleState.failed
    private var ceremonyExpired = false
    /// The caller's rights, looked up once a message.
    private let mayCalculate: Bool
    private let mayManage: Bool
    private var held: Keyring?
    /// The key of the last reference by handle: a batch mostly names one.
    private var lastHandle = KeyHandle(rawValue: 0)
    private var lastEntry: OpenKeyEntry?
    private var lastAllowed: CommandCode?

    init(module: SoftwareModule, caller: Caller) {
        self.module = module
        self.caller = caller
        mayCalculate = caller.rights.contains(.calculate)
        mayManage = caller.rights.contains(.manage)
        refresh()
    }

    mutating func refresh() {
        (state, held, ceremonyExpired) = module.current()
        lastEntry = nil
        lastAllowed = nil
    }

    /// The keyring of an operational module.
    func keyring() throws(ModuleRefusal) -> Keyring {
        guard let held, !held.isVoid else { throw ModuleRefusal(.sealed) }
        return held
    }

    mutating func key(_ reference: KeyReference) throws(ModuleRefusal) -> OpenKeyEntry {
        if case .handle(let handle) = reference {
            if handle == lastHandle, let lastEntry { return lastEntry }
            let entry = try keyring().cache.entry(handle)
            lastHandle = handle
            lastEntry = entry
            return entry
        }
        return try keyring().key(reference).entry
    }

    /// One command, from its bytes to its reply. A refusal of any kind is a reply; it never reaches the command after it.
    mutating func carryOut<Command: ExecutableCommand & ~Copyable>(
        _ type: Command.Type, _ reader: inout WireReader, into writer: inout ModuleReplyWriter
    ) {
        do throws(ModuleRefusal) {
            let rule = Command.code.rule
            if held?.isVoid ?? false { refresh() }
            guard isEntitled(by: rule) else { throw ModuleRefusal(.notPermitted) }
            let command = try decode(type, &reader)
            guard rule.states.contains(state) else {
                throw ModuleRefusal(Command.code.refusal(in: state, ceremonyExpired: ceremonyExpired))
            }
            guard rule.journalling != .no else {
                writer.append(try command.execute(in: &self))
                return
            }
            defer { refresh() }
            writer.append(try journalled(command, rule.journalling))
        } catch {
            writer.append(error)
        }
    }

    /// The caller has the right that a command needs; a question needs any.
    private func isEntitled(by rule: CommandRule) -> Bool {
        switch rule.right {
        case .calculate: mayCalculate
        case .manage: mayManage
        case nil: mayCalculate || mayManage
        }
    }

    /// Caller and state allow a command that is not journalled, and the keyring is still the module's.
    mutating func mayCarryOut(_ code: CommandCode) -> Bool {
        guard let held, !held.isVoid else { return false }
        // A message mostly holds commands of one kind; rights and state are those of the whole message.
        if code == lastAllowed { return true }
        let rule = code.rule
        guard rule.journalling == .no, isEntitled(by: rule), rule.states.contains(state) else { return false }
        lastAllowed = code
        return true
    }

    private func decode<Command: ModuleCommand & ~Copyable>(
        _ type: Command.Type, _ reader: inout WireReader
    ) throws(ModuleRefusal) -> Command {
        do throws(WireError) {
            let command = try Command(from: &reader)
            try reader.end()
            return command
        } catch {
            throw ModuleRefusal(.malformedRequest)
        }
    }

    /// Recorded before it is carried out, and its outcome after. Where the outcome cannot be recorded, a reply that would give
    /// something away (a key block) is withheld.
    private mutating func journalled<Command: ExecutableCommand & ~Copyable>(
        _ command: borrowing Command, _ duty: CommandRule.Journalling
    ) throws(ModuleRefusal) -> Command.Reply {
        let name = "\(Command.code)"
        let who = [JournalField("uid", caller.user), JournalField("pid", caller.process)]
        try note("begin", name, who + command.journalFields(), duty)
        let reply: Command.Reply
        do throws(ModuleRefusal) {
            reply = try command.execute(in: &self)
        } catch {
            try note("end", name, who + [JournalField("result", "\(error.error)")], duty)
            throw error
        }
        let outcome = [JournalField("result", "ok")] + Command.journalFields(of: reply)
        try note("end", name, who + outcome, duty)
        return reply
    }

    private func note(
        _ phase: String, _ name: String, _ fields: [JournalField], _ duty: CommandRule.Journalling
    ) throws(ModuleRefusal) {
        do throws(ModuleRefusal) { try module.journal.append(phase, name, fields) } catch {
            if duty == .required { throw error }
        }
    }
}
