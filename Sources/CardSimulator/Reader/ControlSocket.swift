import Glibc

/// What the control socket asked for and what comes of it.
struct ControlPlan: Sendable {
    enum Fate: Sendable { case normal, pulledBefore, pulledAfter, mute }

    var isInserted = true
    var isMute = false
    var isQuitting = false
    private(set) var count = 0
    private var pullAfter: Int?
    private var pullBefore: Int?
    private var muteAfter: Int?

    /// One APDU has come; says what becomes of it.
    mutating func countAPDU() -> Fate {
        count += 1
        if ControlPlan.strikes(&pullBefore) {
            isInserted = false
            return .pulledBefore
        }
        if ControlPlan.strikes(&pullAfter) {
            isInserted = false
            return .pulledAfter
        }
        if ControlPlan.strikes(&muteAfter) {
            isMute = true
            return .mute
        }
        return .normal
    }

    /// Carries out one line; the answer is "ok…" or "error …".
    mutating func command(_ line: String) -> String {
        let words = line.split(separator: " ").map(String.init)
        let number = words.count == 2 ? Int(words[1]).flatMap { $0 > 0 ? $0 : nil } : nil
        switch (words.first, words.count) {
        case ("pull", 1): isInserted = false
        case ("insert", 1):
            isInserted = true
            isMute = false
            (pullAfter, pullBefore, muteAfter) = (nil, nil, nil)
        case ("count", 1): return "ok \(count)"
        case ("reset-count", 1): count = 0
        case ("quit", 1): isQuitting = true
        case ("pull-after", 2), ("pull-before", 2), ("mute-after", 2):
            guard let number else { return "error a number from 1 is needed" }
            switch words[0] {
            case "pull-after": pullAfter = number
            case "pull-before": pullBefore = number
            default: muteAfter = number
            }
        default: return "error unknown command"
        }
        return "ok"
    }

    private static func strikes(_ countdown: inout Int?) -> Bool {
        guard let left = countdown else { return false }
        countdown = left > 1 ? left - 1 : nil
        return left == 1
    }
}

/// The line protocol for tests: one command a line, one answer a line.
struct ControlSocket {
    private let path: String
    private let listener: Int32
    private var clients: [Int32: [UInt8]] = [:]

    init(path: String) throws(VirtualCardError) {
        self.path = path
        listener = try Sockets.listen(at: path)
    }

    var files: [Int32] { [listener] + clients.keys }

    mutating func serve(_ ready: [Int32], _ plan: inout ControlPlan) {
        for file in ready {
            if file == listener {
                if clients.count < 16, let client = Sockets.accept(listener) { clients[client] = [] }
            } else if let pending = clients[file] {
                serve(file, pending, &plan)
            }
        }
    }

    private mutating func serve(_ file: Int32, _ pending: [UInt8], _ plan: inout ControlPlan) {
        guard let bytes = Sockets.receive(file), !bytes.isEmpty, pending.count < 256 else { return drop(file) }
        var text = pending + bytes
        while let end = text.firstIndex(of: 0x0A) {
            let line = String(decoding: text[..<end].filter { $0 != 0x0D }, as: UTF8.self)
            text.removeSubrange(...end)
            guard Sockets.send(Array((plan.command(line) + "\n").utf8), to: file) else { return drop(file) }
        }
        clients[file] = text
    }

    private mutating func drop(_ file: Int32) {
        Glibc.close(file)
        clients[file] = nil
    }

    mutating func close() {
        for client in clients.keys { Glibc.close(client) }
        clients = [:]
        Glibc.close(listener)
        unsafe unlink(path)
    }
}
