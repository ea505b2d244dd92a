import CryptoClient
import NIOCore

/// Every command that `HostRequest` reads, found by asking it: a list by hand would fall behind.
enum KnownCommands {
    static let all: Set<String> = {
        let characters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        var found: Set<String> = []
        for first in characters {
            for second in characters {
                guard let code = HostCommandCode("\(first)\(second)") else { continue }
                let frame = HostFrame(header: ByteBuffer(), command: code, body: ByteBuffer())
                do throws(FieldError) {
                    _ = try HostRequest.parse(frame)
                } catch {
                    if error.code == .commandNotLicensed { continue }
                }
                found.insert("\(first)\(second)")
            }
        }
        return found
    }()
}
