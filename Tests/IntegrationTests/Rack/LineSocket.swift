import Foundation
import Glibc

/// One line to a Unix socket, and the line that comes back: how the rack and its cards are told what to do.
enum LineSocket {
    struct Failure: Error, CustomStringConvertible { let description: String }

    /// The answer without its first word `ok`; anything else throws.
    @discardableResult
    static func ask(_ path: String, _ request: String) async throws -> String {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<String, any Error>) in
            DispatchQueue.global().async { done.resume(with: Result { try exchange(path, request) }) }
        }
    }

    private static func exchange(_ path: String, _ request: String) throws -> String {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in unsafe room.copyBytes(from: path.utf8) }
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw Failure(description: "nobody listens at \(path)") }
        let line = Array((request + "\n").utf8)
        guard unsafe write(socket, line, line.count) == line.count else {
            throw Failure(description: "\(path) is closed")
        }
        var answer = [UInt8](repeating: 0, count: 512)
        let count = unsafe read(socket, &answer, answer.count)
        let text = String(decoding: answer.prefix(max(count, 0)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard text == "ok" || text.hasPrefix("ok ") else { throw Failure(description: "\(request): \(text)") }
        return String(text.dropFirst(3))
    }
}
