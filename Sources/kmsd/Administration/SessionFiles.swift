import FoundationEssentials
import Glibc

/// Sessions of the people who use this account: a file for each, readable by nobody else.
enum SessionFiles {
    /// `$KMSD_SESSIONS`, else `~/.kmsd`.
    static var folder: String {
        if let folder = environment("KMSD_SESSIONS") { return folder }
        return (environment("HOME") ?? ".") + "/.kmsd"
    }

    /// Who is meant: the option, else `$KMSD_AS`, else the only one with a session.
    static func person(_ option: String?) throws -> String {
        if let option { return option }
        if let name = environment("KMSD_AS") { return name }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { isName($0) }
            .sorted()
        if names.count == 1 { return names[0] }
        if names.isEmpty { throw CommandFailure("Nobody is signed in. Sign in first: kmsd login NAME.") }
        throw CommandFailure(
            "Several people are signed in (\(names.joined(separator: ", "))). Say who you are: --as NAME, or KMSD_AS.")
    }

    static func read(_ name: String) throws -> String {
        let path = try path(name)
        let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw CommandFailure("\(name) is not signed in. Sign in first: kmsd login \(name).") }
        defer { close(file) }
        var facts = stat()
        guard unsafe fstat(file, &facts) == 0, facts.st_uid == geteuid(), facts.st_mode & 0o077 == 0 else {
            throw CommandFailure(
                "\(path) must belong to you and be readable by nobody else (chmod 600), or sign in again.")
        }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        let token = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).filter { !$0.isWhitespace }
        guard !token.isEmpty else { throw CommandFailure("\(path) is damaged. Sign in again: kmsd login \(name).") }
        return token
    }

    static func write(_ token: String, for name: String) throws {
        let path = try path(name)
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw CommandFailure("Cannot make the folder \(folder).")
        }
        unsafe chmod(folder, 0o700)
        unsafe unlink(path)
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CommandFailure("Cannot write \(path).") }
        defer { close(file) }
        let bytes = Array((token + "\n").utf8)
        guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw CommandFailure("Cannot write \(path).")
        }
    }

    static func remove(_ name: String) throws { unsafe unlink(try path(name)) }

    private static func path(_ name: String) throws -> String {
        guard isName(name) else { throw CommandFailure("“\(name)” is not the name of an administrator.") }
        return "\(folder)/\(name)"
    }

    /// The rule of account names, which also keeps them inside the folder.
    private static func isName(_ name: String) -> Bool {
        (1...32).contains(name.utf8.count) && name.utf8.first.map { (0x61...0x7A).contains($0) } == true
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D
            }
    }

    private static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
