import Glibc

/// The yardstick of the network rows: redis answering PING, the least a networked server can do.
enum RedisReference {
    /// PING in the form that every redis client sends, and its answer; as many copies as the other side has messages, so that
    /// windows of any depth are sent the same way.
    static let ping = LoadPattern(
        Array(
            repeating: LoadPattern.Exchange(
                request: Array("*1\r\n$4\r\nPING\r\n".utf8), reply: Array("+PONG\r\n".utf8)),
            count: HostMACLoad.messages))

    /// The version of the server at `port`, or nil when none answers.
    static func version(port: Int) -> String? {
        guard let connection = try? LoadConnection(port: port, first: 0, ping) else { return nil }
        defer { connection.close() }
        let request = Array("INFO server\r\n".utf8)
        var answer = [UInt8](repeating: 0, count: 8_192)
        let sent = unsafe request.withUnsafeBytes { unsafe send(connection.descriptor, $0.baseAddress, $0.count, 0) }
        guard sent == request.count else { return nil }
        let count = unsafe answer.withUnsafeMutableBytes {
            unsafe recv(connection.descriptor, $0.baseAddress, $0.count, 0)
        }
        guard count > 0 else { return nil }
        let lines = answer[..<count].split { $0 == 0x0A || $0 == 0x0D }.map { String(decoding: $0, as: UTF8.self) }
        return lines.first { $0.hasPrefix("redis_version:") }.map { String($0.dropFirst("redis_version:".count)) }
    }
}
