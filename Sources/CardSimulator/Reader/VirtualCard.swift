import Glibc

/// A virtual card in a virtual reader: it connects to pcscd's vpcd driver as a card would slide into a slot.
public enum VirtualCard {
    public struct Settings: Sendable {
        public var kind: CardKind
        /// JSON file with everything durable; made on the first start.
        public var stateFile: String
        /// IPv4 address of vpcd.
        public var host = "127.0.0.1"
        public var port: UInt16
        /// Unix socket for tests that pull and insert the card.
        public var controlSocket: String?
        /// Makes the serial of a new card repeatable; its challenges are random all the same.
        public var seed: UInt64?
        /// Vendor (transport) key of a new PSAM, 16 bytes.
        public var vendorKey: [UInt8]?
        /// Options of a new card; an existing one keeps those of its state file.
        public var fmcos = FMCOSOptions()
        public var psam = PSAMOptions()
        /// Answers data by 61xx and GET RESPONSE, as a T=0 card; the ATR then says T=0.
        public var usesGetResponse = false

        public init(kind: CardKind, stateFile: String, port: UInt16) {
            self.kind = kind
            self.stateFile = stateFile
            self.port = port
        }
    }

    /// Runs the card on the calling thread until `quit` comes over the control socket.
    /// Waits for vpcd, and reconnects when it goes away, with a pause that grows from 10 ms to 1 s.
    public static func run(_ settings: Settings) throws(VirtualCardError) {
        if let key = settings.vendorKey, key.count != 16 { throw .badSetting("a vendor key has sixteen bytes") }
        guard settings.fmcos.transportCode.count == 8 else { throw .badSetting("a transport code has eight bytes") }
        let file = StateFile(path: settings.stateFile)
        let lock = try file.lock()
        defer { close(lock) }
        var slot = try CardSlot(settings, file)
        defer { slot.close() }
        try slot.run()
    }

    /// The card of the settings' state file, or a new blank written there.
    static func card(_ settings: Settings, _ file: StateFile) throws(VirtualCardError) -> RunningCard {
        if let document = try file.load(kind: settings.kind) { return RunningCard(document, random: .system) }
        var serialSource = settings.seed.map { CardRandom.seeded(SplitMix64(seed: $0)) } ?? .system
        let serial = serialSource.bytes(4)
        let card: RunningCard.Card =
            switch settings.kind {
            case .fmcos: .fmcos(FMCOSCard(serial: serial, options: settings.fmcos))
            case .psam:
                .psam(
                    PSAMCard(
                        serial: serial, vendorKey: settings.vendorKey ?? PSAMCard.vendorKey, options: settings.psam))
            }
        let blank = RunningCard(card)
        try file.save(blank.document)
        return blank
    }
}
