internal import Glibc

/// The two clocks and the name of this boot, given from outside so that tests can turn them.
///
/// Wall time is for records and dates. The monotonic clock (it runs on while the machine sleeps) decides about sessions and
/// lock-outs, so that setting the wall clock back prolongs neither.
public struct Clocks: Sendable {
    public let wall: @Sendable () -> Timestamp
    public let monotonicNanoseconds: @Sendable () -> UInt64
    /// Tells monotonic times of one boot from those of another.
    public let boot: String

    public init(
        wall: @escaping @Sendable () -> Timestamp, monotonicNanoseconds: @escaping @Sendable () -> UInt64, boot: String
    ) {
        self.wall = wall
        self.monotonicNanoseconds = monotonicNanoseconds
        self.boot = boot
    }

    /// The machine's clocks; `boot` is the kernel's boot id.
    public static let system = Clocks(
        wall: {
            let time = read(CLOCK_REALTIME)
            return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
        },
        monotonicNanoseconds: {
            let time = read(CLOCK_BOOTTIME)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        },
        boot: bootID())

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return time
    }

    private static func bootID() -> String {
        let file = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "unknown" }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 36)
        let got = unsafe Glibc.read(file, &buffer, 36)
        return got == 36 ? String(decoding: buffer, as: UTF8.self) : "unknown"
    }
}
