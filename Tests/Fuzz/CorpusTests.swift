import CryptoClient
import Foundation
import HSMBridge
import NIOCore
import Testing

@testable import CryptoService

/// Everything the fuzzer ever found worth keeping goes through its target again, crashes of the past first of all.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpus")

    @Test(arguments: FuzzTarget.all.map(\.name)) func `no kept input finds anything`(target name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let inputs = try Self.kept(name)
        #expect(!inputs.isEmpty)
        for (file, input) in inputs { #expect(target.finding(input) == nil, "\(name)/\(file)") }
    }

    /// Inputs of a target with their names.
    private static func kept(_ target: String) throws -> [(file: String, input: [UInt8])] {
        let place = folder.appending(path: target)
        return try FileManager.default.contentsOfDirectory(atPath: place.path).sorted().map { file in
            (file, try [UInt8](Data(contentsOf: place.appending(path: file))))
        }
    }

    // A corpus from before a command was written would find nothing in it.

    @Test func `every command of the module stands in a kept message`() throws {
        let messages = try Self.kept("module-messages")
        for code in CommandCode.allCases where !ModuleDesk.leftOut.contains(code) {
            #expect(messages.contains { ModuleDesk.asks($0.input, for: code) }, "\(code)")
        }
    }

    @Test func `every host command stands in a kept stream, and is read`() throws {
        var read: Set<HostCommandCode> = []
        for (_, input) in try Self.kept("host-frames") {
            var stream = HostFrameStream(
                HostFrameFormat(headerLength: Int((input.first ?? 0) & 7), maximumLength: 4_096))
            stream.receive(ByteBuffer(bytes: input.dropFirst()))
            while let frame = try? stream.next() {
                if (try? HostRequest.parse(frame)) != nil { read.insert(frame.command) }
            }
        }
        let known = CommandSlots.shared.commands.compactMap(\.self).filter { code in
            do throws(FieldError) {
                _ = try HostRequest.parse(HostFrame(header: ByteBuffer(), command: code, body: ByteBuffer()))
                return true
            } catch {
                return error.code != .commandNotLicensed
            }
        }
        #expect(known.count > 40)
        for code in known { #expect(read.contains(code), "\(code)") }
    }

    @Test func `every operation over HTTP takes a kept body`() throws {
        let bodies = try Self.kept("http-bodies").map { ByteBuffer(bytes: $0.input) }
        for route in ServiceRoute.all {
            #expect(bodies.contains { (try? OperationCall(route, client: "fuzz", $0)) != nil }, "\(route.path)")
        }
        #expect(bodies.contains { (try? JSONBody($0, MACExplainRequest.fields)) != nil })
    }

    @Test func `every folder of the corpus has a target`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names) == Set(FuzzTarget.all.map(\.name)))
    }
}
