import Foundation
import HSMBridge
import NIOCore

@testable import CryptoService

extension FuzzTarget {
    /// The body of a request over HTTP/JSON, given to every operation. What the reader takes is JSON for Foundation too, and a
    /// question for an explanation reaches the module as it was written.
    static let httpBodies = FuzzTarget(name: "http-bodies") { input in
        let text = ByteBuffer(bytes: input)
        for route in ServiceRoute.all {
            guard (try? OperationCall(route, client: "fuzz", text)) != nil else { continue }
            guard isJSON(input) else { return "\(route.path) takes what is not JSON" }
        }
        guard let body = try? JSONBody(text, MACExplainRequest.fields) else { return nil }
        guard isJSON(input) else { return "\(MACExplainDesk.path) takes what is not JSON" }
        return finding(MACExplainRequest.command(body, [.handle(KeyHandle(rawValue: 1))]))
    }

    private static func isJSON(_ input: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(input))) != nil
    }

    private static func finding(_ question: ExplainMAC) -> String? {
        let wire = bytes(question)
        let read = unsafe wire.withUnsafeBytes { wire in
            unsafe WireReader.reading(wire) { reader in
                guard let read = try? ExplainMAC(from: &reader), reader.remaining == 0 else { return ExplainMAC?.none }
                return read
            }
        }
        guard let read else { return "the module would not read a question for an explanation" }
        return bytes(read) == wire ? nil : "the module would read another question than was asked"
    }

    private static func bytes(_ question: ExplainMAC) -> [UInt8] {
        var writer = WireWriter()
        question.write(to: &writer)
        return unsafe writer.withBytes { unsafe Array($0) }
    }
}
