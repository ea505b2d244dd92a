import Foundation
import HSMBridge
import KMS
import Testing

@testable import Personalization

/// Profiles are read strictly: each mistake is named with its place.
@Suite struct ProfileTests {
    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(Workshop.profileFolder)/\(name).yaml", encoding: .utf8)
    }

    @Test func `the profiles of the house are read`() throws {
        let library = try ProfileLibrary(folder: Workshop.profileFolder)
        #expect(library.profiles.map(\.name) == ["fmcos-canteen", "psam-pboc"])
        let psam = try #require(library.profile("psam-pboc"))
        #expect(psam.stockKind == "psam")
        #expect(psam.fields.filter { $0.defaultText == nil }.map(\.name) == ["psamSerial", "terminal"])
        let card = try #require(library.profile("fmcos-canteen"))
        #expect(card.fields.filter { $0.defaultText == nil }.map(\.name) == ["asn", "holder", "pin"])
        #expect(card.fields.filter(\.isSecret).map(\.name) == ["pin"])
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        let old, new, path, problem: String
        var testDescription: String { new.isEmpty ? "without \(old)" : new }
    }

    static let mistakes: [Mistake] = [
        Mistake(old: "title: PBOC", new: "titel: PBOC", path: "titel", problem: "unknown field"),
        Mistake(old: "stock: psam\n", new: "", path: "", problem: "`stock` is missing"),
        Mistake(old: "challenge: 4", new: "challenge: four", path: "cardOS.challenge", problem: "number from 4 to 16"),
        Mistake(
            old: "cipher: 3des", new: "cipher: rot13", path: "cardOS.cipher", problem: "expected one of: 3des, sm4"),
        Mistake(
            old: "{type}{id}{algorithm}", new: "{type}{colour}", path: "cardOS.keyHeaders[0].header",
            problem: "{colour}"),
        Mistake(
            old: "usage: vendorTransport", new: "usage: mac3", path: "keys.vendor.usage", problem: "usage of a card key"
        ),
        Mistake(
            old: "fid: \"0015\"", new: "fid: \"15\"", path: "files.psam-info.fid", problem: "has 1 bytes, expected 2"),
        Mistake(old: "type: \"22\"", new: "type: \"2G\"", path: "keys.purchase.type", problem: "hexadecimal"),
        Mistake(old: "form: digits 12", new: "form: digits 11", path: "data.terminal.form", problem: "digits N"),
        Mistake(old: "default: today+10y", new: "default: soon", path: "data.expiryDate.default", problem: "YYYYMMDD"),
        Mistake(old: "  - select: ADF", new: "  - selekt: ADF", path: "steps[10].selekt", problem: "unknown field"),
        Mistake(old: "  - select: ADF", new: "  - select: ABC", path: "steps[10]", problem: "`ABC` is not defined"),
        Mistake(
            old: "under: app-maintenance}", new: "under: app-maint}", path: "steps[17]",
            problem: "`app-maint` is not defined"),
        Mistake(
            old: "[{data: terminal}]", new: "[{data: terminus}]", path: "files", problem: "`terminus` is not defined"),
        Mistake(old: "steps:", new: "steps: {}\nsteps:", path: "", problem: "not YAML"),
    ]

    @Test(arguments: mistakes)
    func `a mistake is named with file, line, path and what is expected`(_ mistake: Mistake) throws {
        let text = try Self.text("psam-pboc")
        let range = try #require(text.range(of: mistake.old))
        let wrong = text.replacingCharacters(in: range, with: mistake.new)
        let error = #expect(throws: ProfileError.self) { try CardProfile(yaml: wrong, file: "wrong.yaml") }
        let found = try #require(error)
        #expect(found.file == "wrong.yaml")
        #expect(found.path == mistake.path)
        #expect(found.problem.contains(mistake.problem), "\(found)")
        if !mistake.new.isEmpty, mistake.path.contains("."),
            mistake.path.hasPrefix("data") || mistake.path.hasPrefix("keys.")
        {
            let line = text[..<range.lowerBound].split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(found.line == line, "\(found)")
        }
    }

    /// Nothing here comes from outside, but a parser that traps takes the whole server with it.
    @Test func `no cut of a profile is taken: neither the reader nor the image lets it pass`() throws {
        let text = Array(try Self.text("psam-pboc").utf8)
        for length in stride(from: 0, to: text.count, by: 97) {
            let cut = String(decoding: text[..<length], as: UTF8.self)
            #expect(throws: (any Error).self) {
                let profile = try CardProfile(yaml: cut, file: "cut")
                _ = try CardImage.make(profile, data: ImageTests.data(profile), keys: ImageTests.lookup(profile))
            }
        }
    }

    @Test(arguments: ["", "{", "- a", "42", "profile: [1]", "\u{0}", "a: *b", "? [x]\n: y"])
    func `what is not a profile is refused`(_ text: String) {
        #expect(throws: ProfileError.self) { try CardProfile(yaml: text, file: "x") }
    }
}
