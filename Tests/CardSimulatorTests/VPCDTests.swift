import Dispatch
import Foundation
import Glibc
import Testing

@testable import CardSimulator

/// Plays vpcd: a listening socket, frames with a two-byte length.
final class FakeReader {
    let listener: Int32
    let port: UInt16
    var connection: Int32 = -1

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                unsafe bind(listener, raw, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        try #require(status)
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit {
        close(listener)
        if connection >= 0 { close(connection) }
    }

    /// Waits for the card to be inserted.
    func accept() throws {
        if connection >= 0 { close(connection) }
        try #require(Sockets.wait([listener], milliseconds: 20_000) == [listener])
        connection = try #require(Sockets.accept(listener))
    }

    func send(_ payload: [UInt8]) { _ = Sockets.send(UInt16(payload.count).bytes + payload, to: connection) }

    /// The next frame; empty when the card was pulled.
    func receive() -> [UInt8] {
        var buffer: [UInt8] = []
        while true {
            if buffer.count >= 2, buffer.count >= 2 + Int(buffer[1]) { return Array(buffer.dropFirst(2)) }
            guard Sockets.wait([connection], milliseconds: 20_000) == [connection],
                let more = Sockets.receive(connection), !more.isEmpty
            else { return [] }
            buffer += more
        }
    }

    func exchange(_ command: String) throws -> String {
        send(try hex(command))
        return receive().hex
    }
}

/// A client of the control socket.
struct ControlClient {
    let file: Int32

    init(path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(file, $0, length) }
        }
        try #require(status == 0)
        self.file = file
    }

    func ask(_ line: String) -> String {
        _ = Sockets.send(Array((line + "\n").utf8), to: file)
        var text: [UInt8] = []
        while !text.contains(0x0A), let more = Sockets.receive(file), !more.isEmpty { text += more }
        return String(decoding: text.dropLast(), as: UTF8.self)
    }
}

/// A card that runs on a thread of its own against a played vpcd.
final class RunningSlot {
    let folder: String
    let reader: FakeReader
    let settings: VirtualCard.Settings
    private let ended = DispatchSemaphore(value: 0)

    init(kind: CardKind, change: (inout VirtualCard.Settings) -> Void = { _ in }) throws {
        folder = "/tmp/kmsd-card-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try #require(unsafe mkdir(folder, 0o700) == 0)
        reader = try FakeReader()
        var settings = VirtualCard.Settings(kind: kind, stateFile: folder + "/card.json", port: reader.port)
        settings.controlSocket = folder + "/control"
        settings.seed = 7
        change(&settings)
        self.settings = settings
        try start()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func start() throws {
        let (settings, ended) = (settings, ended)
        Thread.detachNewThread {
            do { try VirtualCard.run(settings) } catch { Issue.record(error) }
            ended.signal()
        }
        try reader.accept()
    }

    func quit() throws {
        #expect(try ControlClient(path: folder + "/control").ask("quit") == "ok")
        #expect(ended.wait(timeout: .now() + 20) == .success)
    }
}

struct VPCDTests {
    @Test func `control codes give the ATR and APDUs their answers`() throws {
        let slot = try RunningSlot(kind: .fmcos)
        slot.reader.send([1])
        slot.reader.send([4])
        let atr = slot.reader.receive()
        #expect(atr.hex.hasPrefix("3B88014B4D5346"))
        #expect(atr.dropFirst().reduce(0, ^) == 0)
        #expect(try slot.reader.exchange("80F6000304") == Array(atr.dropFirst(7).dropLast()).hex + "9000")
        #expect(try slot.reader.exchange("00A40000023F00") == "6A82")
        try slot.quit()
    }

