/// A metric as Prometheus knows it: one name, one kind, one meaning, and the labels that its series have.
///
/// Names are part of the interface: dashboards and alerts are built on them. docs/operations.md lists the same ones (a test
/// holds the two against each other).
public struct MetricFamily: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    public let name: String
    public let kind: Kind
    public let labels: [String]
    /// One sentence, English.
    public let help: String

    private init(_ name: String, _ kind: Kind, _ labels: [String], _ help: String) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
    }

    private init(_ name: String, _ kind: Kind, _ help: String) { self.init(name, kind, [], help) }

    /// All of them, in the order of the page.
    public static let all: [MetricFamily] =
        requestFamilies + connectionFamilies + moduleFamilies + keyFamilies + clientFamilies + serviceFamilies
        + processFamilies
}

// MARK: - Requests

extension MetricFamily {
    static let requests = MetricFamily(
        "kmsd_requests_total", .counter, ["door", "command", "code"],
        "Requests answered, by door, host command and answer code (00 done, 01 verification failed).")
    static let requestDuration = MetricFamily(
        "kmsd_request_duration_seconds", .histogram, ["door", "class"],
        "Time from the first byte of a request to its answer written, by class of command.")
    static let requestsInFlight = MetricFamily(
        "kmsd_requests_in_flight", .gauge, "Host commands accepted and not yet answered.")

    static let batchRecords = MetricFamily(
        "kmsd_batch_records", .histogram, ["command"],
        "Records of one batch: of a YB, or of an operation over HTTP that takes many.")

    private static let requestFamilies = [requests, requestDuration, requestsInFlight, batchRecords]
}

// MARK: - Connections

extension MetricFamily {
    static let connections = MetricFamily("kmsd_connections", .gauge, ["door"], "Connections open now.")
    static let connectionLimit = MetricFamily(
        "kmsd_connection_limit", .gauge, "Host-command connections that may be open at one time.")
    static let connectionsOpened = MetricFamily(
        "kmsd_connections_opened_total", .counter, ["door"], "Connections served since the start.")
    static let connectionsClosed = MetricFamily(
        "kmsd_connections_closed_total", .counter, ["door", "reason"], "Connections ended, by what ended them.")
    static let connectionsRefused = MetricFamily(
        "kmsd_connections_refused_total", .counter, ["door", "reason"], "Connections closed before they were served.")

    static let receivedBytes = MetricFamily(
        "kmsd_received_bytes_total", .counter, "Bytes of host commands received, without those of TLS.")
    static let sentBytes = MetricFamily(
        "kmsd_sent_bytes_total", .counter, "Bytes of answers to host commands, without those of TLS.")

    private static let connectionFamilies = [
        connections, connectionLimit, connectionsOpened, connectionsClosed, connectionsRefused, receivedBytes,
        sentBytes,
    ]
}

// MARK: - The module

extension MetricFamily {
    static let moduleUp = MetricFamily(
        "kmsd_module_up", .gauge, "1 while every event loop is connected to the module's process.")
    static let moduleState = MetricFamily(
        "kmsd_module_state", .gauge, ["state"], "1 for the state that the module is in, or for away.")
    static let moduleOpenKeys = MetricFamily("kmsd_module_open_keys", .gauge, "Keys open in the module.")
    static let moduleQueue = MetricFamily(
        "kmsd_module_queue", .gauge, "Commands gathered for the module or sent to it and not yet answered.")
    static let moduleMessageItems = MetricFamily(
        "kmsd_module_message_items", .histogram, ["way"],
        "Commands in one message to the module; bulk is the way of batches, signing that of RSA.")
    static let moduleMessageDuration = MetricFamily(
        "kmsd_module_message_duration_seconds", .histogram, "Time from a message's sending to the module's answer.")
    static let moduleConnections = MetricFamily(
        "kmsd_module_connections_total", .counter, "Connections made to the module's process.")
    static let moduleLosses = MetricFamily(
        "kmsd_module_losses_total", .counter, "Connections to the module's process that ended.")
    static let moduleLostRequests = MetricFamily(
        "kmsd_module_lost_requests_total", .counter, "Commands under way when a connection to the module ended.")

