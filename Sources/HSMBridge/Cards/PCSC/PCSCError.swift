import CPCSC

/// A PC/SC return code cut to the 32 bits that all platforms share: `LONG` has 8 bytes here and codes such as
/// 0x8010000C come sign-extended or not, depending on who made them.
struct PCSCCode: Equatable {
    let value: UInt32

    init(_ code: LONG) {
        value = UInt32(truncatingIfNeeded: code)
    }

    var isSuccess: Bool { value == 0 }

    private func isOne(of codes: LONG...) -> Bool { codes.contains { PCSCCode($0) == self } }

    var isNoReaders: Bool { isOne(of: SCARD_E_NO_READERS_AVAILABLE) }
    var isTimeout: Bool { isOne(of: SCARD_E_TIMEOUT) }

    private var isServiceGone: Bool {
        isOne(
            of: SCARD_E_NO_SERVICE, SCARD_E_SERVICE_STOPPED, SCARD_E_INVALID_HANDLE, SCARD_F_COMM_ERROR,
            SCARD_P_SHUTDOWN, SCARD_F_INTERNAL_ERROR)
    }

    /// What the code means while a session is opened or readers are asked for.
    func connectError(reader: String) -> CardError {
        if isServiceGone { return .serviceUnavailable }
        if isOne(of: SCARD_E_UNKNOWN_READER, SCARD_E_READER_UNAVAILABLE, SCARD_E_NO_READERS_AVAILABLE) {
            return .readerUnknown(reader)
        }
        if isOne(of: SCARD_E_SHARING_VIOLATION) { return .readerBusy(reader) }
        if isOne(
            of: SCARD_E_NO_SMARTCARD, SCARD_W_UNRESPONSIVE_CARD, SCARD_W_UNPOWERED_CARD, SCARD_W_REMOVED_CARD,
            SCARD_E_NOT_READY)
        {
            return .noCard
        }
        if isTimeout { return .timedOut }
        return .refused(Int(value))
    }

    /// What the code means while a command is with the card.
    var transmitError: CardError {
        if isOne(
            of: SCARD_E_NO_SMARTCARD, SCARD_W_REMOVED_CARD, SCARD_W_RESET_CARD, SCARD_W_UNPOWERED_CARD,
            SCARD_W_UNRESPONSIVE_CARD, SCARD_E_NOT_TRANSACTED, SCARD_E_COMM_DATA_LOST, SCARD_E_READER_UNAVAILABLE)
        {
            return .cardGone
        }
        if isServiceGone { return .serviceUnavailable }
        if isTimeout { return .timedOut }
        if isOne(of: SCARD_E_INSUFFICIENT_BUFFER) { return .malformedAnswer }
        return .refused(Int(value))
    }
}
