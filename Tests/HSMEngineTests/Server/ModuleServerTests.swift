import Foundation
import Glibc
import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct ModuleServerTests {
    @Test func `commands go through the socket as they go in process`() async throws {
        let desk = try ServerDesk()
        let bridge = desk.bridge()
        let status = try await bridge.execute(GetStatus())
        #expect(status.state == .operational)
        let key = try await desk.module.newKey(.mac3, .calculate)
        let opened = try await bridge.execute(OpenKey(key: key))
        let commands = (0..<200).map { number in
            GenerateMAC(
                key: .handle(opened.handle), algorithm: .algorithm3, padding: .method2, length: 8,
                data: [UInt8](repeating: UInt8(number), count: number))
        }
        let remote = try await bridge.execute(all: commands)
        let local = try await desk.module.execute(all: commands)
        #expect(remote.count == 200)
        for index in commands.indices { #expect(try remote[index].get().bytes == local[index].get().bytes) }
    }

    @Test func `a refusal touches only its own command`() async throws {
        let desk = try ServerDesk()
        let connection = try RawConnection(desk.path)
        var request = ModuleRequest()
        request.append(GetStatus())
        request.append(CheckValue(key: .handle(KeyHandle(rawValue: 77))))
        request.append(RandomBytes(count: 0))
        request.append(RandomBytes(count: 16))
        connection.send(request.bytes())
        let reply = try #require(try connection.reply())
        #expect(try reply.reply(0, to: GetStatus.self).state == .operational)
        #expect(throws: ModuleRefusal(.unknownHandle)) { try reply.reply(1, to: CheckValue.self) }
        #expect(throws: ModuleRefusal(.parameterInvalid)) { try reply.reply(2, to: RandomBytes.self) }
        #expect(try reply.reply(3, to: RandomBytes.self).bytes.count == 16)
    }

    @Test func `two messages in one write get two answers, one message in many writes gets one`() async throws {
        let desk = try ServerDesk()
        let connection = try RawConnection(desk.path)
        var request = ModuleRequest()
        request.append(RandomBytes(count: 16))
        let message = request.bytes()
        connection.send(message + message)
        #expect(try connection.reply()?.count == 1)
        #expect(try connection.reply()?.count == 1)
        for byte in message { connection.send([byte]) }
        #expect(try connection.reply()?.count == 1)
    }

    @Test func `half a message and silence ends in a closed connection, an idle one stays`() async throws {
        let desk = try ServerDesk { $0.messageSeconds = 1 }
        let idle = try RawConnection(desk.path)
        let half = try RawConnection(desk.path)
        half.send([0, 0, 0, 100, 0, 0])
        // Longer than the limit of a message: the idle connection has been silent all the while.
        #expect(half.isClosed)
        var request = ModuleRequest()
        request.append(GetStatus())
        idle.send(request.bytes())
        #expect(try idle.reply()?.count == 1)
    }

    @Test(arguments: [[0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0, 0, 0, 3, 0, 0, 0], [0, 64, 0, 1, 0, 0]])
    func `a length that no message has closes the connection`(bytes: [UInt8]) throws {
        let desk = try ServerDesk()
        let connection = try RawConnection(desk.path)
        connection.send(bytes)
        #expect(connection.isClosed)
        let other = try RawConnection(desk.path)
        var request = ModuleRequest()
        request.append(GetStatus())
        other.send(request.bytes())
        #expect(try other.reply()?.count == 1)
    }

    @Test func `a batch whose frame is broken is not carried out in part`() throws {
        let desk = try ServerDesk()
        let connection = try RawConnection(desk.path)
        var request = ModuleRequest()
        request.append(SealModule())
        request.append(GetStatus())
        var message = request.bytes()
        message[message.count - 1] = 9
        connection.send(message)
        let reply = try #require(try connection.reply())
        #expect(throws: ModuleRefusal(.malformedRequest)) { try reply.reply(0, to: GetStatus.self) }
        #expect(connection.isClosed)
        #expect(desk.module.status().state == .operational)
    }

    @Test func `who may calculate only does not manage, and a stranger gets a refusal`() async throws {
        let own = getuid()
        let calculating = try ServerDesk { $0.managementUsers = [own + 1] }
        #expect(await refusal(calculating.bridge(), SealModule()) == .notPermitted)
        #expect(try await calculating.bridge().execute(RandomBytes(count: 4)).bytes.count == 4)
        let managing = try ServerDesk { $0.calculationUsers = [own + 1] }
        #expect(await refusal(managing.bridge(), RandomBytes(count: 4)) == .notPermitted)
        #expect(try await managing.bridge().execute(SealModule()).state == .sealed)
        let strange = try ServerDesk {
            $0.managementUsers = [own + 1]
            $0.calculationUsers = []
        }
        #expect(await refusal(strange.bridge(), GetStatus()) == .notPermitted)
        #expect(strange.module.status().state == .operational)
    }

    private func refusal<Command: ModuleCommand>(_ bridge: ModuleBridge, _ command: Command) async -> ModuleError? {
        do throws(ModuleRefusal) {
            _ = try await bridge.execute(command)
            return nil
        } catch {
            return error.error
        }
    }

    @Test func `the socket is its owner's alone, and no other kind of file is replaced`() throws {
        let desk = try ServerDesk()
        var about = stat()
        #expect(unsafe lstat(desk.path, &about) == 0 && about.st_mode & 0o777 == 0o600)
        #expect(throws: ModuleServerError.addressInUse) {
            try ModuleServer(module: desk.module, settings: ModuleServerSettings(path: desk.path))
        }
        try desk.folder.write("file", [1])
        #expect(throws: ModuleServerError.notASocket) {
            try ModuleServer(module: desk.module, settings: ModuleServerSettings(path: desk.folder.file("file")))
        }
        #expect(throws: ModuleServerError.pathTooLong) {
            let long = desk.folder.path + String(repeating: "x", count: 120)
            return try ModuleServer(module: desk.module, settings: ModuleServerSettings(path: long))
        }
    }

    @Test func `more connections than allowed are closed at once`() throws {
        let desk = try ServerDesk { $0.connectionLimit = 2 }
        var request = ModuleRequest()
        request.append(GetStatus())
        let message = request.bytes()
        let first = try RawConnection(desk.path)
        let second = try RawConnection(desk.path)
        for connection in [first, second] {
            connection.send(message)
            #expect(try connection.reply()?.count == 1)
        }
        #expect(try RawConnection(desk.path).isClosed)
        first.send(message)
        #expect(try first.reply()?.count == 1)
    }

    @Test func `a stop answers what has arrived, and frees the path`() async throws {
        let desk = try ServerDesk()
        let key = try await desk.module.newKey(.mac3, .calculate)
        var request = ModuleRequest()
        for _ in 0..<2_000 {
            request.append(
                GenerateMAC(
                    key: key, algorithm: .algorithm3, padding: .method2, length: 8,
                    data: [UInt8](repeating: 1, count: 500)))
        }
        let connection = try RawConnection(desk.path)
        var small = ModuleRequest()
        small.append(GetStatus())
        connection.send(small.bytes())
        _ = try connection.reply()
        connection.send(request.bytes())
        desk.server.stop()
        #expect(try connection.reply()?.count == 2_000)
        #expect(connection.isClosed)
        #expect(!FileManager.default.fileExists(atPath: desk.path))
        desk.server.stop()
    }
}
