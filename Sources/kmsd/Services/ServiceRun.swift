import CryptoService
import Logging
import ServiceLifecycle
import UnixSignals

/// Runs the services of `kmsd serve` until a signal, and then to their end.
///
/// The first SIGTERM or SIGINT takes no more work and answers what was accepted, for at most `stopSeconds`; a second one gives up
/// what is still open. Both are told to systemd.
struct ServiceRun: Sendable {
    /// How it ended.
    enum End: Sendable, Equatable {
        /// All that was accepted has been answered, or its time was up.
        case stopped
        /// A second signal came first.
        case hastened
    }

    let services: [any Service]
    let metrics: ServiceMetrics
    let stopSeconds: Int
    let notice: SupervisorNotice
    let log: Logger

    func run() async throws -> End {
        var configuration = ServiceGroupConfiguration(services: services.map { .init(service: $0) }, logger: log)
        // The doors keep their own, shorter time; this one is for a service that forgets to end.
        configuration.maximumGracefulShutdownDuration = .seconds(stopSeconds + 10)
        let group = ServiceGroup(configuration: configuration)
        return try await withThrowingTaskGroup(of: End.self) { tasks in
            tasks.addTask {
                try await group.run()
                return .stopped
            }
            tasks.addTask { try await watchSignals(group) }
            tasks.addTask { try await keepWatchdog() }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? .stopped
        }
    }

    /// Returns at the second signal, which ends the others by cancelling them.
    private func watchSignals(_ group: ServiceGroup) async throws -> End {
        var isStopping = false
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            if isStopping {
                log.warning("a second signal: what is open is given up", metadata: ["signal": "\(signal)"])
                return .hastened
            }
            isStopping = true
            log.notice("stopping: what was accepted is answered", metadata: ["signal": "\(signal)"])
            metrics.beginStopping()
            notice.stopping()
            await group.triggerGracefulShutdown()
        }
        // Cancelled because the services have ended.
        throw CancellationError()
    }

    /// Says that the event loops turn, twice in the time that systemd allows; a loop that hangs keeps it from being said.
    private func keepWatchdog() async throws -> End {
        let half = max(100_000, (notice.watchdogMicroseconds ?? 20_000_000) / 2)
        var isReady = false
        while true {
            if !isReady, metrics.openDoors.isSuperset(of: [.tcp, .http]) {
                isReady = true
                notice.ready("taking requests")
            }
            if notice.watchdogMicroseconds != nil, metrics.loopsTurn { notice.alive() }
            try await Task.sleep(for: isReady ? .microseconds(Int64(half)) : .milliseconds(100))
        }
    }
}
