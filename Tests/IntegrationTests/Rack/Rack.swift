import Foundation
import Glibc
import HSMBridge

/// The rack of this test run: pcscd, eight virtual readers, and kmsd's virtual cards in them, started by scripts/test.
///
/// A slot's state file is where scripts/test puts it; `KMSD_RACK_CARDS` names another folder.
enum Rack {
    /// Folder of the control sockets, from `KMSD_RACK`.
    static let folder = ProcessInfo.processInfo.environment["KMSD_RACK"]
    static var isThere: Bool { folder != nil && geteuid() == 0 }

    static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    static let cardFolder =
        ProcessInfo.processInfo.environment["KMSD_RACK_CARDS"] ?? "\(checkout)/var/test/cards"

    /// kmsd itself, built beside this test; `KMSD_PROGRAM` names another.
    static let program =
        ProcessInfo.processInfo.environment["KMSD_PROGRAM"]
        ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "kmsd").path
    static var hasProgram: Bool { FileManager.default.isExecutableFile(atPath: program) }

    static let admins = [1, 2, 3].map { RackCard(slot: $0, kind: .fmcos) }
    static let psam = RackCard(slot: 7, kind: .psam)
    static let user = RackCard(slot: 8, kind: .fmcos)
    static let psams = [7, 5].map { RackCard(slot: $0, kind: .psam) }
    static let users = [8, 6, 4, 3, 2, 1].map { RackCard(slot: $0, kind: .fmcos) }

    static let readers = CardReaders()
}

/// A virtual card, its reader and the hand that pulls it out.
struct RackCard: Sendable, CustomStringConvertible {
    enum Kind: String, Sendable { case psam, fmcos }

    let slot: Int
    let kind: Kind

    var reader: String { "Rack \((slot - 1) / 2 + 1) 00 0\((slot - 1) % 2)" }
    var description: String { "\(kind.rawValue) in slot \(slot)" }

    private static let patience = Duration.seconds(30)

    @discardableResult
    func tell(_ request: String) async throws -> String {
        try await LineSocket.ask("\(Rack.folder ?? "")/slot-\(slot).control", request)
    }

    /// APDUs that the card has seen since `reset-count`.
    var count: Int { get async throws { Int(try await tell("count")) ?? -1 } }

    /// Another card of the same kind, fresh from its maker.
    func makeBlank() async throws {
        try await tellRack("stop")
        try await Rack.readers.waitForRemoval(in: reader, limit: Self.patience)
        try? FileManager.default.removeItem(atPath: "\(Rack.cardFolder)/slot-\(slot).\(kind.rawValue)")
        try await tellRack("start")
        try await Rack.readers.waitForCard(in: reader, limit: Self.patience)
        try await tell("reset-count")
    }

    /// Puts a card in again that was pulled, or pulls it first: pcscd must have seen the empty reader.
    func reinsert() async throws {
        try await Rack.readers.waitForRemoval(in: reader, limit: Self.patience)
        try await tell("insert")
        try await Rack.readers.waitForCard(in: reader, limit: Self.patience)
    }

    private func tellRack(_ verb: String) async throws {
        try await LineSocket.ask("\(Rack.folder ?? "")/control", "card \(slot) \(verb)")
    }
}
