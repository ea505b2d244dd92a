import HSMBridge
import Synchronization

@testable import HSMEngine

/// An FMCOS-like card in memory: as much of the manual as an admin card needs, and as strict.
final class PlayedCard: CardChannel, Sendable {
    struct Memory: Sendable {
        struct File: Sendable {
            var bytes: [UInt8]
            var readRight: UInt8
            var writeRight: UInt8
        }

        var hasMasterFile = false
        var hasFolder = false
        var hasKeyFile = false
        var files: [UInt8: File] = [:]
        var pin: [UInt8] = []
        var tries = 3
        // Gone at power-off.
        var isInFolder = false
        var state: UInt8 = 0
        // Played by the test.
        var commands = 0
        var dieAtCommand: Int?
    }

    let memory = Mutex(Memory())

    func transmit(_ command: CommandAPDU) throws(CardError) -> ResponseAPDU {
        let answer = memory.withLock { memory -> ResponseAPDU? in
            memory.commands += 1
            if let dying = memory.dieAtCommand, memory.commands >= dying { return nil }
            return Self.answer(command, &memory)
        }
        guard let answer else { throw .cardGone }
        return answer
    }

    func powerOff() {
        memory.withLock {
            $0.isInFolder = false
            $0.state = 0
        }
    }

    /// The file's bytes, as a thief with a probe would see them.
    func file(_ number: UInt8) -> [UInt8] { memory.withLock { $0.files[number]?.bytes ?? [] } }

    func change(_ body: (inout Memory) -> Void) { memory.withLock { body(&$0) } }

    private static func answer(_ command: CommandAPDU, _ memory: inout Memory) -> ResponseAPDU {
        switch (command.cla, command.ins) {
        case (0x80, 0xE0): ResponseAPDU(status: create(command, &memory))
        case (0x80, 0xD4): ResponseAPDU(status: writeKey(command, &memory))
        case (0x00, 0xA4): ResponseAPDU(status: select(command, &memory))
        case (0x00, 0x20): ResponseAPDU(status: verify(command, &memory))
        case (0x00, 0xB0): read(command, memory)
        case (0x00, 0xD6): ResponseAPDU(status: update(command, &memory))
        default: ResponseAPDU(status: 0x6D00)
        }
    }

    private static func create(_ command: CommandAPDU, _ memory: inout Memory) -> StatusWord {
        let data = command.data
        switch (command.p1, command.p2) {
        case (0x3F, 0x00):
            guard !memory.hasMasterFile else { return 0x6A86 }
            memory.hasMasterFile = data.count >= 13
            return memory.hasMasterFile ? 0x9000 : 0x6700
        case (0xDF, 0x10):
            guard memory.hasMasterFile, !memory.hasFolder else { return 0x6A86 }
            memory.hasFolder = Array(data.suffix(10)) == Array("KMSD.ADMIN".utf8)
            return memory.hasFolder ? 0x9000 : 0x6A80
        case (0x00, 0x00):
            guard memory.hasMasterFile, data.count == 7, data[0] == 0x3F else { return 0x6A80 }
            if memory.isInFolder {
                guard !memory.hasKeyFile else { return 0x6A86 }
                memory.hasKeyFile = true
            }
            return 0x9000
        default:
            guard memory.isInFolder, data.count == 7, data[0] == 0x28 else { return 0x6A80 }
            guard memory.files[command.p2] == nil else { return 0x6A86 }
            let size = Int(data[1]) << 8 | Int(data[2])
            memory.files[command.p2] = Memory.File(
                bytes: [UInt8](repeating: 0xFF, count: size), readRight: data[3], writeRight: data[4])
            return 0x9000
        }
    }

    private static func writeKey(_ command: CommandAPDU, _ memory: inout Memory) -> StatusWord {
        guard memory.isInFolder, memory.hasKeyFile, memory.pin.isEmpty else { return 0x6A80 }
        guard command.data.starts(with: [0x3A, 0xF0, 0xEF, 0x01, 0x33]) else { return 0x6A80 }
        memory.pin = Array(command.data.dropFirst(5))
        return 0x9000
    }

    private static func select(_ command: CommandAPDU, _ memory: inout Memory) -> StatusWord {
        guard command.data == [0xDF, 0x10], memory.hasFolder else { return 0x6A82 }
        memory.isInFolder = true
        memory.state = 0
        return 0x9000
    }

    private static func verify(_ command: CommandAPDU, _ memory: inout Memory) -> StatusWord {
        guard memory.isInFolder, !memory.pin.isEmpty else { return 0x6A88 }
        guard memory.tries > 0 else { return 0x6983 }
        guard command.data == memory.pin else {
            memory.tries -= 1
            memory.state = 0
            return StatusWord(rawValue: 0x63C0 | UInt16(memory.tries))
        }
        memory.tries = 3
        memory.state = 1
        return 0x9000
    }

    private static func allows(_ right: UInt8, _ state: UInt8) -> Bool {
        state >= right & 0x0F && state <= right >> 4
    }

    private static func read(_ command: CommandAPDU, _ memory: Memory) -> ResponseAPDU {
        guard memory.isInFolder, let file = memory.files[command.p1 & 0x1F] else { return ResponseAPDU(status: 0x6A82) }
        guard allows(file.readRight, memory.state) else { return ResponseAPDU(status: 0x6982) }
        guard command.expectedLength == file.bytes.count else { return ResponseAPDU(status: 0x6C00) }
        return ResponseAPDU(data: file.bytes, status: 0x9000)
    }

    private static func update(_ command: CommandAPDU, _ memory: inout Memory) -> StatusWord {
        guard memory.isInFolder, let file = memory.files[command.p1 & 0x1F] else { return 0x6A82 }
        guard allows(file.writeRight, memory.state) else { return 0x6982 }
        guard command.data.count == file.bytes.count else { return 0x6700 }
        memory.files[command.p1 & 0x1F]?.bytes = command.data
        return 0x9000
    }
}

/// Readers with played cards in them; a session begins and ends with the card's power.
final class PlayedReaders: Sendable {
    private let cards = Mutex<[String: PlayedCard]>([:])

    func insert(_ card: PlayedCard?, into reader: String) { cards.withLock { $0[reader] = card } }

    var access: ReaderAccess {
        ReaderAccess(
            names: { [self] in cards.withLock { $0.keys.sorted() } },
            withCard: { [self] reader, body in
                guard let card = cards.withLock({ $0[reader] }) else { throw CardError.noCard }
                card.powerOff()
                try body(card)
                card.powerOff()
            })
    }
}
