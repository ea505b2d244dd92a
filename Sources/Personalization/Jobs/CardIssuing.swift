public import HSMBridge
public import KMS
public import MariaDB

public struct IssuingSettings: Sendable {
    /// Name of this server node: jobs of others are left alone.
    public var node = "a"
    /// Cards that are made at the same time.
    public var stationLimit = 16
    public init() {}
}

/// The card issuing desk (发卡): jobs, readers and the stock of cards.
public final class CardIssuing: Sendable {
    let database: Database
    let centre: KeyCentre
    let module: any SecurityModule
    let cards: CardAccess
    let library: ProfileLibrary
    let settings: IssuingSettings
    let clocks: Clocks
    let stations: Stations

    private init(
        database: Database, centre: KeyCentre, module: any SecurityModule, cards: CardAccess, library: ProfileLibrary,
        settings: IssuingSettings, clocks: Clocks
    ) {
        self.database = database
        self.centre = centre
        self.module = module
        self.cards = cards
        self.library = library
        self.settings = settings
        self.clocks = clocks
        stations = Stations(limit: max(1, settings.stationLimit))
    }

    /// Jobs that this node left running when it died become interrupted: their journal says where.
    public static func open(
        database: Database, centre: KeyCentre, module: any SecurityModule, cards: CardAccess, profiles: ProfileLibrary,
        settings: IssuingSettings = IssuingSettings(), clocks: Clocks = .system
    ) async throws(IssuingError) -> CardIssuing {
        let desk = CardIssuing(
            database: database, centre: centre, module: module, cards: cards, library: profiles, settings: settings,
            clocks: clocks)
        let node = settings.node
        do {
            try await database.write { connection in
                for job in try CardJobTable.orphans(node: node, &connection) {
                    let place = "step \(job.step) (\(job.stepName ?? "identify"))"
                    _ = try CardJobTable.end(
                        job.id, from: [.running], to: .interrupted,
                        message: "interrupted at \(place): the server stopped",
                        status: nil, now: nil, &connection)
                }
            }
        } catch { throw .from(error) }
        return desk
    }

    public var profiles: [CardProfile] { library.profiles }

    /// Names of the readers that are plugged in.
    public func readers() throws(IssuingError) -> [String] {
        do { return try cards.names() } catch { throw .from(error) }
    }

    // MARK: Reading

    public func job(_ id: Int64, by actor: Actor) async throws(IssuingError) -> CardJob {
        try await authorise(.read, actor)
        await settleOwed()
        return try await load(id)
    }

    /// The newest first, without journal and transcript.
    public func jobs(limit: Int = 100, by actor: Actor) async throws(IssuingError) -> [CardJob] {
        try await authorise(.read, actor)
        await settleOwed()
        let count = max(1, min(limit, 1_000))
        return try await read { connection in try CardJobTable.newest(count, &connection).map { CardJob($0) } }
    }

    public func stock(by actor: Actor) async throws(IssuingError) -> [StockLine] {
        try await authorise(.read, actor)
        await settleOwed()
        return try await read { connection in try CardStockTable.all(&connection) }
    }

    /// Progress of a running job; ends with it.
    public func events(of id: Int64) -> AsyncStream<JobProgress> { stations.events(of: id) }

    // MARK: Stock

    /// Books a delivery of blanks in.
    public func receiveStock(
        kind: String, batch: String = "1", count: Int, by actor: Actor
    ) async throws(IssuingError) -> StockLine {
        guard (1...1_000_000).contains(count) else { throw .invalidCount }
        guard library.profiles.contains(where: { $0.stockKind == kind }) else { throw .invalidText("kind") }
        guard KeyIdentity.isValidPart(batch) else { throw .invalidText("batch") }
        let now = clocks.wall().microseconds
        return try await performing(
            .receiveStock, on: "\(kind) \(batch)", [.kind: kind, .batch: batch, .count: String(count)], actor
        ) {
            try await self.database.write { connection in
                try CardStockTable.receive(kind: kind, batch: batch, count: count, now: now, &connection)
                try StockMovementTable.append(
                    .init(
                        kind: kind, batch: batch, from: .supplier, to: .blank, cards: count, person: actor.name,
                        reason: "delivery", now: now), &connection)
                guard
                    let line = try CardStockTable.all(&connection).first(where: { $0.kind == kind && $0.batch == batch }
                    )
                else { throw DatabaseError.noRow }
                return line
            }
        }
    }

    /// The card of an interrupted or failed job is destroyed and counted as scrap.
    public func scrap(_ id: Int64, reason: String, by actor: Actor) async throws(IssuingError) -> CardJob {
        guard (1...200).contains(reason.utf8.count), reason.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .invalidText("reason")
        }
        await settleOwed()
        let now = clocks.wall().microseconds
        _ = try await performing(.scrapCard, on: "job \(id)", [.job: String(id), .reason: reason], actor) {
            try await self.database.write { connection in
                guard let job = try CardJobTable.one(id, locked: true, &connection) else {
                    throw IssuingError.jobUnknown(id)
                }
                guard job.state == .interrupted || (job.state == .failed && job.isTouched) else {
                    throw IssuingError.notContinuable(id, "it is \(job.state.rawValue), there is no card to scrap")
                }
                let text = "scrapped: \(reason) (was \(job.state.rawValue)\(job.message.map { ", \($0)" } ?? ""))"
                _ = try CardJobTable.end(
                    id, from: [job.state], to: .scrapped, message: String(text.prefix(400)), status: job.status,
                    now: now, &connection)
                try StockMovementTable.move(
                    .init(
                        kind: job.kind, batch: job.batch, from: .working, to: .scrapped, job: id, person: actor.name,
                        reason: reason, now: now), &connection)
            }
        }
        stations.forget(id)
        return try await load(id)
    }
}

// MARK: - Errors and records of this room

extension CardIssuing {
    func authorise(_ operation: Operation, _ actor: Actor) async throws(IssuingError) {
        do { try await centre.authorise(operation, by: actor) } catch { throw .kms(error) }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (inout Connection) throws -> T) async throws(IssuingError) -> T {
        do { return try await database.read(body) } catch { throw .from(error) }
    }

    func load(_ id: Int64) async throws(IssuingError) -> CardJob {
        try await read { connection in
            guard let job = try CardJobTable.one(id, &connection) else { throw IssuingError.jobUnknown(id) }
            return CardJob(
                job, journal: try CardJobStepTable.all(id, &connection),
                transcript: try CardJobExchangeTable.all(id, &connection))
        }
    }

    func performing<R>(
        _ operation: Operation, on object: String, _ fields: [AuditField: String], _ actor: Actor,
        _ body: () async throws -> R
    ) async throws(IssuingError) -> R {
        do { return try await centre.perform(operation, on: object, fields: fields, by: actor, body) } catch {
            throw .from(error)
        }
    }
}
