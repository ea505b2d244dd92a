import FoundationEssentials
import Glibc

/// What the kernel says about this process.
struct ProcessFigures: Sendable, Hashable {
    /// Resident memory in bytes.
    var residentBytes: UInt64 = 0
    var virtualBytes: UInt64 = 0
    /// User and system time together.
    var cpuSeconds = 0.0
    var openDescriptors = 0
    var descriptorLimit = 0
    var threads = 0

    /// Reads `/proc/self`; what cannot be read stays zero.
    static func now() -> ProcessFigures {
        var figures = ProcessFigures()
        figures.cpuSeconds = Double(cpuNanoseconds()) / 1_000_000_000
        let page = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        if let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) {
            let fields = text.split(separator: " ").prefix(2).compactMap { UInt64($0) }
            if fields.count == 2 {
                figures.virtualBytes = fields[0] * page
                figures.residentBytes = fields[1] * page
            }
        }
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            figures.descriptorLimit = Int(clamping: limit.rlim_cur)
        }
        figures.openDescriptors = entries("/proc/self/fd")
        figures.threads = entries("/proc/self/task")
        return figures
    }

    /// User and system time of this process in nanoseconds.
    static func cpuNanoseconds() -> UInt64 {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
    }

    /// Processors that this process may use.
    static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    private static func nanoseconds(_ time: timeval) -> UInt64 {
        UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1_000
    }

    private static func entries(_ folder: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: folder))?.count ?? 0
    }
}
