import HSMBridge
import Synchronization

extension GetStatus: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> ModuleStatus { execution.module.status() }
}

extension RunSelfTest: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> SelfTestReport {
        let module = execution.module
        let lines = SelfTests.all.map { test in
            SelfTestReport.Line(
                name: test.name, passed: test.passes(broken: test.name == module.settings.brokenSelfTest))
        }
        if let failed = lines.first(where: { !$0.passed }) {
            module.live.withLock { $0.fail("self-test \(failed.name)") }
            execution.refresh()
        }
        return SelfTestReport(lines: lines)
    }
}

extension ListReaders: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> ReaderNames {
        do throws(CardError) {
            return ReaderNames(names: Array(try execution.module.settings.readers.names().prefix(64)))
        } catch {
            throw AdminCard.refusal(error)
        }
    }
}
