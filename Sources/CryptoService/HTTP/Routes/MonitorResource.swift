import CryptoClient
import KMS
import NIOCore

/// What monitoring programs ask with NO, J2, J4, J8 and JK, as resources to GET.
struct MonitorResource: Sendable {
    let path: String
    let name: String
    let about: String
    /// The host command that does it.
    let command: String
    let grant: ServiceOperation?
    let request: HostRequest
    let answer: [JSONField]
    let example: String
    let write: @Sendable (HostAnswer, inout JSONWriter) throws(Refusal) -> Void

    /// The JSON answer to a host answer. Throws why there is none.
    func text(_ answer: HostAnswer) throws(Refusal) -> ByteBuffer {
        var writer = JSONWriter()
        writer.beginObject()
        try write(answer, &writer)
        writer.endObject()
        return writer.buffer
    }

    static let all = [port, load, volumes, healthCounts, health]

    /// For the OpenAPI document.
    var resource: ServiceResource {
        let leave = grant.map { "Needs the grant \($0.rawValue)." } ?? "Needs no grant, only a client that exists."
        return ServiceResource(
            path: path, name: name, about: about, words: "Host command \(command). \(leave)", isOpen: false,
            done: OpenAPIDocument.done(answer, example))
    }

    // MARK: Fields

    private static let time = JSONField.Kind.text(20...20)
    private static let count = JSONField.Kind.integer(0...9_007_199_254_740_991)
    private static let serial = JSONField(
        "serial", .text(1...12), "KMSD00 and the check value of the LMK: software has no serial number")
    private static let start = JSONField("start", time, "when counting began, UTC")
    private static let now = JSONField("now", time, "when this was asked, UTC")
    private static let seconds = JSONField("seconds", count, "how long was counted")
    private static let connections = JSONField("connections", .integer(0...1_000_000), "that the port takes")
    private static let firmware = JSONField("firmware", .text(1...9), "of the service, as NC says it")
    private static let lowest = JSONField("from", .integer(0...100), "per cent")
    private static let highest = JSONField("to", .integer(0...100), "per cent")
    private static let groups = JSONField(
        "groups", .list(0...101, .object([lowest, highest, seconds])),
        "seconds with a load from and to: processor time of the service over that of all processors")
    private static let commandName = JSONField("command", .text(2...2), "host command")
    private static let answers = JSONField("count", count, "answers, refusals included, through all doors")
    private static let byCommand = JSONField(
        "volumes", .list(0...1_296, .object([commandName, answers])), "by command")
    private static let restarts = JSONField("restarts", count, "of the module, unsealings included")
    private static let tampers = JSONField("tampers", count, "nothing in software notices any: 0")
    private static let states = ["unknown", "running", "not running", "absent"]
    private static let console = JSONField("console", .choice(states), "the HTTP port")
    private static let hostPort = JSONField("host_port", .choice(states), "the port of host commands")
    private static let tlsPort = JSONField("tls_port", .choice(states), "the same with TLS")
    private static let number = JSONField("number", .integer(0...99), "identifier of the LMK")
    private static let comment = JSONField("comment", .text(0...99), "its term and check value")
    private static let lmks = JSONField(
        "lmks", .list(0...99, .object([number, comment])), "loaded; none where the module is sealed or away")

    // MARK: Resources

    private static let port = MonitorResource(
        path: "/v1/monitor/port", name: "monitorPort", about: "What the port of host commands takes.", command: "NO",
        grant: nil, request: .status(StatusRequest()), answer: [connections, firmware],
        example: #"{"connections":1024,"firmware":"0001-E000"}"#
    ) { answer, writer throws(Refusal) in
        guard case .hostPort(let count, let text) = try ServiceRoute.reply(answer, as: StatusReply.self) else {
            throw .host(.internalError)
        }
        writer.name(connections.name)
        writer.value(count)
        writer.field(firmware, text)
    }

    private static let load = MonitorResource(
        path: "/v1/monitor/load", name: "monitorLoad", about: "How busy the service has been.", command: "J2",
        grant: .monitor, request: .loading(LoadingRequest()), answer: [serial, start, now, seconds, groups],
        example:
            #"{"serial":"KMSD0008D7B4","start":"2026-11-23T07:30:00Z","now":"2026-11-23T08:15:00Z","seconds":2700,"groups":[{"from":0,"to":9,"seconds":2580},{"from":10,"to":19,"seconds":120}]}"#
    ) { answer, writer throws(Refusal) in
        let reply: LoadingReply = try ServiceRoute.reply(answer)
        write(reply.period, reply.seconds, &writer)
        writer.name(groups.name)
        writer.beginList()
        for group in reply.groups {
            writer.beginObject()
            writer.name(lowest.name)
            writer.value(group.percent.lowerBound)
            writer.name(highest.name)
            writer.value(group.percent.upperBound)
            writer.name(seconds.name)
            writer.value(Int(clamping: group.periods))
            writer.endObject()
        }
        writer.endList()
    }

