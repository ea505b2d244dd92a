import HSMBridge

/// What the module remembers between two starts. Nothing of it is secret; all of it is needed to refuse a wrong card.
struct StateRecord: Sendable, Equatable {
    struct Component: Sendable, Equatable {
        var checkValue: KeyCheckValue
        /// Of the admin card that the component was written to, 16 hexadecimal digits.
        var cardSerial: String
    }

    /// An LMK that was made: its term, its check value and the three components in the custodians' order.
    struct MasterKey: Sendable, Equatable {
        var term: UInt8
        var checkValue: KeyCheckValue
        var components: [Component]
    }

    /// Counted up with every start and every unsealing: upper half of every key handle.
    var epoch: UInt32 = 0
    var masterKey: MasterKey?

    private static let title = "kmsd-module-state 1"

    /// Lines of text, the last one a SHA-256 over the lines before it, against damage (not against a forger: whoever can
    /// write here can also replace the module).
    func serialised() throws(PrimitiveError) -> [UInt8] {
        var text = "\(Self.title)\nepoch \(epoch)\n"
        if let masterKey {
            text += "term \(masterKey.term)\nlmk \(masterKey.checkValue)\n"
            for (index, component) in masterKey.components.enumerated() {
                text += "component \(index + 1) \(component.checkValue) \(component.cardSerial)\n"
            }
        }
        let body = Array(text.utf8)
        return body + Array("sha256 \(Hex.encode(try DigestAlgorithm.sha256.hash(body)))\n".utf8)
    }

    /// Nil where anything is not as `serialised` writes it.
    init?(parsing bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self), text.hasSuffix("\n") else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count >= 4, lines.removeLast().isEmpty, lines.removeFirst() == Self.title else { return nil }
        lines.removeLast()
        guard let epoch = Self.value(of: "epoch", in: lines.removeFirst()).flatMap({ UInt32($0) }) else { return nil }
        self.epoch = epoch
        if !lines.isEmpty {
            guard let key = Self.masterKey(lines) else { return nil }
            masterKey = key
        }
        // One text form only: what does not come out the same was not written by a module.
        guard let written = try? serialised(), written == bytes else { return nil }
    }

    init() {}

    private static func masterKey(_ lines: [String]) -> MasterKey? {
        guard lines.count == 5, let term = value(of: "term", in: lines[0]).flatMap({ UInt8($0) }), term > 0,
            let checkValue = value(of: "lmk", in: lines[1]).flatMap({ KeyCheckValue($0) })
        else { return nil }
        var components: [Component] = []
        for number in 1...3 {
            guard let rest = value(of: "component \(number)", in: lines[1 + number]) else { return nil }
            let words = rest.split(separator: " ").map(String.init)
            guard words.count == 2, let check = KeyCheckValue(words[0]), words[1].utf8.count == 16,
                Hex.decode(words[1]) != nil
            else { return nil }
            components.append(Component(checkValue: check, cardSerial: words[1]))
        }
        guard Set(components.map(\.cardSerial)).count == 3 else { return nil }
        return MasterKey(term: term, checkValue: checkValue, components: components)
    }

    private static func value(of name: String, in line: String) -> String? {
        line.hasPrefix(name + " ") ? String(line.dropFirst(name.count + 1)) : nil
    }
}
