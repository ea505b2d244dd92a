import CPCSC

/// A powered card held exclusively; giving the handle up unpowers the card, so that no right survives a session.
struct PCSCCardHandle: ~Copyable {
    /// Owned here because the card must be disconnected before its context is released.
    private let context: PCSCContext
    private let card: SCARDHANDLE
    private let activeProtocol: DWORD

    init(context: consuming PCSCContext, card: SCARDHANDLE, activeProtocol: DWORD) {
        self.context = context
        self.card = card
        self.activeProtocol = activeProtocol
    }

    deinit {
        _ = SCardDisconnect(card, DWORD(SCARD_UNPOWER_CARD))
    }

    /// The protocol that card and reader agreed on.
    var lineProtocol: LineProtocol { activeProtocol == DWORD(SCARD_PROTOCOL_T0) ? .t0 : .t1 }

    /// Blocks until the card answers, which a mute card never does; returns the length of the answer, at least 2.
    func exchange(send: UnsafeRawBufferPointer, receive: UnsafeMutableRawBufferPointer) throws(CardError) -> Int {
        var length = DWORD(receive.count)
        let code = unsafe PCSCCode(
            kmsd_scard_transmit(
                card, activeProtocol, send.baseAddress?.assumingMemoryBound(to: UInt8.self), DWORD(send.count),
                receive.baseAddress?.assumingMemoryBound(to: UInt8.self), &length))
        guard code.isSuccess else { throw code.transmitError }
        // pcscd reports success and no bytes when the card leaves during the command.
        guard length >= 2 else { throw .cardGone }
        guard Int(length) <= receive.count else { throw .malformedAnswer }
        return Int(length)
    }
}
