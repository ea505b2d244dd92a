import ArgumentParser
import CryptoService

/// `kmsd status`: the running service on one screen.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how the running service is doing, on one screen.",
        discussion: "Exit status: 0 ready, 1 running but not ready, 2 not to be reached.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var service: OperationOptions

    func run() async throws {
        let client = try await service.client(common)
        let status: OperationStatus
        do throws(OperationClient.Unreachable) { status = try await client.status() } catch {
            if common.json {
                try Terminal.json(["ready": "false", "error": error.reason])
            } else {
                Terminal.complain(error.reason)
            }
            throw ExitCode(2)
        }
        if common.json {
            try Terminal.json(status)
        } else {
            StatusScreen.lines(status).forEach { Terminal.say($0) }
        }
        if !status.isReady { throw ExitCode(1) }
    }
}

/// The status as lines of at most 80 columns where names allow it.
enum StatusScreen {
    static func lines(_ status: OperationStatus) -> [String] {
        let head =
            status.isReady
            ? "kmsd \(status.version) is ready"
            : "kmsd \(status.version) is NOT READY: "
                + status.obstacles.joined(separator: ", ")
        return [head + "   up \(FigureText.duration(status.uptimeSeconds))"] + module(status.module)
            + [directory(status.directory)] + doors(status.doors) + requests(status.requests)
            + [process(status.process)]
    }

    private static func line(_ title: String, _ text: String) -> String { FigureText.column(title, 12) + text }

    private static func module(_ module: OperationStatus.Module) -> [String] {
        var first = module.state
        if let firmware = module.firmware { first += "   \(firmware)" }
        if let value = module.lmkCheckValue { first += "   LMK term \(module.lmkTerm ?? 0), KCV \(value)" }
        var second = "\(FigureText.count(module.queue)) waiting"
        if let open = module.openKeys { second = "\(FigureText.count(open)) keys open, " + second }
        if let tests = module.selfTestsPassed { second += ", \(tests) self-tests passed" }
        var lines = [line("Module", first), line("", second)]
        if let failure = module.failure { lines.append(line("", "FAILURE: \(failure)")) }
        return lines
    }

    private static func directory(_ directory: OperationStatus.Directory) -> String {
        line(
            "Directory",
            "\(directory.state) (\(FigureText.fixed(directory.ageSeconds, 1)) s), "
                + "\(FigureText.count(directory.keys)) key versions, \(FigureText.count(directory.clients)) clients, "
                + (directory.databaseAnswers ? "database answers" : "DATABASE AWAY"))
    }

    private static func doors(_ doors: [OperationStatus.Door]) -> [String] {
        guard !doors.isEmpty else { return [line("Doors", "none open")] }
        return doors.enumerated().map { index, door in
            line(
                index == 0 ? "Doors" : "",
                FigureText.column(door.name, 6)
                    + FigureText.column(door.address.isEmpty ? "closed" : door.address, 24)
                    + "\(FigureText.count(door.connections)) open, \(FigureText.count(door.opened)) served, "
                    + "\(FigureText.count(door.refused)) refused")
        }
    }

    private static func requests(_ requests: OperationStatus.Requests) -> [String] {
        [
            line(
                "Last minute",
                "\(FigureText.rate(requests.donePerSecond)) done/s   "
                    + "\(FigureText.rate(requests.mismatchedPerSecond)) mismatched/s   "
                    + "\(FigureText.rate(requests.refusedPerSecond)) refused/s"),
            line(
                "Requests",
                "\(FigureText.count(requests.total)) since the start, \(FigureText.count(requests.inFlight)) in flight, "
                    + "\(FigureText.count(requests.rateRefused)) over a rate"),
            line(
                "Latency",
                "median \(FigureText.time(requests.medianSeconds))   99 % \(FigureText.time(requests.p99Seconds))"),
        ]
    }

    private static func process(_ process: OperationStatus.Process) -> String {
        line(
            "Process",
            "\(FigureText.bytes(Double(process.residentBytes))) resident, \(process.openDescriptors) of "
                + "\(FigureText.count(process.descriptorLimit)) descriptors, load \(process.loadPercent) %")
    }
}