    private static let moduleFamilies = [
        moduleUp, moduleState, moduleOpenKeys, moduleQueue, moduleMessageItems, moduleMessageDuration,
        moduleConnections, moduleLosses, moduleLostRequests,
    ]
}

// MARK: - Keys

extension MetricFamily {
    static let keyCacheHits = MetricFamily(
        "kmsd_key_cache_hits_total", .counter, "Requests whose key was known by its words and rights.")
    static let keyCacheMisses = MetricFamily(
        "kmsd_key_cache_misses_total", .counter, "Requests whose key had to be looked up in the directory.")
    static let keyCacheEntries = MetricFamily("kmsd_key_cache_entries", .gauge, "Keys in the cache.")
    static let keysOpened = MetricFamily(
        "kmsd_keys_opened_total", .counter, "Keys opened in the module for the sake of their handle.")
    static let handlesVoided = MetricFamily(
        "kmsd_key_handles_voided_total", .counter, "Handles that the module did not know any more.")
    static let keyRequests = MetricFamily(
        "kmsd_key_requests_total", .counter, ["key", "operation", "result"],
        "Requests by the key's name (* without a stored key) and operation.")

    private static let keyFamilies = [
        keyCacheHits, keyCacheMisses, keyCacheEntries, keysOpened, handlesVoided, keyRequests,
    ]
}

// MARK: - Clients

extension MetricFamily {
    static let clientRequests = MetricFamily(
        "kmsd_client_requests_total", .counter, ["client", "result"], "Requests by client, of all doors.")
    static let rateRefused = MetricFamily(
        "kmsd_rate_refused_total", .counter, ["client"], "Requests refused because the client asks faster than it may.")

    private static let clientFamilies = [clientRequests, rateRefused]
}

// MARK: - The service

extension MetricFamily {
    static let buildInfo = MetricFamily(
        "kmsd_build_info", .gauge, ["version", "module"], "Always 1; the versions of the service and of the module.")
    static let ready = MetricFamily("kmsd_ready", .gauge, "1 where /readyz says 200.")
    static let stopping = MetricFamily("kmsd_stopping", .gauge, "1 while the service stops.")
    static let uptime = MetricFamily("kmsd_uptime_seconds", .gauge, "Since the service began.")
    static let directoryAge = MetricFamily(
        "kmsd_directory_age_seconds", .gauge, "Since keys, clients and grants were last known to be current.")
    static let directoryStale = MetricFamily(
        "kmsd_directory_stale", .gauge, "1 where the directory is older than allowed and requests are refused.")
    static let directoryKeys = MetricFamily("kmsd_directory_keys", .gauge, "Key versions in the directory.")
    static let directoryClients = MetricFamily("kmsd_directory_clients", .gauge, "Clients in the directory.")
    static let databaseUp = MetricFamily(
        "kmsd_database_up", .gauge, "1 where the database answered when it was asked last, about a second ago.")

    private static let serviceFamilies = [
        buildInfo, ready, stopping, uptime, directoryAge, directoryStale, directoryKeys, directoryClients, databaseUp,
    ]
}

// MARK: - The process

extension MetricFamily {
    static let cpu = MetricFamily("process_cpu_seconds_total", .counter, "User and system time of kmsd serve.")
    static let residentMemory = MetricFamily("process_resident_memory_bytes", .gauge, "Resident memory.")
    static let virtualMemory = MetricFamily("process_virtual_memory_bytes", .gauge, "Virtual memory.")
    static let openDescriptors = MetricFamily("process_open_fds", .gauge, "File descriptors open now.")
    static let descriptorLimit = MetricFamily("process_max_fds", .gauge, "File descriptors that may be open.")
    static let threads = MetricFamily("process_threads", .gauge, "Threads.")

    private static let processFamilies = [
        cpu, residentMemory, virtualMemory, openDescriptors, descriptorLimit, threads,
    ]
}
