import Foundation
import Glibc
import Testing

@testable import kmsd

/// What systemd would hear, on a socket of our own.
struct SupervisorNoticeTests {
    /// A datagram socket bound to a name, as systemd's.
    private static func with(_ name: String, _ body: (SupervisorNotice, () -> String?) throws -> Void) rethrows {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(name.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in bytes.enumerated() { unsafe place[index] = byte }
            if name.hasPrefix("@") { unsafe place[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + (name.hasPrefix("@") ? 0 : 1))
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
        }
        #expect(bound == 0)
        defer {
            close(descriptor)
            unsafe unlink(name)
        }
        try body(SupervisorNotice(path: name)) {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let got = unsafe recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return got > 0 ? String(decoding: bytes.prefix(got), as: UTF8.self) : nil
        }
    }

    @Test(arguments: ["/tmp/kmsd-notice-\(getpid())", "@kmsd-notice-\(getpid())"])
    func `systemd hears when the service is ready, stops and lives`(name: String) throws {
        Self.with(name) { notice, heard in
            notice.ready("taking requests")
            #expect(heard() == "READY=1\nSTATUS=taking requests")
            notice.alive()
            #expect(heard() == "WATCHDOG=1")
            notice.stopping()
            #expect(heard()?.hasPrefix("STOPPING=1\n") == true)
            #expect(heard() == nil)
        }
    }

    @Test func `Without a socket, or with one that cannot be, nothing is said and nothing fails`() {
        for path in [
            nil, "", "relative", "/tmp/kmsd-nobody-listens-\(getpid())", "/" + String(repeating: "x", count: 200),
        ] {
            #expect(!SupervisorNotice(path: path).send("READY=1"))
        }
    }
}
