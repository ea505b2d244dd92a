internal import HSMBridge
internal import Yams

/// A place in a profile, read strictly: scalars keep their text (`0015` is four digits, not thirteen), and what nobody asked for
/// is an error, because a misspelt access right must not become a default.
struct ProfileReader {
    let file: String
    let path: String
    let node: Node

    init(file: String, text: String) throws(ProfileError) {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch let error as YamlError {
            let line: Int
            switch error {
            case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): line = mark.line
            default: line = 0
            }
            throw ProfileError(file: file, line: line, path: "", problem: "not YAML: \(error)")
        } catch {
            throw ProfileError(file: file, line: 0, path: "", problem: "not YAML")
        }
        guard let root else {
            throw ProfileError(file: file, line: 0, path: "", problem: "empty file, expected a profile")
        }
        self.init(file: file, path: "", node: root)
    }

    private init(file: String, path: String, node: Node) {
        self.file = file
        self.path = path
        self.node = node
    }

    var line: Int { node.mark?.line ?? 0 }

    func failure(_ problem: String) -> ProfileError {
        ProfileError(file: file, line: line, path: path, problem: problem)
    }

    // MARK: Maps and lists

    /// Refuses names outside `allowed` and repeated ones.
    func fields(_ allowed: Set<String>) throws(ProfileError) -> Fields {
        guard case .mapping(let mapping) = node else { throw failure("expected named fields") }
        var found: [String: ProfileReader] = [:]
        for (key, value) in mapping {
            guard let name = key.string else { throw failure("a field's name must be text") }
            let place = ProfileReader(file: file, path: path.isEmpty ? name : "\(path).\(name)", node: value)
            guard allowed.contains(name) else {
                throw place.failure("unknown field, expected one of: \(allowed.sorted().joined(separator: ", "))")
            }
            guard found.updateValue(place, forKey: name) == nil else { throw place.failure("stands twice") }
        }
        return Fields(reader: self, found: found)
    }

    struct Fields {
        let reader: ProfileReader
        let found: [String: ProfileReader]

        func optional(_ name: String) -> ProfileReader? { found[name] }
        func required(_ name: String) throws(ProfileError) -> ProfileReader {
            guard let place = found[name] else { throw reader.failure("field `\(name)` is missing") }
            return place
        }
    }

    /// Entries of a map with free names, in the order of the file.
    func entries() throws(ProfileError) -> [(name: String, value: ProfileReader)] {
        guard case .mapping(let mapping) = node else { throw failure("expected named entries") }
        var entries: [(name: String, value: ProfileReader)] = []
        for (key, value) in mapping {
            guard let name = key.string, Self.isName(name) else { throw failure("a name has letters, digits and `-`") }
            let place = ProfileReader(file: file, path: path.isEmpty ? name : "\(path).\(name)", node: value)
            guard !entries.contains(where: { $0.name == name }) else { throw place.failure("stands twice") }
            entries.append((name, place))
        }
        return entries
    }

    func list() throws(ProfileError) -> [ProfileReader] {
        guard case .sequence(let sequence) = node else { throw failure("expected a list") }
        return sequence.enumerated().map { ProfileReader(file: file, path: "\(path)[\($0.offset)]", node: $0.element) }
    }

    // MARK: Scalars

    func text() throws(ProfileError) -> String {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty, scalar.string.utf8.count <= 400 else {
            throw failure("expected text")
        }
        return scalar.string
    }

    func name() throws(ProfileError) -> String {
        let text = try text()
        guard Self.isName(text) else { throw failure("expected a name of letters, digits and `-`, found `\(text)`") }
        return text
    }

    func number(_ range: ClosedRange<Int>) throws(ProfileError) -> Int {
        let text = try text()
        guard let value = Int(text), range.contains(value) else {
            throw failure("expected a number from \(range.lowerBound) to \(range.upperBound), found `\(text)`")
        }
        return value
    }

    func bytes(_ count: ClosedRange<Int>) throws(ProfileError) -> [UInt8] {
        let text = try text()
        let wanted =
            count.lowerBound == count.upperBound ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
        guard let bytes = Hex.decode(text.filter { $0 != " " }) else {
            throw failure("expected \(wanted) bytes in hexadecimal digits, found `\(text)`")
        }
        guard count.contains(bytes.count) else { throw failure("has \(bytes.count) bytes, expected \(wanted)") }
        return bytes
    }

    func byte() throws(ProfileError) -> UInt8 { try bytes(1...1)[0] }
    func identifier() throws(ProfileError) -> UInt16 {
        let bytes = try bytes(2...2)
        return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    }

    func template(_ tokens: Set<String>) throws(ProfileError) -> ByteTemplate {
        let text = try text()
        guard let template = ByteTemplate(text) else {
            throw failure("expected hexadecimal digits and {tokens}, found `\(text)`")
        }
        for token in template.tokens where !tokens.contains(token) {
            throw failure("unknown token {\(token)}, expected one of: \(tokens.sorted().joined(separator: ", "))")
        }
        return template
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ type: Choice.Type
    ) throws(ProfileError) -> Choice where Choice.RawValue == String {
        let text = try text()
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw failure("expected one of: \(words); found `\(text)`")
        }
        return choice
    }

    private static func isName(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }
}
