import CryptoClient
import HSMBridge
import KMS

/// Everything that is known about the running service at one moment; `/metrics`, `/statusz` and `/readyz` are views of it.
struct OperationPicture: Sendable {
    let figures: ServiceFigures
    let settings: CryptoSettings
    /// Nil where the module is away or did not answer in time.
    let module: ModuleStatus?
    let directory: DirectoryHealth
    let totals: [RequestTotal]
    let process: ProcessFigures
    let version: String

    /// The state of the module by its name, `away` where there is none.
    var moduleState: String { module?.state.name ?? Self.away }

    static let away = "away"

    /// What keeps requests from being carried out, each in a word; empty where nothing does.
    var obstacles: [String] {
        var list: [String] = []
        if figures.isStopping { list.append("stopping") }
        if module?.state != .operational { list.append("module \(moduleState)") }
        if directory.isStale { list.append("directory stale") }
        if !directory.databaseAnswers { list.append("database away") }
        return list
    }

    var isReady: Bool { obstacles.isEmpty }
}

// MARK: - Prometheus

extension OperationPicture {
    /// The page `/metrics`.
    func prometheusText() -> String {
        var page = PrometheusText()
        requests(&page)
        connections(&page)
        module(&page)
        keys(&page)
        service(&page)
        return page.text
    }

    private static let durationBounds = LatencyHistogram.bounds.map { PrometheusText.number(Double($0) / 1e9) }
    private static let batchBounds = BatchHistogram.bounds.map { String($0) }

    private func requests(_ page: inout PrometheusText) {
        page.family(.requests) { series in
            for answer in figures.answers {
                series.add(
                    [answer.door.name, CommandSlots.shared.name(answer.slot), answer.code.rawValue], answer.count)
            }
        }
        page.family(.requestDuration) { series in
            for door in ServiceDoor.allCases {
                for group in CommandClass.allCases {
                    guard let histogram = figures.latency(door, group) else { continue }
                    series.add(
                        [door.name, group.name], counts: histogram.counts, bounds: Self.durationBounds,
                        sum: Double(histogram.sum) / 1e9)
                }
            }
        }
        page.family(.requestsInFlight, figures.sum.gauges.inFlight)
        page.family(.batchRecords) { series in
            for (slot, records) in figures.sum.records.sorted(by: { $0.key < $1.key }) {
                series.add(
                    [CommandSlots.shared.name(slot)], counts: records.counts, bounds: Self.batchBounds,
                    sum: Double(records.sum))
            }
        }
    }

    private func connections(_ page: inout PrometheusText) {
        let doors = ServiceDoor.allCases
        page.family(.connections) { series in
            for door in doors { series.add([door.name], Double(figures.connections(door))) }
        }
        page.family(.connectionLimit, settings.connectionLimit)
        page.family(.connectionsOpened) { series in
            for door in doors { series.add([door.name], figures.sum.opened[Int(door.rawValue)]) }
        }
        page.family(.connectionsClosed) { series in
            for door in doors {
                for reason in ConnectionEnd.allCases {
                    series.add([door.name, reason.name], figures.closed(door, reason))
                }
            }
        }
        page.family(.connectionsRefused) { series in
            for door in doors {
                for reason in ConnectionRefusal.allCases {
                    series.add([door.name, reason.name], figures.refused(door, reason))
                }
            }
        }
    }

