import HSMBridge
import KMS

/// The document `/statusz`: how the service is doing, for a person or a program that asks once.
///
/// Everything is of this node. Rates are of the last minute, times since the start.
public struct OperationStatus: Codable, Sendable, Hashable {
    public struct Module: Codable, Sendable, Hashable {
        /// `operational`, `sealed`, `ceremony`, `uninitialised`, `failed`, or `away`.
        public var state: String
        public var firmware: String?
        public var lmkCheckValue: String?
        public var lmkTerm: Int?
        public var openKeys: Int?
        public var selfTestsPassed: Int?
        public var failure: String?
        /// Commands that wait for it.
        public var queue: Int
    }

    public struct Directory: Codable, Sendable, Hashable {
        /// `current` or `stale`.
        public var state: String
        public var ageSeconds: Double
        public var keys: Int
        public var clients: Int
        public var databaseAnswers: Bool
    }

    public struct Door: Codable, Sendable, Hashable {
        public var name: String
        /// Empty where the door is not open.
        public var address: String
        public var connections: Int
        public var opened: UInt64
        public var refused: UInt64
    }

    public struct Requests: Codable, Sendable, Hashable {
        public var total: UInt64
        public var inFlight: Int
        public var donePerSecond: Double
        /// Answered 01: a MAC or TAC that is not right.
        public var mismatchedPerSecond: Double
        public var refusedPerSecond: Double
        public var rateRefused: UInt64
        /// Median and 99th percentile since the start, in seconds; nil before the first request.
        public var medianSeconds: Double?
        public var p99Seconds: Double?
    }

    public struct Process: Codable, Sendable, Hashable {
        public var residentBytes: UInt64
        public var openDescriptors: Int
        public var descriptorLimit: Int
        public var cpuSeconds: Double
        public var loadPercent: Int
    }

    public var version: String
    public var uptimeSeconds: Double
    public var isReady: Bool
    /// What keeps the service from being ready.
    public var obstacles: [String]
    public var module: Module
    public var directory: Directory
    public var doors: [Door]
    public var requests: Requests
    public var process: Process

    /// The names on the wire.
    enum CodingKeys: String, CodingKey {
        case version, obstacles, module, directory, doors, requests, process
        case uptimeSeconds = "uptime_seconds"
        case isReady = "ready"
    }
}

extension OperationStatus.Module {
    enum CodingKeys: String, CodingKey {
        case state, firmware, failure, queue
        case lmkCheckValue = "lmk_check_value"
        case lmkTerm = "lmk_term"
        case openKeys = "open_keys"
        case selfTestsPassed = "self_tests_passed"
    }
}

extension OperationStatus.Directory {
    enum CodingKeys: String, CodingKey {
        case state, keys, clients
        case ageSeconds = "age_seconds"
        case databaseAnswers = "database_answers"
    }
}

extension OperationStatus.Requests {
    enum CodingKeys: String, CodingKey {
        case total
        case inFlight = "in_flight"
        case donePerSecond = "done_per_second"
        case mismatchedPerSecond = "mismatched_per_second"
        case refusedPerSecond = "refused_per_second"
        case rateRefused = "rate_refused"
        case medianSeconds = "median_seconds"
        case p99Seconds = "p99_seconds"
    }
}

extension OperationStatus.Process {
    enum CodingKeys: String, CodingKey {
        case residentBytes = "resident_bytes"
        case openDescriptors = "open_descriptors"
        case descriptorLimit = "descriptor_limit"
        case cpuSeconds = "cpu_seconds"
        case loadPercent = "load_percent"
    }
}

// MARK: - From the picture

extension OperationStatus {
    init(_ picture: OperationPicture) {
        let figures = picture.figures
        version = picture.version
        uptimeSeconds = figures.uptimeSeconds
        isReady = picture.isReady
        obstacles = picture.obstacles
        module = Module(
            state: picture.moduleState, firmware: picture.module?.firmware,
            lmkCheckValue: picture.module?.lmkCheckValue?.description, lmkTerm: picture.module.map { Int($0.term) },
            openKeys: picture.module.map { Int($0.openKeys) },
            selfTestsPassed: picture.module.map { Int($0.selfTestsPassed) },
            failure: picture.module.flatMap { $0.failure.isEmpty ? nil : $0.failure },
            queue: figures.sum.gauges.moduleQueue)
        directory = Directory(
            state: picture.directory.isStale ? "stale" : "current", ageSeconds: picture.directory.ageSeconds,
            keys: picture.directory.keys, clients: picture.directory.clients,
            databaseAnswers: picture.directory.databaseAnswers)
        doors = ServiceDoor.allCases.compactMap { door in
            let refused = ConnectionRefusal.allCases.reduce(0) { $0 &+ figures.refused(door, $1) }
            let opened = figures.sum.opened[Int(door.rawValue)]
            guard figures.doors[door] != nil || opened &+ refused > 0 else { return nil }
            return Door(
                name: door.name, address: figures.doors[door] ?? "", connections: figures.connections(door),
                opened: opened, refused: refused)
        }
        let rates = figures.lastMinute
        var latency = LatencyHistogram()
        for door in ServiceDoor.allCases {
            for group in CommandClass.allCases { figures.latency(door, group).map { latency.add($0) } }
        }
        requests = Requests(
            total: figures.requests, inFlight: figures.sum.gauges.inFlight, donePerSecond: rates.done,
            mismatchedPerSecond: rates.mismatched, refusedPerSecond: rates.refused, rateRefused: figures.refusedByRate,
            medianSeconds: latency.quantile(0.5).map { $0 / 1e9 }, p99Seconds: latency.quantile(0.99).map { $0 / 1e9 })
        process = Process(
            residentBytes: picture.process.residentBytes, openDescriptors: picture.process.openDescriptors,
            descriptorLimit: picture.process.descriptorLimit, cpuSeconds: picture.process.cpuSeconds,
            loadPercent: figures.loadPercent)
    }
}
