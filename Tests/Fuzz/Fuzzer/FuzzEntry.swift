import Foundation

/// What libFuzzer calls. The target is named by KMSD_FUZZ_TARGET; with KMSD_FUZZ_SEEDS the seeds of all targets are written
/// into that folder instead. Built by `make fuzz` only.
private let target: FuzzTarget? = {
    if let folder = ProcessInfo.processInfo.environment["KMSD_FUZZ_SEEDS"] {
        do { try Seeds.write(to: folder) } catch {
            complain("the seeds cannot be written: \(error)")
            _exit(2)
        }
        // Not `exit`, which libFuzzer takes for a finding.
        _exit(0)
    }
    let name = ProcessInfo.processInfo.environment["KMSD_FUZZ_TARGET"] ?? ""
    return FuzzTarget.all.first { $0.name == name }
}()

@c(LLVMFuzzerTestOneInput) public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let target else {
        complain("KMSD_FUZZ_TARGET must be one of \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
        _exit(2)
    }
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    if let finding = target.finding(input) {
        complain(finding)
        // The way in which libFuzzer keeps the input.
        abort()
    }
    return 0
}

private func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
