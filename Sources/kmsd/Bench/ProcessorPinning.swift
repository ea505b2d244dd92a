import Foundation

/// Holds processes, with all their threads, on some processors while a body runs, and lets them go afterwards.
enum ProcessorPinning {
    /// The processors that a process may use, as the kernel lists them, such as `0-1,4`.
    private static func allowed(for process: String) -> [Int]? {
        guard let text = MachineFacts.value("Cpus_allowed_list", in: "/proc/\(process)/status") else { return nil }
        return text.split(separator: ",").flatMap { part -> [Int] in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last else { return [] }
            return Array(first...last)
        }
    }

    /// How many processors this process may use.
    static var processorCount: Int { max(1, allowed(for: "self")?.count ?? 1) }

    /// Runs `body` with this process and `others` on the last `count` of the allowed processors, which are passed in as a
    /// list. Where there are no more than that nothing is done.
    static func hold<R>(_ others: [Int32], on count: Int, _ body: (String) throws -> R) throws -> R {
        guard let before = allowed(for: "self"), !before.isEmpty else {
            throw BenchTrouble("the processors of this machine cannot be read")
        }
        let held = Array(before.suffix(count))
        let name = held.map(String.init).joined(separator: ",")
        guard held.count < before.count else { return try body(name) }
        guard !others.isEmpty else { throw BenchTrouble("no --serve-pid, --hsm-pid and --pin: nothing can be held") }
        let all = others + [getpid()]
        defer { for process in all { try? taskset(before, process) } }
        for process in all { try taskset(held, process) }
        return try body(name)
    }

    private static func taskset(_ processors: [Int], _ pid: Int32) throws {
        // All threads of the process: without that the event loop would stay where it is.
        _ = try OutsideProgram.run(
            [
                "taskset", "--all-tasks", "--cpu-list", "--pid", processors.map(String.init).joined(separator: ","),
                "\(pid)",
            ])
        // taskset ends with 0 for a process that is not there, too.
        guard allowed(for: "\(pid)") == processors else {
            throw BenchTrouble("process \(pid) cannot be held on CPU \(processors)")
        }
    }
}
