import Foundation

/// Holds processes, with all their threads, on one processor while a body runs, and lets them go afterwards.
enum ProcessorPinning {
    /// The processors that a process may use, as the kernel lists them, such as `0-1`.
    private static func allowed(for process: String) -> String? {
        MachineFacts.value("Cpus_allowed_list", in: "/proc/\(process)/status")
    }

    /// Runs `body` with this process and `others` on the last allowed processor; its number is passed in.
    static func onOneProcessor<R>(_ others: [Int32], _ body: (Int) throws -> R) throws -> R {
        guard let before = allowed(for: "self"),
            let last = before.split(whereSeparator: { $0 == "-" || $0 == "," }).last,
            let processor = Int(last)
        else { throw CommandFailure("The processors of this machine cannot be read.") }
        let all = others + [getpid()]
        defer { for process in all { _ = try? taskset(before, process) } }
        for process in all { try taskset("\(processor)", process) }
        return try body(processor)
    }

    private static func taskset(_ processors: String, _ pid: Int32) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/taskset")
        // All threads of the process: without that the event loop would stay where it is.
        process.arguments = ["--all-tasks", "--cpu-list", "--pid", processors, "\(pid)"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { throw CommandFailure("/usr/bin/taskset (package util-linux) cannot be run.") }
        process.waitUntilExit()
        // taskset ends with 0 for a process that is not there, too.
        guard process.terminationStatus == 0, allowed(for: "\(pid)") == processors else {
            throw CommandFailure("process \(pid) cannot be held on CPU \(processors)")
        }
    }
}
