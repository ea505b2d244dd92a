import CryptoClient
import HSMBridge
import KMS
import Synchronization

/// Where the monitoring commands take their figures from.
struct Monitoring: Sendable {
    let metrics: ServiceMetrics
    let clocks: Clocks
    let connectionLimit: Int
    let starts = ModuleStarts()

    init(metrics: ServiceMetrics, clocks: Clocks, connectionLimit: Int) {
        self.metrics = metrics
        self.clocks = clocks
        self.connectionLimit = connectionLimit
    }
}

/// How often the module was started or unsealed since the service first saw it, told from its epoch.
final class ModuleStarts: Sendable {
    private let first = Mutex<UInt32?>(nil)

    /// Epochs grow by one with each start and each unsealing.
    func since(_ epoch: UInt32) -> UInt64 {
        first.withLock { first in
            let begun = first ?? epoch
            first = begun
            return UInt64(epoch &- begun)
        }
    }
}

/// NO, J2, J4, J8, JK: what monitoring programs of the field ask. Layouts in docs/protocol.md §6.
extension SlowCommands {
    /// Remembers the module as it is when the service begins.
    func noteModule() async {
        if let status = try? await module.execute(GetStatus()) { _ = monitoring.starts.since(status.epoch) }
    }

    /// NO. Like NC it needs no grant, only a client that exists.
    func status(_ request: StatusRequest, _ access: KeyAccess) throws(Refusal) -> StatusReply {
        try access.requireClient()
        switch request.mode {
        case .hostPort: return .hostPort(connections: monitoring.connectionLimit, firmware: Self.firmware)
        // Not evaluated by anybody; key separation, which the other "no" would deny, is kept.
        case .compliance: return .compliance(2)
        }
    }

    /// J2.
    func loading(_ access: KeyAccess) async throws(Refusal) -> LoadingReply {
        try access.requireGrant(.monitor)
        let figures = monitoring.metrics.figures()
        let periods = figures.loadPeriods
        let groups = periods.enumerated().map { index, count in
            let low = 100 * index / periods.count
            let high = index == periods.count - 1 ? 100 : 100 * (index + 1) / periods.count - 1
            return LoadingReply.Group(percent: low...high, periods: count)
        }
        return LoadingReply(
            period: await period(figures), seconds: periods.reduce(0, &+), groups: groups)
    }

    /// J4.
    func volumes(_ access: KeyAccess) async throws(Refusal) -> VolumesReply {
        try access.requireGrant(.monitor)
        let figures = monitoring.metrics.figures()
        let volumes = figures.perCommand.compactMap { command, count in
            command.map { VolumesReply.Volume(command: $0, count: count.succeeded &+ count.failed) }
        }
        return VolumesReply(
            period: await period(figures), seconds: UInt64(figures.uptimeSeconds),
            volumes: volumes.sorted { $0.command.rawValue < $1.command.rawValue })
    }

    /// J8. Nothing in software notices a hand on the machine, and there are no PIN commands: those counts are zero.
    func healthCounts(_ access: KeyAccess) async throws(Refusal) -> HealthCountsReply {
        try access.requireGrant(.monitor)
        let status = try await execute(GetStatus())
        return HealthCountsReply(
            period: period(monitoring.metrics.figures(), status), restarts: monitoring.starts.since(status.epoch))
    }

    /// JK. A module that is away or sealed is an answer: no LMK is loaded.
    func health(_ access: KeyAccess) async throws(Refusal) -> HealthReply {
        try access.requireGrant(.monitor)
        let figures = monitoring.metrics.figures()
        let status = try? await module.execute(GetStatus())
        var lmks: [HealthReply.LMK] = []
        if let status, status.state == .operational, let checkValue = status.lmkCheckValue {
            lmks = [HealthReply.LMK(number: 0, comment: "Term \(status.term) check value \(checkValue)")]
        }
        return HealthReply(
            serial: Self.serial(status), now: now,
            console: figures.doors[.http] == nil ? .unknown : .running, manager: .absent, hostPort: .running,
            secondHostPort: figures.doors[.tls] == nil ? .absent : .running, lmks: lmks)
    }

    // MARK: Pieces

    private var now: HostMoment {
        HostMoment(secondsSince1970: monitoring.clocks.wall().microseconds / 1_000_000)
    }

    private func period(_ figures: ServiceFigures) async -> MonitoringPeriod {
        period(figures, try? await module.execute(GetStatus()))
    }

    /// From the start of the service to now; counting never ends before it.
    private func period(_ figures: ServiceFigures, _ status: ModuleStatus?) -> MonitoringPeriod {
        let seconds = monitoring.clocks.wall().microseconds / 1_000_000
        let now = HostMoment(secondsSince1970: seconds)
        let start = HostMoment(secondsSince1970: seconds - Int64(figures.uptimeSeconds))
        return MonitoringPeriod(serial: Self.serial(status), start: start, end: now, now: now)
    }

    /// Software has no serial number: the check value of the LMK tells one module's service from another's.
    private static func serial(_ status: ModuleStatus?) -> String {
        "KMSD00" + (status?.lmkCheckValue?.description ?? "000000")
    }
}
