import Foundation
import Glibc
import HSMBridge
import Testing

@testable import HSMEngine

/// A module behind a real socket, and a caller that can also send rubbish.
final class ServerDesk: Sendable {
    let folder: TestFolder
    let module: SoftwareModule
    let server: ModuleServer
    let path: String

    init(_ change: (inout ModuleServerSettings) -> Void = { _ in }) throws {
        folder = try TestFolder()
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        path = folder.file("hsm.sock")
        var settings = ModuleServerSettings(path: path)
        change(&settings)
        server = try ModuleServer(module: module, settings: settings)
    }

    deinit { server.stop() }

    func bridge() -> ModuleBridge { ModuleBridge(path: path, lanes: 1, timeoutSeconds: 300) }
}

/// A connection that sends bytes as they are.
final class RawConnection {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, length) }
        }
        try #require(result == 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { memory in
                unsafe Glibc.send(
                    descriptor, memory.baseAddress! + sent, memory.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Nil where the other side closed or said nothing for the limit.
    func receive(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes { memory in
                unsafe recv(descriptor, memory.baseAddress! + filled, count - filled, 0)
            }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }

    func reply() throws -> ModuleReply? {
        guard let header = receive(4), let body = receive(header.reduce(0) { $0 << 8 | Int($1) }) else { return nil }
        return try ModuleReply(message: body)
    }

    /// Whether the other side has closed, waiting for it.
    var isClosed: Bool { receive(1) == nil }
}

extension ModuleRequest {
    /// The message as it goes over the socket.
    mutating func bytes() -> [UInt8] { unsafe withMessage { unsafe Array($0) } }
}