    private static let volumes = MonitorResource(
        path: "/v1/monitor/volumes", name: "monitorVolumes", about: "How often each command was asked.", command: "J4",
        grant: .monitor, request: .volumes(VolumesRequest()), answer: [serial, start, now, seconds, byCommand],
        example:
            #"{"serial":"KMSD0008D7B4","start":"2026-11-23T07:30:00Z","now":"2026-11-23T08:15:00Z","seconds":2700,"volumes":[{"command":"EW","count":12},{"command":"M8","count":8140233}]}"#
    ) { answer, writer throws(Refusal) in
        let reply: VolumesReply = try ServiceRoute.reply(answer)
        write(reply.period, reply.seconds, &writer)
        writer.name(byCommand.name)
        writer.beginList()
        for volume in reply.volumes {
            writer.beginObject()
            writer.field(commandName, volume.command.description)
            writer.name(answers.name)
            writer.value(Int(clamping: volume.count))
            writer.endObject()
        }
        writer.endList()
    }

    private static let healthCounts = MonitorResource(
        path: "/v1/monitor/health-counts", name: "monitorHealthCounts", about: "What has happened to the module.",
        command: "J8", grant: .monitor, request: .healthCounts(HealthCountsRequest()),
        answer: [serial, start, now, restarts, tampers],
        example:
            #"{"serial":"KMSD0008D7B4","start":"2026-11-23T07:30:00Z","now":"2026-11-23T08:15:00Z","restarts":1,"tampers":0}"#
    ) { answer, writer throws(Refusal) in
        let reply: HealthCountsReply = try ServiceRoute.reply(answer)
        write(reply.period, nil, &writer)
        for (field, count) in [(restarts, reply.restarts), (tampers, reply.tampers)] {
            writer.name(field.name)
            writer.value(Int(clamping: count))
        }
    }

    private static let health = MonitorResource(
        path: "/v1/monitor/health", name: "monitorHealth", about: "How the module and its doors are now.",
        command: "JK", grant: .monitor, request: .health(HealthRequest()),
        answer: [serial, now, console, hostPort, tlsPort, lmks],
        example:
            #"{"serial":"KMSD0008D7B4","now":"2026-11-23T08:15:00Z","console":"running","host_port":"running","tls_port":"absent","lmks":[{"number":0,"comment":"Term 1 check value 08D7B4"}]}"#
    ) { answer, writer throws(Refusal) in
        let reply: HealthReply = try ServiceRoute.reply(answer)
        writer.field(serial, trimmed(reply.serial))
        writer.field(now, text(reply.now))
        for (field, part) in [(console, reply.console), (hostPort, reply.hostPort), (tlsPort, reply.secondHostPort)] {
            writer.field(field, states[Int(part.rawValue - HealthReply.Part.unknown.rawValue)])
        }
        writer.name(lmks.name)
        writer.beginList()
        for lmk in reply.lmks {
            writer.beginObject()
            writer.name(number.name)
            writer.value(lmk.number)
            writer.field(comment, lmk.comment)
            writer.endObject()
        }
        writer.endList()
    }

    // MARK: Pieces

    private static func write(_ period: MonitoringPeriod, _ count: UInt64?, _ writer: inout JSONWriter) {
        writer.field(serial, trimmed(period.serial))
        writer.field(start, text(period.start))
        writer.field(now, text(period.now))
        guard let count else { return }
        writer.name(seconds.name)
        writer.value(Int(clamping: count))
    }

    private static func trimmed(_ serial: String) -> String {
        String(serial.reversed().drop { $0 == " " }.reversed())
    }

    /// YYMMDDHHMMSS as RFC 3339 has it.
    private static func text(_ moment: HostMoment) -> String {
        let parts = stride(from: 0, to: 12, by: 2).map { String(moment.digits.dropFirst($0).prefix(2)) }
        return "20\(parts[0])-\(parts[1])-\(parts[2])T\(parts[3]):\(parts[4]):\(parts[5])Z"
    }
}
