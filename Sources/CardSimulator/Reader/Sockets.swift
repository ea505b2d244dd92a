import Glibc

/// The few socket calls a card needs: blocking, loopback and Unix only. Descriptors are plain numbers owned by the
/// caller.
enum Sockets {
    /// Connects to an IPv4 address; `nil` when nobody listens there.
    static func connect(host: String, port: UInt16) -> Int32? {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard unsafe inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr) == 1 else {
            close(file)
            return nil
        }
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe Glibc.connect(file, $0, length) }
        }
        guard result == 0 else {
            close(file)
            return nil
        }
        set(file, TCP_NODELAY)
        return file
    }

    /// Sends acknowledgements at once. vpcd sends length and payload apart, with Nagle's algorithm on: with delayed
    /// acknowledgements every APDU takes 49 ms instead of 66 µs. The kernel forgets the option: set it before each wait.
    static func acknowledgeQuickly(_ file: Int32) { set(file, TCP_QUICKACK) }

    private static func set(_ file: Int32, _ option: Int32) {
        var one: Int32 = 1
        _ = unsafe setsockopt(file, Int32(IPPROTO_TCP), option, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// A Unix socket that listens at `path`, readable and writable by its owner only; a stale one is replaced.
    static func listen(at path: String) throws(VirtualCardError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .badSetting("the control socket's path is too long")
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { throw .inputOutput(path, errno) }
        unsafe unlink(path)
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let former = umask(0o177)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(file, $0, length) }
        }
        umask(former)
        guard result == 0, Glibc.listen(file, 8) == 0 else {
            let code = errno
            close(file)
            throw .inputOutput(path, code)
        }
        return file
    }

    static func accept(_ listener: Int32) -> Int32? {
        let file = Glibc.accept(listener, nil, nil)
        return file >= 0 ? file : nil
    }

    /// What is there to read, at most 4 KiB; empty at the end of the stream, `nil` on an error.
    static func receive(_ file: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(file, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            return Array(buffer.prefix(count))
        }
    }

    /// Sends everything in one call where the kernel allows; `false` when the other side is gone.
    static func send(_ bytes: [UInt8], to file: Int32) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                guard let base = raw.baseAddress else { return 0 }
                return unsafe Glibc.send(file, base + offset, raw.count - offset, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    /// Waits until one of the descriptors is readable or broken; gives those that are.
    /// - Parameter milliseconds: -1 waits for ever.
    static func wait(_ files: [Int32], milliseconds: Int32) -> [Int32] {
        var polled = files.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let count = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
        guard count > 0 else { return [] }
        return polled.filter { $0.revents != 0 }.map(\.fd)
    }
}
