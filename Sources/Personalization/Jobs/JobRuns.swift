internal import HSMBridge
public import KMS
internal import MariaDB

/// Thrown through `KeyCentre.perform` so that the audit trail says "failed" of a job that did not finish.
private struct JobStopped: Error {}

extension CardIssuing {
    /// Checks everything that can be checked before a card is touched and begins; the number of the job.
    public func start(_ request: JobRequest, by actor: Actor) async throws(IssuingError) -> Int64 {
        try await begin(request, by: actor).0
    }

    /// The same, and waits for the end: `finished`, `interrupted` or `failed`.
    public func personalise(_ request: JobRequest, by actor: Actor) async throws(IssuingError) -> CardJob {
        let (id, ended) = try await begin(request, by: actor)
        _ = try await ended.value()
        return try await load(id)
    }

    /// Goes on with an interrupted job and the same card, and waits for the end. `data` is for secret fields only, when this
    /// server has been restarted since.
    public func continueJob(
        _ id: Int64, reader: String, data: [String: String] = [:], by actor: Actor
    ) async throws(IssuingError) -> CardJob {
        try await authorise(.personaliseCard, actor)
        await settleOwed()
        let stored = try await read { connection in try CardJobTable.one(id, &connection) }
        guard let stored else { throw .jobUnknown(id) }
        guard stored.state == .interrupted else { throw .notContinuable(id, "it is \(stored.state.rawValue)") }
        guard let profile = library.profile(stored.profile) else { throw .unknownProfile(stored.profile) }
        let (image, values) = try image(of: stored, profile, secrets: data)
        let index = stored.isStepOpen ? stored.step - 1 : stored.step
        for field in image.secrets(from: index) where values.pins[field] == nil {
            throw .dataField(field, expected: profile.field(field)?.expected ?? "a PIN")
        }
        try await checkKeys(image, actor)
        let start = StartPoint.resume(
            index: index, isUncertain: stored.isStepOpen, serial: stored.serial.flatMap(Hex.decode))
        try await checkReader(reader)
        try stations.take(reader)
        let fields: [AuditField: String] = [
            .job: String(id), .profile: stored.profile, .reader: reader, .step: String(stored.step),
            .cardSerial: stored.serial ?? "",
        ]
        let (begun, ended) = (Promise<Int64>(), Promise<JobState>())
        let node = settings.node
        Task {
            await self.run(image, values, start, reader: reader, fields, actor, begun, ended) {
                try await self.database.write { connection in
                    guard try CardJobTable.resume(id, node: node, reader: reader, &connection) else {
                        throw IssuingError.notContinuable(id, "it is not interrupted any more")
                    }
                    return id
                }
            }
        }
        _ = try await begun.value()
        _ = try await ended.value()
        return try await load(id)
    }

    private func begin(_ request: JobRequest, by actor: Actor) async throws(IssuingError) -> (Int64, Promise<JobState>)
    {
        try await authorise(.personaliseCard, actor)
        await settleOwed()
        guard let profile = library.profile(request.profile) else { throw .unknownProfile(request.profile) }
        let now = clocks.wall()
        let values = try JobData(request.data, fields: profile.fields, today: Self.day(now))
        let snapshot = centre.directory.snapshot
        let lookup = KeyLookup(issuer: request.issuer, now: now) { snapshot.currentKey($0) }
        let image = try CardImage.make(profile, data: values, keys: lookup)
        try await checkKeys(image, actor)
        try await checkReader(request.reader)
        try stations.take(request.reader)
        let fields: [AuditField: String] = [
            .profile: profile.name, .reader: request.reader, .cardKind: profile.stockKind, .batch: request.batch ?? "",
        ]
        let (begun, ended) = (Promise<Int64>(), Promise<JobState>())
        let versions = Dictionary(uniqueKeysWithValues: lookupVersions(profile, request.issuer, snapshot))
        let node = settings.node
        Task {
            await self.run(image, values, .fresh, reader: request.reader, fields, actor, begun, ended) {
                try await self.database.write { connection in
                    let kind = profile.stockKind
                    guard let batch = try CardStockTable.batch(kind: kind, named: request.batch, &connection) else {
                        throw IssuingError.noStock(kind: kind)
                    }
                    let id = try CardJobTable.insert(
                        .init(
                            node: node, profile: profile.name, issuer: request.issuer, reader: request.reader,
                            kind: kind,
                            batch: batch, person: actor.name, steps: image.steps.count, data: values.shown,
                            keyVersions: versions, now: now.microseconds), &connection)
                    try StockMovementTable.move(
                        .init(
                            kind: kind, batch: batch, from: .blank, to: .working, job: id, person: actor.name,
                            reason: "job \(id)", now: now.microseconds), &connection)
                    return id
                }
            }
        }
        return (try await begun.value(), ended)
    }

