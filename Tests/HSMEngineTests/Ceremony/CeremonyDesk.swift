import HSMBridge
import Synchronization
import Testing

@testable import HSMEngine

/// Three custodians with their cards at a module whose clock the test turns.
final class CeremonyDesk: Sendable {
    let folder: TestFolder
    let readers = PlayedReaders()
    let cards = [PlayedCard(), PlayedCard(), PlayedCard()]
    let seconds = Mutex<Int64>(1_000)
    static let pins = ["111111", "2222222", "33333333"]

    init() throws {
        folder = try TestFolder()
        for number in 1...3 { readers.insert(cards[number - 1], into: "\(number)") }
    }

    /// The module as it comes up; a second one is a restart.
    func start(_ change: (inout ModuleSettings) -> Void = { _ in }) -> SoftwareModule {
        var settings = ModuleSettings(stateFolder: folder.path, readers: readers.access)
        settings.monotonicSeconds = { [self] in seconds.withLock { $0 } }
        change(&settings)
        return SoftwareModule(settings)
    }

    func wait(seconds more: Int64) { seconds.withLock { $0 += more } }

    func format(_ module: SoftwareModule, _ number: Int, discard: Bool = false) async throws -> AdminCardInfo {
        let custodian = try #require(Custodian(rawValue: UInt8(number)))
        return try await module.execute(
            FormatAdminCard(
                reader: "\(number)", custodian: custodian, discardComponent: discard,
                pin: try .typed(Self.pins[number - 1])))
    }

    @discardableResult
    func present(_ module: SoftwareModule, _ number: Int, pin: String? = nil) async throws -> CeremonyProgress {
        try await module.execute(
            PresentAdminCard(reader: "\(number)", pin: try .typed(pin ?? Self.pins[number - 1])))
    }

    /// Cards formatted, LMK made; the module is sealed afterwards.
    func generate(_ module: SoftwareModule) async throws -> ModuleStatus {
        for number in 1...3 { _ = try await format(module, number) }
        _ = try await module.execute(BeginCeremony(kind: .generate))
        for number in 1...3 { try await present(module, number) }
        return try await module.execute(FinishCeremony())
    }

    func load(_ module: SoftwareModule) async throws -> ModuleStatus {
        _ = try await module.execute(BeginCeremony(kind: .load))
        for number in 1...3 { try await present(module, number) }
        return try await module.execute(FinishCeremony())
    }

    func refusalOfPresenting(_ module: SoftwareModule, _ number: Int, pin: String? = nil) async throws -> ModuleRefusal?
    {
        do {
            try await present(module, number, pin: pin)
            return nil
        } catch let refusal as ModuleRefusal {
            return refusal
        }
    }
}
