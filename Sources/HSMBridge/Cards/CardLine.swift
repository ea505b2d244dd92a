import CLinux
import Dispatch
import Synchronization

/// A powered card on a thread that owns its PC/SC handle, seen from the thread that talks to it.
///
/// The talking thread writes a command, wakes the owner and waits with a limit. When the limit passes the owner is left
/// behind: its late answer is wiped, it gives the card up by itself and ends.
final class CardLine: LineToCard, Sendable {
    fileprivate enum Phase {
        case connecting(limit: Duration)
        case idle
        case busy(count: Int)
        case answered(Result<Int, CardError>)
        case closing
        case ended(CardError)
        case abandoned
    }

    private let phase: Mutex<Phase>
    private let wake = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)
    private let negotiated = Mutex(LineProtocol.t1)
    /// Belong to the owner while the phase is `busy` or `abandoned`, else to the talking thread.
    private let send = WipedBuffer()
    private let receive = WipedBuffer()

    /// Powers the card in `reader` up, waiting for one to be inserted up to `waitingForCard`.
    init(reader: String, waitingForCard: Duration, limit: Duration) throws(CardError) {
        phase = Mutex(.connecting(limit: waitingForCard))
        try Abandonment.checkRoom()
        let started = CardThread.start { [self] in own(reader: reader, waitingForCard: waitingForCard) }
        guard started else { throw .refused(Int(EAGAIN)) }
        try wait(limit: waitingForCard + limit)
        if case .ended(let error) = phase.withLock({ $0 }) { throw error }
    }

    /// The protocol that card and reader agreed on.
    var lineProtocol: LineProtocol { negotiated.withLock { $0 } }

    func exchange(_ command: WipedBuffer, count: Int, answer: WipedBuffer, limit: Duration) throws(CardError) -> Int {
        if let error = phase.withLock({ $0.error }) { throw error }
        send.copy(command, count: count)
        phase.withLock { $0 = .busy(count: count) }
        wake.signal()
        try wait(limit: limit)
        defer {
            send.wipe()
            receive.wipe()
        }
        let result: Result<Int, CardError> = phase.withLock { phase in
            guard case .answered(let result) = phase else { return .failure(phase.error ?? .cardGone) }
            if case .failure(let error) = result { phase = .ended(error) } else { phase = .idle }
            return result
        }
        let length = try result.get()
        answer.copy(receive, count: length)
        return length
    }

    /// Unpowers the card and waits until the reader is free again, up to `limit`.
    func close(limit: Duration) {
        let isAbandoned = phase.withLock { phase in
            if case .abandoned = phase { return true }
            phase = .closing
            return false
        }
        guard !isAbandoned else { return }
        wake.signal()
        try? wait(limit: limit)
    }

    private func wait(limit: Duration) throws(CardError) {
        if done.wait(timeout: .now() + limit) == .success { return }
        let late = phase.withLock { phase in
            switch phase {
            case .idle, .answered, .ended: return false
            case .connecting, .busy, .closing, .abandoned:
                phase = .abandoned
                Abandonment.begin()
                return true
            }
        }
        if late { throw .timedOut }
        done.wait()  // The answer came between the two looks; take its signal too.
    }

    // MARK: - On the owner's thread

    private func own(reader: String, waitingForCard: Duration) {
        let outcome: CardError
        do {
            try serve(reader: reader, waitingForCard: waitingForCard)
            outcome = .cardGone
        } catch {
            outcome = error
        }
        finish(.ended(outcome))
    }

    /// Opens the session and answers commands until it is closed or abandoned. The handle ends with this function.
    private func serve(reader: String, waitingForCard: Duration) throws(CardError) {
        let context = try PCSCContext()
        if waitingForCard > .zero {
            do {
                try context.waitFor(cardPresent: true, in: reader, limit: waitingForCard)
            } catch .timedOut {
                throw .noCard
            }
        }
        let card = try context.connect(to: reader)
        negotiated.withLock { $0 = card.lineProtocol }
        guard advance(to: .idle) else { return }
        while true {
            wake.wait()
            guard case .busy(let count) = phase.withLock({ $0 }) else { return }
            let result = Result { () throws(CardError) -> Int in
                unsafe try card.exchange(
                    send: UnsafeRawBufferPointer(send.pointer(count: count)),
                    receive: receive.pointer(count: WipedBuffer.size))
            }
            guard advance(to: .answered(result)) else { return }
        }
    }

    /// Hands the talking thread its news; false when nobody waits any more.
    private func advance(to next: Phase) -> Bool {
        let isAwaited = phase.withLock { phase in
            if case .abandoned = phase { return false }
            phase = next
            return true
        }
        if isAwaited {
            done.signal()
        } else {
            send.wipe()
            receive.wipe()
        }
        return isAwaited
    }

    private func finish(_ last: Phase) {
        if !advance(to: last) { Abandonment.end() }
    }
}

extension CardLine.Phase {
    /// Why no command can be sent now, if so.
    fileprivate var error: CardError? {
        switch self {
        case .idle, .answered, .connecting, .busy: nil
        case .ended(let error): error
        case .closing: .cardGone
        case .abandoned: .timedOut
        }
    }
}
