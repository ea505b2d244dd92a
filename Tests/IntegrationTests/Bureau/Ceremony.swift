import HSMBridge
import Testing

/// The key ceremony at a real module with the rack's admin cards, custodians and their PINs included.
struct Ceremony {
    let module: ModuleBridge
    static let pins = ["20461357", "98712634", "55019283"]

    /// Formats blanks, makes the LMK, and loads it.
    func hold() async throws {
        for (index, card) in Rack.admins.enumerated() {
            try await card.makeBlank()
            let custodian = try #require(Custodian(rawValue: UInt8(index + 1)))
            _ = try await module.execute(
                FormatAdminCard(
                    reader: card.reader, custodian: custodian, discardComponent: false,
                    pin: try SecretInput.typed(Self.pins[index])))
        }
        for kind in [CeremonyKind.generate, .load] {
            _ = try await module.execute(BeginCeremony(kind: kind))
            for (index, card) in Rack.admins.enumerated() {
                _ = try await module.execute(
                    PresentAdminCard(reader: card.reader, pin: try SecretInput.typed(Self.pins[index])))
            }
            let status = try await module.execute(FinishCeremony())
            #expect(status.state == (kind == .generate ? .sealed : .operational))
        }
    }

    /// A custodian reads his own component out of his own card.
    static func component(_ index: Int) async throws -> [UInt8] {
        try await Rack.readers.withCard(in: Rack.admins[index].reader) { channel in
            _ = try channel.good("00A40000 DF10", le: 256)
            _ = try channel.good("00200000 \(Hex.encode(pins[index].utf8))")
            return try channel.good("00B08200", le: 32)
        }
    }
}
