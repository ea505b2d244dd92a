import Foundation
import NIOCore

@testable import CryptoService

extension FuzzTarget {
    /// The body of a request over HTTP/JSON, given to every operation. What the reader takes is JSON for Foundation too.
    static let httpBodies = FuzzTarget(name: "http-bodies") { input in
        let text = ByteBuffer(bytes: input)
        for route in ServiceRoute.all {
            guard (try? OperationCall(route, client: "fuzz", text)) != nil else { continue }
            guard (try? JSONSerialization.jsonObject(with: Data(input))) != nil else {
                return "\(route.path) takes what is not JSON"
            }
        }
        return nil
    }
}
