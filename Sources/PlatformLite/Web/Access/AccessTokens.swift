import FoundationEssentials

/// What a member of staff or a program may do here.
public enum StaffRole: String, Sendable, CaseIterable {
    /// Terminals' collectors: upload records.
    case uploader
    /// Merchants, terminals, loads, reversals.
    case clerk
    /// Reads all, changes nothing.
    case auditor

    func may(_ right: Right) -> Bool {
        switch (self, right) {
        case (_, .read), (.uploader, .upload), (.clerk, .manage): true
        case (.uploader, .manage), (.clerk, .upload), (.auditor, .upload), (.auditor, .manage): false
        }
    }
}

/// The rights that routes ask for.
enum Right: Sendable {
    case read, upload, manage
}

/// Somebody who is known.
public struct Staff: Sendable, Hashable {
    public let name: String
    public let role: StaffRole
}

/// Who may come in: the tokens of a file that only its owner can read, one line each: `name role token`.
///
/// A token is 32 random bytes in hexadecimal. It arrives in an HTTP header and so cannot be kept from ordinary memory; it opens
/// this back office and nothing else. Comparing takes the same time whatever the difference, and looks at every token.
public struct AccessTokens: Sendable {
    public enum Failure: Error, Sendable, Hashable {
        case missing
        /// Others than the owner can read the file.
        case tooOpen
        /// A line that is not a name, a role and a token, by its number.
        case malformed(Int)
        case notWritable
    }

    private struct Entry {
        let staff: Staff
        let token: [UInt8]
    }

    private static let length = 32
    private let entries: [Entry]

    public init(path: String) throws(Failure) {
        entries = try Self.read(path)
        guard !entries.isEmpty else { throw .malformed(0) }
    }

    /// Writes a new file with random tokens, mode 0600; refuses to touch a file that exists.
    public static func make(path: String, staff: [(String, StaffRole)]) throws(Failure) {
        var random = SystemRandomNumberGenerator()
        let lines = staff.map { name, role in
            "\(name) \(role.rawValue) \(HexText.text((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }))"
        }
        let files = FileManager.default
        guard !files.fileExists(atPath: path) else { throw .notWritable }
        let isMade = files.createFile(
            atPath: path, contents: nil, attributes: [.posixPermissions: UInt(0o600)])
        guard isMade else { throw .notWritable }
        do {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
        } catch {
            throw .notWritable
        }
    }

    /// The token of one name in a file, for programs that log in with it; nil when there is none.
    public static func token(of name: String, in path: String) throws(Failure) -> String? {
        try read(path).first { $0.staff.name == name }.map { HexText.text($0.token) }
    }

    /// Who this token belongs to.
    func staff(token text: some StringProtocol) -> Staff? {
        guard let presented = HexText.bytes(text), presented.count == Self.length else { return nil }
        var found: Staff?
        for entry in entries {
            var difference: UInt8 = 0
            for index in 0..<Self.length { difference |= presented[index] ^ entry.token[index] }
            if difference == 0 { found = entry.staff }
        }
        return found
    }

    private static func read(_ path: String) throws(Failure) -> [Entry] {
        let files = FileManager.default
        guard let attributes = try? files.attributesOfItem(atPath: path), let data = files.contents(atPath: path) else {
            throw .missing
        }
        // The number arrives as one type or another, depending on which Foundation is loaded; its text is the same.
        guard let mode = attributes[.posixPermissions].flatMap({ Int("\($0)") }), mode & 0o077 == 0 else {
            throw .tooOpen
        }
        guard data.count <= 65_536 else { throw .malformed(1) }
        var entries: [Entry] = []
        for (index, line) in String(decoding: data, as: UTF8.self).split(separator: "\n").enumerated() {
            let words = line.split(separator: " ")
            if words.isEmpty || words[0].hasPrefix("#") { continue }
            guard words.count == 3, Identifier.isValid(String(words[0]), upTo: 40),
                let role = StaffRole(rawValue: String(words[1])), let token = HexText.bytes(words[2]),
                token.count == length
            else { throw .malformed(index + 1) }
            entries.append(Entry(staff: Staff(name: String(words[0]), role: role), token: token))
        }
        return entries
    }
}
