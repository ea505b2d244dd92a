import Foundation
import HSMBridge
import KMS
import Testing

@testable import Personalization

/// Images without a card, a module or a database: everything is known beforehand.
@Suite struct ImageTests {
    static let now = Timestamp("2026-11-23T08:00:00Z")!

    /// Stand-ins for stored keys: the right usage, a block that nobody opens.
    static func lookup(_ profile: CardProfile, change: ((inout StoredKey?, KeyPlan) -> Void)? = nil) -> KeyLookup {
        KeyLookup(issuer: "PARK", now: now) { name in
            guard let plan = profile.keys.first(where: { "PARK/\($0.label)" == name.description }),
                let identity = name.version(3)
            else { return nil }
            var key: StoredKey? = StoredKey(
                identity: identity,
                attributes: KeyAttributes(
                    usage: plan.usage, algorithm: .tripleDES2, mode: plan.isTransport ? .unrestricted : .derive,
                    exportability: .nonExportable),
                state: .active, validity: .unlimited,
                key: WrappedKey(
                    block: "D-\(plan.label)",
                    checkValue: KeyCheckValue(plan.label.utf8.reduce(0, &+), 0, plan.isTransport ? 1 : 0)))
            change?(&key, plan)
            return key
        }
    }

    static func data(_ profile: CardProfile, _ change: [String: String] = [:]) throws -> JobData {
        let given =
            profile.stockKind == "psam"
            ? ["psamSerial": "31010000000000000001", "terminal": "310000000001"]
            : ["asn": "00003101000000000042", "holder": "Demo Holder", "pin": "123456"]
        return try JobData(given.merging(change) { $1 }, fields: profile.fields, today: "20261123")
    }

    static func profile(_ name: String, _ change: (String) -> String = { $0 }) throws -> CardProfile {
        try CardProfile(yaml: change(try ProfileTests.text(name)), file: name)
    }

    @Test(arguments: ["psam-pboc", "fmcos-canteen"])
    func `the image of a card is the one that stands written down`(_ name: String) throws {
        let profile = try Self.profile(name)
        let image = try CardImage.make(profile, data: Self.data(profile), keys: Self.lookup(profile))
        let expected = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Expected/\(name).txt"),
            encoding: .utf8)
        let found = image.text + "\n"
        #expect(found == expected, "\(found)")
    }

    struct Spoilt: Sendable, CustomTestStringConvertible {
        var profile = "psam-pboc"
        let old, new, problem: String
        var testDescription: String { "\(problem): \(new)" }
    }

    static let spoilt: [Spoilt] = [
        Spoilt(old: "fid: \"0016\"", new: "fid: \"0015\"", problem: "file identifier 0015 stands twice"),
        Spoilt(old: "fid: \"0016\"", new: "fid: \"1015\"", problem: "short file identifier 0015 stands twice"),
        Spoilt(old: "size: 25", new: "size: 26", problem: "26 bytes and 25 bytes of contents"),
        Spoilt(old: "size: 16384}", new: "size: 700}", problem: "directory MF has 700 bytes"),
        Spoilt(old: "total: 16384", new: "total: 700", problem: "directory MF has 700 bytes"),
        Spoilt(old: "size: 512, present", new: "size: 40, present", problem: "key file mf-keys has 40 bytes"),
        Spoilt(old: "  - readBack: psam-info\n", new: "", problem: "psam-info is never read back"),
        Spoilt(old: "  - loadKey: {key: tac, under: app-control}\n", new: "", problem: "key tac is never loaded"),
        Spoilt(
            old: "  - loadKey: {key: card-control, under: vendor, replaces: yes}  # 洗卡\n", new: "",
            problem: "card-control: not on the card yet"),
        Spoilt(
            old: "{key: tac, under: app-control}", new: "{key: tac, under: vendor}",
            problem: "nothing but its own replacement"),
        Spoilt(
            old: "{key: tac, under: app-control}", new: "{key: vendor, under: app-control}",
            problem: "never loaded onto a card"),
        Spoilt(
            old: "{key: app-control, under: card-control}", new: "{key: app-control, under: app-maintenance}",
            problem: "not on the card yet"),
        Spoilt(old: "  - select: ADF\n", new: "", problem: "select ADF first"),
        Spoilt(
            old: "{file: psam-info, under: card-maintenance}", new: "{file: psam-info}",
            problem: "under a maintenance key"),
        Spoilt(old: "{type}{id}{algorithm}", new: "{type}{id}{version}", problem: "no value for {version}"),
        Spoilt(
            old: "type: \"01\", id: \"01\", algorithm: \"00\"}\n  app-control",
            new: "type: \"00\", id: \"01\", algorithm: \"00\"}\n  app-control", problem: "two keys in one place"),
        Spoilt(
            profile: "fmcos-canteen", old: "  - loadKey: {key: control, under: blank, replaces: yes}\n", new: "",
            problem: "must be replaced in the very next step"),
        Spoilt(profile: "fmcos-canteen", old: "  - setPIN: holder\n", new: "", problem: "PIN holder is not set yet"),
    ]

    @Test(arguments: spoilt)
    func `a profile that would spoil a card is refused before the card is touched`(_ spoilt: Spoilt) throws {
        let profile = try Self.profile(spoilt.profile) { $0.replacingOccurrences(of: spoilt.old, with: spoilt.new) }
        let error = #expect(throws: IssuingError.self) {
            _ = try CardImage.make(profile, data: Self.data(profile), keys: Self.lookup(profile))
        }
        #expect(error?.message.contains(spoilt.problem) == true, "\(error?.message ?? "")")
    }

    @Test func `keys must be there, active, in their dates and what the profile takes them for`() throws {
        let profile = try Self.profile("psam-pboc")
        func code(_ change: @escaping (inout StoredKey?, KeyPlan) -> Void) throws -> String? {
            let data = try Self.data(profile)
            do throws(IssuingError) {
                _ = try CardImage.make(profile, data: data, keys: Self.lookup(profile, change: change))
                return nil
            } catch { return error.code }
        }
        func key(
            _ key: StoredKey?, usage: KeyUsage? = nil, mode: ModeOfUse? = nil, state: KeyState = .active,
            until: Timestamp? = nil, kcv: KeyCheckValue? = nil
        ) -> StoredKey? {
            key.map { key in
                var attributes = key.attributes
                attributes.usage = usage ?? attributes.usage
                attributes.mode = mode ?? attributes.mode
                return StoredKey(
                    identity: key.identity, attributes: attributes, state: state,
                    validity: Validity(from: nil, until: until),
                    key: WrappedKey(block: key.key.block, checkValue: kcv ?? key.checkValue))
            }
        }
        #expect(try code { _, _ in } == nil)
        #expect(try code { found, plan in if plan.name == "tac" { found = nil } } == "P-111")
        #expect(try code { found, plan in if plan.name == "tac" { found = key(found, state: .suspended) } } == "P-112")
        #expect(try code { found, plan in if plan.name == "tac" { found = key(found, until: Self.now) } } == "P-112")
        #expect(try code { found, plan in if plan.name == "tac" { found = key(found, usage: .load) } } == "P-113")
        #expect(
            try code { found, plan in if plan.name == "card-control" { found = key(found, mode: .unrestricted) } }
                == "P-113")
        // The maker's key under the name of a production key.
        let vendor = KeyCheckValue("VENDOR/PSAM-BLANK".utf8.reduce(0, &+), 0, 1)
        #expect(try code { found, plan in if plan.name == "purchase" { found = key(found, kcv: vendor) } } == "P-113")
    }

    struct Value: Sendable {
        let form: DataField.Form
        let text: String
        let bytes: String?
    }

    static let values: [Value] = [
        Value(form: .digits(4), text: "0123", bytes: "0123"), Value(form: .digits(4), text: "012", bytes: nil),
        Value(form: .digits(4), text: "01A3", bytes: nil), Value(form: .hex(bytes: 2), text: "aB01", bytes: "AB01"),
        Value(form: .hex(bytes: 2), text: "AB0", bytes: nil),
        Value(form: .text(bytes: 4), text: "Li", bytes: "4C690000"),
        Value(form: .text(bytes: 4), text: "Li Xi", bytes: nil),
        Value(form: .text(bytes: 6), text: "李", bytes: "E69D8E000000"),
        Value(form: .text(bytes: 4), text: "a\nb", bytes: nil), Value(form: .date, text: "20260228", bytes: "20260228"),
        Value(form: .date, text: "20260229", bytes: nil), Value(form: .date, text: "today", bytes: "20280229"),
        Value(form: .date, text: "today+10y", bytes: "20380228"), Value(form: .date, text: "today+99y", bytes: nil),
        Value(form: .pin(2...8), text: "123456", bytes: "313233343536"),
        Value(form: .pin(2...8), text: "1", bytes: nil),
        Value(form: .pin(2...8), text: "123456789", bytes: nil), Value(form: .pin(2...8), text: "12a4", bytes: nil),
    ]

    @Test(arguments: values) func `data fields become the bytes of the card, or are refused`(_ value: Value) {
        #expect(JobData.encode(value.text, value.form, today: "20280229").map { Hex.encode($0) } == value.bytes)
    }
}

