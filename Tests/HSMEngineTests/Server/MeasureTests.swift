import Foundation
import HSMBridge
import Testing

@testable import HSMEngine

/// Measures, not tests: run with KMSD_MEASURE=1 in a release build.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["KMSD_MEASURE"] != nil), .serialized)
struct MeasureTests {
    @Test(arguments: [1, 50, 1_000]) func `VerifyMAC over the socket`(batch: Int) async throws {
        let desk = try ServerDesk()
        let key = try await desk.module.newKey(.mac3, .calculate)
        let opened = try await desk.module.execute(OpenKey(key: key))
        let data = [UInt8](repeating: 0x31, count: 64)
        let mac = try await desk.module.execute(
            GenerateMAC(key: key, algorithm: .algorithm3, padding: .method2, length: 8, data: data)
        ).bytes
        for (name, reference) in [("handle", KeyReference.handle(opened.handle)), ("block", key)] {
            var request = ModuleRequest()
            for _ in 0..<batch {
                request.append(
                    VerifyMAC(key: reference, algorithm: .algorithm3, padding: .method2, data: data, mac: mac))
            }
            let message = request.bytes()
            let answerLength = 8 + 7 * batch
            let rounds = max(1, 200_000 / batch)
            let connection = try RawConnection(desk.path)
            let clock = ContinuousClock()
            let socket = try clock.measure {
                for _ in 0..<rounds {
                    connection.send(message)
                    try #require(connection.receive(answerLength) != nil)
                }
            }
            let inProcess = clock.measure {
                for _ in 0..<rounds {
                    var writer = ModuleReplyWriter(capacity: answerLength)
                    _ = unsafe message.withUnsafeBytes { memory in
                        unsafe desk.module.answer(
                            UnsafeRawBufferPointer(rebasing: memory.dropFirst(4)), from: .thisProcess, into: &writer)
                    }
                }
            }
            let items = rounds * batch
            FileHandle.standardError.write(
                Data(
                    "measure batch \(batch) by \(name): \(Self.nanoseconds(socket, items)) ns an item over the socket, \(Self.nanoseconds(inProcess, items)) ns in process\n"
                        .utf8))
        }
    }

    private static func nanoseconds(_ duration: Duration, _ items: Int) -> Int64 {
        (duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000) / Int64(items)
    }
}
