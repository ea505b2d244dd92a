import Foundation

/// Whether the service keeps anything of the requests it has answered: resident memory of both processes, early and late.
///
/// `ours` is the memory after the long run, `reference` after the short one, and the ratio is turned round so that more is
/// better: 1 is no growth at all, and 1 / 1.05 the limit.
enum MemoryGrowth {
    static func measure(_ context: BenchContext, _ row: inout BenchRow) async throws {
        guard let serve = context.references.servePID, let hsm = context.references.hsmPID else {
            throw BenchTrouble("--serve-pid and --hsm-pid are needed")
        }
        let (early, late) = context.isQuick ? (100_000, 1_000_000) : (100_000, 10_000_000)
        let pattern = try await HostMACLoad.prepare(context.settings.crypto, key: context.macKey)
        let load = LoadGenerator(port: context.port, connections: 50, depth: 16)
        _ = try load.run(pattern, .replies(early))
        let before = try resident(serve) + resident(hsm)
        let result = try load.run(pattern, .replies(late - early))
        let after = try resident(serve) + resident(hsm)
        context.tell("  \(result.replies) more requests in \(Int(result.seconds)) s: \(before) KiB, then \(after) KiB")
        row.ours = [Double(after)]
        row.reference = [Double(before)]
        row.lessIsBetter = true
    }

    /// Resident memory in KiB, as the kernel counts it.
    static func resident(_ pid: Int32) throws -> Int {
        guard let text = MachineFacts.value("VmRSS", in: "/proc/\(pid)/status"),
            let kibibytes = text.split(separator: " ").first.flatMap({ Int($0) })
        else { throw BenchTrouble("the memory of process \(pid) cannot be read") }
        return kibibytes
    }
}