extension CardImage {
    /// One line a step, for comparison with what stands written down.
    var text: String {
        steps.enumerated().map { "\($0.offset + 1). \($0.element.text)" }.joined(separator: "\n")
    }
}

extension ImageStep {
    fileprivate var text: String {
        func hex(_ header: UInt32) -> String { Hex.encode(header.octets) }
        func key(_ key: CardKey) -> String {
            ([key.identity.description] + key.derived.factors.map { Hex.encode($0.octets) }).joined(separator: " by ")
        }
        let what: String =
            switch action {
            case .command(let command, let answer):
                Hex.encode(command.bytes) + (answer.map { " = \(Hex.encode($0))" } ?? "")
            case .protected(let header, let data, let under, let encipher):
                "\(hex(header)) \(Hex.encode(data)) \(encipher ? "enciphered" : "MAC") under \(key(under))"
            case .loadKey(let header, let keyHeader, let loaded, let under):
                "\(hex(header)) \(Hex.encode(keyHeader)) | \(key(loaded)) under \(key(under))"
            case .authenticate(let header, let proved): "\(hex(header)) \(key(proved))"
            case .setPIN(let before, let field): "\(Hex.encode(before)) | \(field)"
            case .verifyPIN(let header, let field): "\(hex(header)) | \(field)"
            case .tryLoad(let purse, let index, let used): "purse \(purse) index \(index) \(key(used))"
            case .tryPurchase(let purse, let index, let version, let algorithm):
                "purse \(purse) index \(index) version \(version) algorithm \(algorithm)"
            case .tryPurchaseSAM(let version, let algorithm, let used, let levels, _, let order):
                "version \(version) algorithm \(algorithm) levels \(levels) \(order) \(key(used))"
            }
        let after: String =
            switch recovery {
            case .repeat: "repeat"
            case .repeatAccepting(let status): "repeat, \(Hex.encode([status.sw1, status.sw2])) = done"
            case .probeSelect: "look for it"
            case .probe(let header, let new, let old): "prove \(new.name) or \(old.name) by \(hex(header))"
            case .scrap: "scrap"
            }
        return "\(name): \(what) [\(after)]"
    }
}
