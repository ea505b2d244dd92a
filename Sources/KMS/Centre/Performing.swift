public import HSMBridge
internal import MariaDB
import Synchronization

/// What the outcome record says beyond what the `begun` record said.
struct OutcomeNotes {
    var checkValue: KeyCheckValue?
    var fields: [AuditField: String] = [:]
    /// Further records of the same work, such as one for each key that a compromise drags along.
    var further: [(object: String, checkValue: KeyCheckValue?)] = []
}

extension KeyCentre {
    /// Checks the role and nothing else; a refusal is recorded. For reading.
    public func authorise(_ operation: Operation, on object: String = "", by actor: Actor) async throws(KMSError) {
        do throws(KMSError) {
            try await requireRole(operation, actor)
        } catch {
            try await recordRefusal(operation, object, actor, error, fields: [:])
            throw error
        }
    }

    /// Work of another room under the rules of this one: role and approval checked, `begun` durable in both sinks, then
    /// `body`, then the outcome. An error of `body` is recorded as failed and thrown on.
    public func perform<R>(
        _ operation: Operation, on object: String, fields: [AuditField: String] = [:],
        approval: (Intent, ApprovalID)? = nil, by actor: Actor, _ body: () async throws -> R
    ) async throws -> R {
        let result: Result<R, any Error> = try await carryOut(
            operation, on: object, fields: fields, approval: approval, by: actor
        ) { (_) async throws(KMSError) in
            do { return .success(try await body()) } catch { return .failure(error) }
        } failure: { result in
            guard case .failure(let error) = result else { return nil }
            return (error as? KMSError)?.code ?? "failed"
        }
        return try result.get()
    }

    /// The one way in which a management operation happens.
    ///
    /// 1. Role, and for two-person operations an approval that fits, is somebody else's and is in its time; a refusal is
    ///    recorded. 2. The `begun` record is durable in both sinks, or nothing happens. 3. The approval is used up. 4. The
    ///    work. 5. The outcome record; if it cannot be written now it is owed, and the caller is told so.
    func carryOut<R>(
        _ operation: Operation, on object: String, checkValue: KeyCheckValue? = nil, fields: [AuditField: String] = [:],
        approval: (Intent, ApprovalID)? = nil, by actor: Actor,
        _ body: (inout OutcomeNotes) async throws(KMSError) -> R,
        failure: (R) -> String? = { _ in nil }
    ) async throws(KMSError) -> R {
        var people = [actor.name]
        var details = fields
        do throws(KMSError) {
            try await requireRole(operation, actor)
            if operation.approverRoles != nil {
                guard let approval, approval.0.operation == operation else { throw KMSError.approvalNeeded(operation) }
                people.append(try await approver(of: approval, actor))
                details[.approval] = String(approval.1)
            }
        } catch {
            try await recordRefusal(operation, object, actor, error, fields: fields)
            throw error
        }
        let begun = try await audit.append([
            AuditEvent(
                operation, actors: people, origin: actor.origin, object: object, checkValue: checkValue,
                outcome: .begun,
                fields: details)
        ])
        var notes = OutcomeNotes(checkValue: checkValue)
        func outcome(_ outcome: AuditOutcome) -> AuditEvent {
            AuditEvent(
                operation, actors: people, origin: actor.origin, object: object, checkValue: notes.checkValue,
                outcome: outcome, reference: begun.first, fields: notes.fields)
        }
        let result: R
        do throws(KMSError) {
            if let approval, operation.approverRoles != nil { try await use(approval, actor) }
            result = try await body(&notes)
        } catch {
            if case .storedKeyRefused(let key, let reason) = error {
                try? await audit.appendOutcome(Self.finding(key, "\(reason)", actor.origin))
            }
            // The work failed whether or not the record of it can be written now; it is owed then.
            try? await audit.appendOutcome(outcome(.failed(code: error.code)))
            throw error
        }
        try await recordEnd(outcome(failure(result).map { .failed(code: $0) } ?? .done), notes)
        return result
    }

    /// A stored block that the module refused on the hot path: one record a minute for each key and reason.
    public func reportRefusedBlock(_ key: KeyIdentity, _ error: ModuleError, origin: String) async {
        let now = clocks.monotonicNanoseconds()
        let name = "\(key) \(error.rawValue)"
        let isNew = desk.withLock { desk in
            if let last = desk.findings[name], now &- last < 60_000_000_000 { return false }
            if desk.findings.count > 1_000 { desk.findings = [:] }
            desk.findings[name] = now
            return true
        }
        if isNew { _ = try? await audit.append([Self.finding(key.description, "\(error)", origin)]) }
    }

    static func finding(_ object: String, _ text: String, _ origin: String) -> AuditEvent {
        AuditEvent(.keyFinding, actors: [], origin: origin, object: object, outcome: .noted, fields: [.finding: text])
    }

    private func recordEnd(_ event: AuditEvent, _ notes: OutcomeNotes) async throws(KMSError) {
        var isRecorded = true
        do throws(KMSError) { try await audit.appendOutcome(event) } catch { isRecorded = false }
        for further in notes.further {
            let more = AuditEvent(
                event.operation, actors: event.actors, origin: event.origin, object: further.object,
                checkValue: further.checkValue, outcome: .noted, reference: event.reference)
            do throws(KMSError) { try await audit.appendOutcome(more) } catch { isRecorded = false }
        }
        if !isRecorded { throw .outcomeNotRecorded }
    }

    func recordRefusal(
        _ operation: Operation, _ object: String, _ actor: Actor, _ error: KMSError, fields: [AuditField: String]
    ) async throws(KMSError) {
        try await audit.append([
            AuditEvent(
                operation, actors: [actor.name], origin: actor.origin, object: object,
                outcome: .refused(code: error.code), fields: fields)
        ])
    }

    /// Roles are read anew each time, so that one taken away on any node counts at once.
    private func requireRole(_ operation: Operation, _ actor: Actor) async throws(KMSError) {
        guard let roles = try await roles(of: actor.name) else { throw .sessionEnded }
        guard !roles.isDisjoint(with: operation.roles) else { throw .roleMissing(operation) }
    }

    func roles(of name: String) async throws(KMSError) -> Set<Role>? {
        try await read { connection in try AdministratorRoleTable.roles(of: name, &connection) }
    }
}