    /// A job that goes on does so with the data and the key versions that it began with.
    private func image(
        of stored: CardJobTable.Stored, _ profile: CardProfile, secrets: [String: String]
    ) throws(IssuingError) -> (CardImage, JobData) {
        let isSecret = Set(profile.fields.filter(\.isSecret).map(\.name))
        for name in secrets.keys where !isSecret.contains(name) {
            throw .unknownField(name, allowed: isSecret.sorted())
        }
        let given = stored.data.merging(secrets) { first, _ in first }
        let fresh = try JobData(given, fields: profile.fields, today: Self.day(clocks.wall()))
        let kept = stations.data(of: stored.id)?.pins ?? [:]
        let values = JobData(values: fresh.values, pins: fresh.pins.merging(kept) { new, _ in new }, shown: fresh.shown)
        let snapshot = centre.directory.snapshot
        let lookup = KeyLookup(issuer: stored.issuer, now: clocks.wall()) { name in
            stored.keyVersions[name.description].flatMap { KeyIdentity($0) }.flatMap { snapshot.key($0) }
        }
        let image = try CardImage.make(profile, data: values, keys: lookup, needsSecrets: false)
        guard image.steps.count == stored.steps else {
            throw .notContinuable(stored.id, "the profile was changed since; scrap the card")
        }
        return (image, values)
    }

    private func lookupVersions(_ profile: CardProfile, _ issuer: String, _ snapshot: Snapshot) -> [(String, String)] {
        Set(profile.keys.map(\.label)).compactMap { label in
            guard let name = KeyName("\(issuer)/\(label)"), let key = snapshot.currentKey(name) else { return nil }
            return (name.description, key.identity.description)
        }
    }

    /// Has the module open every key and form its check value: a sealed module, a damaged or moved block, a key that may not do
    /// what the profile wants shows here, and not when half a card is made.
    private func checkKeys(_ image: CardImage, _ actor: Actor) async throws(IssuingError) {
        let keys = image.allKeys
        let replies: [Result<KeyCheckValue, ModuleRefusal>]
        do throws(ModuleError) {
            replies = try await module.execute(all: keys.map { DerivedCheckValue(key: $0.derived) })
        } catch { throw .module(error) }
        for (key, reply) in zip(keys, replies) {
            guard case .failure(let refusal) = reply else { continue }
            if [.sealed, .uninitialised, .ceremonyOpen, .failed, .busy, .unavailable].contains(refusal.error) {
                throw .module(refusal.error)
            }
            await centre.reportRefusedBlock(key.identity, refusal.error, origin: actor.origin)
            throw .keyUnusable(key.identity.description, .storedKeyRefused(key.identity.description, refusal.error))
        }
    }

    private func checkReader(_ reader: String) async throws(IssuingError) {
        guard try readers().contains(reader) else { throw .card(.readerUnknown(String(reader.prefix(128)))) }
    }

    static func day(_ now: Timestamp) -> String { now.text.prefix(10).filter { $0 != "-" } }
}

extension CardIssuing {
    /// One session of a job, under the rules of the key centre: recorded before, carried out, recorded after.
    private func run(
        _ image: CardImage, _ data: JobData, _ start: StartPoint, reader: String, _ fields: [AuditField: String],
        _ actor: Actor,
        _ begun: Promise<Int64>, _ ended: Promise<JobState>, enter: () async throws -> Int64
    ) async {
        var end: JobEnd?
        do {
            try await centre.perform(
                .personaliseCard, on: "\(image.profile) in \(reader)", fields: fields, by: actor
            ) {
                let id = try await enter()
                stations.keep(data, of: id)
                stations.note(
                    JobProgress(job: id, step: 0, steps: image.steps.count, name: "identify", state: .running))
                begun.resolve(.success(id))
                let outcome = await session(id, image, data, start, reader: reader)
                let settled = Self.end(of: id, outcome, actor.name)
                end = settled
                stations.owe(settled)
                await settleOwed()
                if settled.state != .finished { throw JobStopped() }
            }
        } catch { begun.resolve(.failure(.from(error))) }
        stations.release(reader)
        guard let end else { return ended.resolve(.failure(.database)) }
        if end.state == .finished { stations.forget(end.job) }
        stations.note(
            JobProgress(
                job: end.job, step: image.steps.count, steps: image.steps.count, name: end.message ?? "",
                state: end.state))
        ended.resolve(.success(end.state))
    }

