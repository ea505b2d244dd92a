import Glibc

/// Connections that do nothing, and some that stop in the middle of a frame: who stands in the way of nobody, if the service is good.
final class Crowd {
    private let connections: [LoadConnection]

    /// The stalled ones have announced a frame of 64 bytes and sent two of them.
    init(port: Int, idle: Int, stalled: Int) throws {
        let nothing = LoadPattern([LoadPattern.Exchange(request: [0], reply: [0])])
        var connections: [LoadConnection] = []
        for number in 0..<idle + stalled {
            let connection = try LoadConnection(port: port, first: 0, nothing)
            connections.append(connection)
            guard number >= idle else { continue }
            let half: [UInt8] = [0, 64, 0x30, 0x30]
            let sent = unsafe half.withUnsafeBytes { unsafe send(connection.descriptor, $0.baseAddress, $0.count, 0) }
            guard sent == half.count else { throw LoadFailure.closed }
        }
        self.connections = connections
    }

    func leave() {
        for connection in connections { connection.close() }
    }
}