    private func module(_ page: inout PrometheusText) {
        page.family(.receivedBytes, figures.sum.bytesIn)
        page.family(.sentBytes, figures.sum.bytesOut)
        page.family(.moduleUp, figures.sum.gauges.moduleConnected)
        page.family(.moduleState) { series in
            for name in ModuleState.allCases.map(\.name) + [Self.away] {
                series.add([name], name == moduleState ? 1.0 : 0)
            }
        }
        page.family(.moduleOpenKeys, Int(module?.openKeys ?? 0))
        page.family(.moduleQueue, figures.sum.gauges.moduleQueue)
        page.family(.moduleMessageItems) { series in
            for way in LoopFigures.ModuleWay.allCases {
                let batches = figures.sum.batches[way.rawValue]
                series.add([way.name], counts: batches.counts, bounds: Self.batchBounds, sum: Double(batches.sum))
            }
        }
        page.family(.moduleMessageDuration) { series in
            let time = figures.sum.moduleTime
            series.add([], counts: time.counts, bounds: Self.durationBounds, sum: Double(time.sum) / 1e9)
        }
        page.family(.moduleConnections, figures.sum.moduleConnections)
        page.family(.moduleLosses, figures.sum.moduleLosses)
        page.family(.moduleLostRequests, figures.sum.moduleLost)
    }

    private func keys(_ page: inout PrometheusText) {
        page.family(.keyCacheHits, figures.sum.keyHits)
        page.family(.keyCacheMisses, figures.sum.keyMisses)
        page.family(.keyCacheEntries, figures.sum.gauges.cachedKeys)
        page.family(.keysOpened, figures.sum.keysOpened)
        page.family(.handlesVoided, figures.sum.handlesVoided)
        page.family(.keyRequests) { series in
            let byKey = Self.sums(totals) { [$0.key, $0.operation?.rawValue ?? "other"] }
            for (labels, sums) in byKey {
                series.add(labels + ["done"], sums.succeeded)
                series.add(labels + ["failed"], sums.failed)
            }
        }
        page.family(.clientRequests) { series in
            for (labels, sums) in Self.sums(totals, by: { [$0.client] }) {
                series.add(labels + ["done"], sums.succeeded)
                series.add(labels + ["failed"], sums.failed)
            }
        }
        page.family(.rateRefused) { series in
            for (client, count) in figures.rateRefused.sorted(by: { $0.key < $1.key }) { series.add([client], count) }
        }
    }

    private func service(_ page: inout PrometheusText) {
        page.family(.buildInfo) { $0.add([version, module?.firmware ?? Self.away], 1.0) }
        page.family(.ready, isReady)
        page.family(.stopping, figures.isStopping)
        page.family(.uptime, figures.uptimeSeconds)
        page.family(.directoryAge, directory.ageSeconds)
        page.family(.directoryStale, directory.isStale)
        page.family(.directoryKeys, directory.keys)
        page.family(.directoryClients, directory.clients)
        page.family(.databaseUp, directory.databaseAnswers)
        page.family(.cpu, process.cpuSeconds)
        page.family(.residentMemory, process.residentBytes)
        page.family(.virtualMemory, process.virtualBytes)
        page.family(.openDescriptors, process.openDescriptors)
        page.family(.descriptorLimit, process.descriptorLimit)
        page.family(.threads, process.threads)
    }

    /// Totals added up under the labels that `by` gives them, in the labels' order.
    static func sums(
        _ totals: [RequestTotal], by labels: (RequestTotal.Kind) -> [String]
    ) -> [(labels: [String], sums: (succeeded: UInt64, failed: UInt64))] {
        var sums: [[String]: (succeeded: UInt64, failed: UInt64)] = [:]
        for total in totals {
            let place = labels(total.kind)
            var sum = sums[place] ?? (0, 0)
            sum.succeeded &+= total.succeeded
            sum.failed &+= total.failed
            sums[place] = sum
        }
        return sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }
}

extension ServiceFigures {
    func latency(_ door: ServiceDoor, _ group: CommandClass) -> LatencyHistogram? {
        sum.latency(door, group)
    }

    func closed(_ door: ServiceDoor, _ reason: ConnectionEnd) -> UInt64 {
        sum.closed[Int(door.rawValue) * ConnectionEnd.allCases.count + Int(reason.rawValue)]
    }

    func refused(_ door: ServiceDoor, _ reason: ConnectionRefusal) -> UInt64 {
        refusedConnections[Int(door.rawValue) * ConnectionRefusal.allCases.count + Int(reason.rawValue)]
    }
}
