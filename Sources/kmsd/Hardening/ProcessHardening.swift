import CLinux
import Glibc

/// What every kmsd process does to itself before it reads anything (facts/security.md 3.1, facts/style.md 4.4).
enum ProcessHardening {
    /// What could not be done, in words for the log.
    struct Report: Sendable {
        var missing: [String] = []
    }

    /// No core dumps, not dumpable (no debugger, no /proc/PID/mem for others), no new privileges, files private by default,
    /// and two signals that must not end a server: a peer that went away and a full disk quota.
    static func apply() -> Report {
        var report = Report()
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        if unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) != 0 {
            report.missing.append("core dumps are not off")
        }
        if kmsd_set_not_dumpable() != 0 { report.missing.append("the process is dumpable") }
        if kmsd_set_no_new_privileges() != 0 { report.missing.append("new privileges are possible") }
        umask(0o077)
        kmsd_ignore_signal(SIGPIPE)
        kmsd_ignore_signal(SIGXFSZ)
        return report
    }

    /// The Swift runtime prints memory around registers when it traps, which would show keys: the module refuses to start
    /// unless it was told not to, which only the environment can do, before `main`.
    static var backtracesAreOff: Bool {
        guard let setting = unsafe getenv("SWIFT_BACKTRACE") else { return false }
        return unsafe String(cString: setting).split(separator: ",").contains("enable=no")
    }
}