    private func session(
        _ id: Int64, _ image: CardImage, _ data: JobData, _ start: StartPoint, reader: String
    ) async -> SessionEnd {
        let (database, clocks, stations, kind) = (
            database, clocks, stations, library.profile(image.profile)?.stockKind ?? ""
        )
        let personaliser = Personaliser(
            image: image, data: data, module: module,
            journal: { record in try await Self.write(record, of: id, kind: kind, database, clocks) },
            progress: { step, name in
                stations.note(JobProgress(job: id, step: step, steps: image.steps.count, name: name, state: .running))
            })
        let result = Promise<SessionEnd>()
        do {
            try await cards.withCard(reader) { channel in
                result.resolve(.success(personaliser.run(channel, from: start)))
            }
            return try await result.value()
        } catch {
            // The card was never reached: nothing was sent to it in this session.
            guard case .resume(let index, _, _) = start else {
                return .failed(step: 0, name: "identify", status: nil, reason: IssuingError.from(error).message)
            }
            let name = index < image.steps.count ? image.steps[index].name : "end"
            return .interrupted(step: index + 1, name: name, reason: IssuingError.from(error).message)
        }
    }

    private static func write(
        _ record: StepRecord, of id: Int64, kind: String, _ database: Database, _ clocks: Clocks
    ) async throws {
        let now = clocks.wall().microseconds
        do {
            try await database.write { connection in
                try CardJobTable.note(record, job: id, kind: kind, &connection)
                try CardJobStepTable.append(record, job: id, now: now, &connection)
                try CardJobExchangeTable.append(record.exchanges, job: id, &connection)
            }
        } catch {
            guard let error = error as? DatabaseError, case .duplicateKey = error else { throw error }
            let owner = try await database.read { connection -> Int64? in
                guard let serial = try CardJobTable.one(id, &connection)?.serial ?? record.serial.map(Hex.encode) else {
                    return nil
                }
                return try CardJobTable.owner(of: "\(kind)/\(serial)", &connection)
            }
            throw IssuingError.cardInUse(job: owner ?? 0)
        }
    }

    private static func end(of id: Int64, _ outcome: SessionEnd, _ person: String) -> JobEnd {
        let (state, message, status): (JobState, String?, StatusWord?) =
            switch outcome {
            case .finished: (.finished, nil, nil)
            case .interrupted(let step, let name, let reason):
                (.interrupted, "interrupted at step \(step) (\(name)): \(reason)", nil)
            case .failed(let step, let name, let status, let reason):
                (.failed, "failed at step \(step) (\(name)): \(reason)", status)
            case .otherCard: (.interrupted, "another card was in the reader; the job waits for its own", nil)
            }
        return JobEnd(
            job: id, state: state, message: message.map { String($0.prefix(400)) }, status: status?.rawValue,
            person: person)
    }

    /// Writes the ends of jobs, and what they mean for the stock, in one transaction each. What the database cannot be told now
    /// is told before anything else is done, or found when the server starts again.
    func settleOwed() async {
        for end in stations.owed {
            let now = clocks.wall().microseconds
            do {
                try await database.write { connection in try Self.settle(end, now: now, &connection) }
                stations.settled(end.job)
            } catch { continue }
        }
    }

    private static func settle(_ end: JobEnd, now: Int64, _ connection: inout Connection) throws {
        guard let job = try CardJobTable.one(end.job, locked: true, &connection), job.state == .running else { return }
        let isOver = end.state != .interrupted
        _ = try CardJobTable.end(
            end.job, from: [.running], to: end.state, message: end.message,
            status: end.status.map { StatusWord(rawValue: $0) }, now: isOver ? now : nil, &connection)
        let target: StockPlace
        switch end.state {
        case .finished: target = .finished
        case .failed where !job.isTouched: target = .blank
        default: return
        }
        try StockMovementTable.move(
            .init(
                kind: job.kind, batch: job.batch, from: .working, to: target, job: end.job, person: end.person,
                reason: "job \(end.job) \(end.state.rawValue)", now: now), &connection)
    }
}