    @Test func `a pulled card forgets its rights and keeps its files`() throws {
        let slot = try RunningSlot(kind: .fmcos)
        let control = try ControlClient(path: slot.folder + "/control")
        #expect(try slot.reader.exchange("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF") == "9000")
        #expect(try slot.reader.exchange("80E00000073F005001F0FFFF") == "9000")
        #expect(try slot.reader.exchange("80D40100083AF0EF0133123456") == "9000")
        #expect(try slot.reader.exchange("80E0000107280010F1F1FFFF") == "9000")
        #expect(try slot.reader.exchange("0020000003123456") == "9000")
        #expect(try slot.reader.exchange("00B0810001") == "009000")
        #expect(control.ask("count") == "ok 6")
        #expect(control.ask("pull") == "ok")
        #expect(slot.reader.receive().isEmpty)
        #expect(control.ask("insert") == "ok")
        try slot.reader.accept()
        #expect(try slot.reader.exchange("00B0810001") == "6982")
        #expect(try slot.reader.exchange("0020000003123457") == "63C2")
        try slot.quit()
        try slot.start()
        #expect(try slot.reader.exchange("0020000003123457") == "63C1")
        try slot.quit()
    }

    @Test func `pull-after loses the answer but not the change, pull-before loses both`() throws {
        let slot = try RunningSlot(kind: .fmcos)
        let control = try ControlClient(path: slot.folder + "/control")
        #expect(control.ask("pull-before 1") == "ok")
        #expect(try slot.reader.exchange("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF") == "")
        #expect(control.ask("insert") == "ok")
        try slot.reader.accept()
        #expect(try slot.reader.exchange("00A40000023F00") == "6A82")
        #expect(control.ask("pull-after 2") == "ok")
        #expect(try slot.reader.exchange("80F6000304").hasSuffix("9000"))
        #expect(try slot.reader.exchange("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF") == "")
        #expect(control.ask("insert") == "ok")
        try slot.reader.accept()
        #expect(try slot.reader.exchange("00A40000023F00").hasSuffix("9000"))
        #expect(control.ask("mute-after 1") == "ok")
        slot.reader.send(try hex("80F6000304"))
        while control.ask("count") != "ok 6" {}
        #expect(Sockets.wait([slot.reader.connection], milliseconds: 0) == [])
        #expect(control.ask("pull") == "ok")
        #expect(slot.reader.receive().isEmpty)
        #expect(control.ask("pull-after 0").hasPrefix("error"))
        #expect(control.ask("dance").hasPrefix("error"))
        try slot.quit()
    }

    @Test func `a card that speaks T=0 hands out data by GET RESPONSE`() throws {
        let slot = try RunningSlot(kind: .psam) { $0.usesGetResponse = true }
        slot.reader.send([4])
        #expect(slot.reader.receive().hex.hasPrefix("3B084B4D5350"))
        #expect(try slot.reader.exchange("00A40000023F00") == "6114")
        #expect(try slot.reader.exchange("00C0000020") == "6C14")
        #expect(try slot.reader.exchange("00C0000014") == "6F12840E315041592E5359532E4444463031A5009000")
        #expect(try slot.reader.exchange("00C0000014") == "6985")
        try slot.quit()
    }

    @Test func `a card whose memory cannot be written says 6581 and stays as it was`() throws {
        let slot = try RunningSlot(kind: .fmcos)
        try #require(unsafe rename(slot.folder, slot.folder + ".away") == 0)
        #expect(try slot.reader.exchange("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF") == "6581")
        try #require(unsafe rename(slot.folder + ".away", slot.folder) == 0)
        #expect(try slot.reader.exchange("00A40000023F00") == "6A82")
        #expect(try slot.reader.exchange("80E03F000D38FFFFF0F001FFFFFFFFFFFFFF") == "9000")
        try slot.quit()
    }

    @Test func `the state file refuses a second process and the other kind`() throws {
        let slot = try RunningSlot(kind: .psam)
        #expect(throws: VirtualCardError.stateFileInUse(slot.settings.stateFile)) {
            try VirtualCard.run(slot.settings)
        }
        try slot.quit()
        #expect(throws: VirtualCardError.stateFileDamaged(slot.settings.stateFile)) {
            _ = try StateFile(path: slot.settings.stateFile).load(kind: .fmcos)
        }
        let kept = try #require(try StateFile(path: slot.settings.stateFile).load(kind: .psam))
        #expect(kept.memory.directories[0].keyFile?.keys[0].value.bytes == PSAMCard.vendorKey)
    }
}
