import Glibc

/// The loop of one virtual card: vpcd's connection and the control socket, on one thread.
struct CardSlot {
    private var card: RunningCard
    private let file: StateFile
    private let settings: VirtualCard.Settings
    private var control: ControlSocket?
    private var reader: Int32?
    private var buffer: [UInt8] = []
    private var waiting: [UInt8] = []
    private var plan = ControlPlan()
    private var pause: Int32 = 10

    init(_ settings: VirtualCard.Settings, _ file: StateFile) throws(VirtualCardError) {
        self.settings = settings
        self.file = file
        card = try VirtualCard.card(settings, file)
        if let path = settings.controlSocket { control = try ControlSocket(path: path) }
    }

    mutating func close() {
        eject()
        control?.close()
    }

    mutating func run() throws(VirtualCardError) {
        while !plan.isQuitting {
            var timeout: Int32 = -1
            if plan.isInserted, reader == nil, !insert() {
                timeout = pause
                pause = min(pause * 2, 1000)
            }
            if let reader { Sockets.acknowledgeQuickly(reader) }
            let ready = Sockets.wait((control?.files ?? []) + (reader.map { [$0] } ?? []), milliseconds: timeout)
            if var control {
                control.serve(ready, &plan)
                self.control = control
            }
            if !plan.isInserted { eject() }
            if let reader, ready.contains(reader) { try receive(reader) }
        }
    }

    // MARK: The reader's side

    private mutating func insert() -> Bool {
        guard let connected = Sockets.connect(host: settings.host, port: settings.port) else { return false }
        reader = connected
        pause = 10
        buffer = []
        card.reset()
        plan.isMute = false
        return true
    }

    /// Takes the card out: the connection is closed, which is what vpcd understands as removal.
    private mutating func eject() {
        guard let open = reader else { return }
        Glibc.close(open)
        reader = nil
        buffer = []
        waiting = []
        card.reset()
    }

    private mutating func receive(_ file: Int32) throws(VirtualCardError) {
        Sockets.acknowledgeQuickly(file)
        guard let bytes = Sockets.receive(file), !bytes.isEmpty else { return eject() }
        buffer += bytes
        while let frame = nextFrame() {
            guard let answer = try handle(frame) else {
                if reader == nil { return }
                continue
            }
            let length = UInt16(answer.count).bytes
            guard Sockets.send(length + answer, to: file) else { return eject() }
        }
    }

    /// Two-byte big-endian length, then the payload; `nil` until a whole frame is there.
    private mutating func nextFrame() -> [UInt8]? {
        guard buffer.count >= 2 else { return nil }
        let length = Int(buffer[0]) << 8 | Int(buffer[1])
        guard buffer.count >= 2 + length else { return nil }
        let frame = Array(buffer[2..<2 + length])
        buffer.removeFirst(2 + length)
        return frame
    }

    /// A frame of one byte is a control code: 0 power off, 1 power on, 2 reset (no answer), 4 = give the ATR.
    private mutating func handle(_ frame: [UInt8]) throws(VirtualCardError) -> [UInt8]? {
        if plan.isMute { return nil }
        guard frame.count == 1 else { return frame.isEmpty ? nil : try exchange(frame) }
        switch frame[0] {
        case 0, 1, 2:
            card.reset()
            waiting = []
            return nil
        case 4:
            return settings.usesGetResponse ? GetResponse.answerToReset(card.answerToReset) : card.answerToReset
        default:
            return nil
        }
    }

    /// One APDU: carried out, made durable, then answered, unless the plan says the card is pulled or falls silent.
    private mutating func exchange(_ command: [UInt8]) throws(VirtualCardError) -> [UInt8]? {
        let fate = plan.countAPDU()
        if fate == .pulledBefore {
            eject()
            return nil
        }
        let answer: [UInt8]
        if settings.usesGetResponse {
            var data = waiting
            answer = try GetResponse.exchange(command, &data) { (inner) throws(VirtualCardError) in
                try carryOut(inner)
            }
            waiting = data
        } else {
            answer = try carryOut(command)
        }
        switch fate {
        case .normal: return answer
        case .mute: return nil
        case .pulledBefore, .pulledAfter:
            eject()
            return nil
        }
    }

    private mutating func carryOut(_ command: [UInt8]) throws(VirtualCardError) -> [UInt8] {
        let before = card
        let answer = card.respond(to: command)
        guard card.memory != before.memory else { return answer }
        do {
            try file.save(card.document)
            return answer
        } catch {
            // A card whose memory cannot be written does not pretend: it stays as it was and says 6581.
            card = before
            card.reset()
            return Status.memoryFailure.code.bytes
        }
    }
}
