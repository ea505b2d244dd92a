/// A virtual CPU card: a value that answers APDUs. Everything durable is in `memory`, which the shell that runs the card
/// writes to its state file before an answer leaves; power-off forgets the rest.
public protocol SmartCard: Sendable {
    /// Answer to reset, T=1, historical bytes = four letters of the kind and the chip serial.
    var answerToReset: [UInt8] { get }

    /// The card's chip serial, 4 bytes.
    var serial: [UInt8] { get }

    /// Carries out one command APDU and gives the answer with its status word. Never fails: nonsense gets 6700 or 6D00.
    mutating func respond(to command: [UInt8]) -> [UInt8]

    /// Power-off or reset: security states, challenge and half-done transactions are gone.
    mutating func reset()
}

extension CardCore {
    /// 3B 88 01 | kind 4 | serial 4 | TCK: no interface bytes but TD1 = T=1.
    var answerToReset: [UInt8] {
        let historical: [UInt8] =
            (dialect == .fmcos ? [0x4B, 0x4D, 0x53, 0x46] : [0x4B, 0x4D, 0x53, 0x50]) + memory.serial.bytes
        let body: [UInt8] = [0x80 | UInt8(historical.count), 0x01] + historical
        return [0x3B] + body + [body.reduce(0, ^)]
    }
}
