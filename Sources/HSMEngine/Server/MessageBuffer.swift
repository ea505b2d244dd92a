import CLinux
import Glibc
import HSMBridge

/// Incoming bytes of one connection. Wiped message by message, because one can carry a PIN or a typed component.
@safe struct MessageBuffer: ~Copyable {
    /// Most messages fit; a larger one gets larger memory for its time.
    private static let ordinarySize = 64 << 10

    enum Outcome {
        case message
        /// The other side closed between two messages.
        case closed
        /// Half a message and silence, a length that is not allowed, or a broken connection.
        case broken
        case tooLarge
    }

    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private var filled = 0

    init() {
        capacity = Self.ordinarySize
        unsafe memory = .allocate(byteCount: Self.ordinarySize, alignment: 16)
    }

    deinit {
        unsafe kmsd_wipe(memory, filled)
        unsafe memory.deallocate()
    }

    private var announced: Int? {
        filled < 4 ? nil : unsafe Int(UInt32(bigEndian: memory.loadUnaligned(as: UInt32.self)))
    }

    /// Waits for the next message: as long as it takes for its first byte, `seconds` for the rest.
    ///
    /// Never in `recv`: the kernel wakes who sleeps there also when the other side takes an answer off its end (there is room to write
    /// again), and on one processor that is two switches between processes for each message. `poll` sleeps through it.
    mutating func receive(from descriptor: Int32, seconds: Int) -> Outcome {
        var deadline: Int64?
        while true {
            if let length = announced {
                guard (4...ModuleMessageLimits.maximumLength).contains(length) else { return .tooLarge }
                if filled >= 4 + length { return .message }
                makeRoom(for: 4 + length)
            }
            if filled > 0 {
                let now = MachineClock.millisecondsSinceBoot()
                let limit = deadline ?? now + 1_000 * Int64(seconds)
                deadline = limit
                guard now < limit else { return .broken }
            }
            let got = unsafe recv(descriptor, memory + filled, capacity - filled, Int32(MSG_DONTWAIT))
            if got < 0 && errno == EAGAIN {
                guard wait(descriptor, until: deadline) else { return .broken }
                continue
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { return got == 0 && filled == 0 ? .closed : .broken }
            filled += got
        }
    }

    /// Lends the message's part after the length field.
    borrowing func withMessage<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        let length = announced ?? 0
        return unsafe body(UnsafeRawBufferPointer(start: memory + 4, count: length))
    }

    /// Wipes the message that was read; what came behind it moves to the front.
    mutating func removeMessage() {
        let length = 4 + (announced ?? 0)
        let rest = filled - length
        if rest > 0 { unsafe memmove(memory, memory + length, rest) }
        unsafe kmsd_wipe(memory + rest, length)
        filled = rest
        if capacity > Self.ordinarySize, rest <= Self.ordinarySize { resize(to: Self.ordinarySize) }
    }

    private mutating func makeRoom(for count: Int) {
        if count > capacity { resize(to: count) }
    }

    private mutating func resize(to size: Int) {
        let other = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        unsafe other.copyMemory(from: memory, byteCount: filled)
        unsafe kmsd_wipe(memory, filled)
        unsafe memory.deallocate()
        unsafe memory = other
        capacity = size
    }

    /// Until there is something to read, or the end of the connection. Nil: however long it takes.
    private func wait(_ descriptor: Int32, until deadline: Int64?) -> Bool {
        while true {
            let left = deadline.map { $0 - MachineClock.millisecondsSinceBoot() }
            if let left, left <= 0 { return false }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&request, 1, Int32(left ?? -1))
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }
}
