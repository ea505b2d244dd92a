import Foundation
import NIOCore
import Testing

@testable import CryptoService

/// The reader of requests, against its rules and against Foundation's.
struct JSONReaderTests {
    private static let fields = [
        JSONField("key", .key, "a key"), JSONField("count", .integer(-5...1_000), "a count").optional,
        JSONField("data", .hexadecimal(.init(0...4, 8...8)), "bytes").optional,
        JSONField("word", .choice(["one", "two"]), "a word").optional, JSONField("flag", .flag, "a flag").optional,
        JSONField("size", .number([4, 8]), "a size").optional,
        JSONField("list", .list(1...3, .integer(0...9)), "a list").optional,
        JSONField("inner", .object([JSONField("text", .text(1...8), "a text")]), "an object").optional,
    ]

    private static func read(_ bytes: [UInt8]) throws(JSONFault) -> JSONBody {
        // In the middle of a buffer, as requests are.
        var buffer = ByteBuffer(string: "###")
        buffer.writeBytes(bytes)
        buffer.moveReaderIndex(forwardBy: 3)
        return try JSONBody(buffer, fields)
    }

    private static func reads(_ text: String) -> Bool { (try? read(Array(text.utf8))) != nil }

    private static func body(_ rest: String) -> String { #"{"key":"a/b/c"\#(rest)}"# }

    @Test(arguments: [
        "", #","count":8"#, #","count":8.0"#, #","count":80e-1"#, #","count":0.8e1"#, #","count":-0"#, #","count":-5"#,
        #","count":1E3"#, #" , "count" : 1000 "#, #","data":"""#, #","data":"00aAfF"# + "\"",
        #","data":"0011223344556677""#,
        #","word":"two""#, #","flag":false"#, #","size":8"#, #","list":[1 , 2,3]"#,
        #","inner":{"text":"\u0041\/\"\\"}"#,
        #","\u0063ount":1"#, #","size":0.04e2"#,
    ])
    func `What fits the table is read`(rest: String) { #expect(Self.reads(Self.body(rest))) }

    @Test(arguments: [
        // Not JSON.
        "", " ", "{", "}", "{}", "null", "[]", #"{"key":"a/b/c""#, #"{"key":"a/b/c",}"#, #"{key:"a/b/c"}"#,
        #"{"key":"a/b/c"}}"#,
        #"{"key":"a/b/c"} x"#, #"{"key" "a/b/c"}"#, "\u{FEFF}" + body(""), body(#","count":08"#), body(#","count":+8"#),
        body(#","count":8."#), body(#","count":.8"#), body(#","count":8e"#), body(#","count":0x8"#),
        body(#","count":--8"#),
        body(#","count":NaN"#), body(#","flag":truth"#), body(#","list":[1,]"#), body(#","list":[1 2]"#),
        #"{"key":"a/b/c\"}"#, #"{"key":"a/b/\x"}"#, #"{"key":"a/b/\u00"}"#, "{\"key\":\"a/b/\n\"}",
        "{\"key\":\"a/b/c\"\u{0B}}",
        // JSON, and not what the table says.
        body(#","more":1"#), body(#","key":"a/b/c""#), body(#","count":1,"count":1"#), body(#","count":1001"#),
        body(#","count":-6"#), body(#","count":8.5"#), body(#","count":1e400"#), body(#","count":1e-400"#),
        body(#","count":99999999999999999999"#), body(#","count":"8""#), body(#","count":null"#),
        body(#","count":true"#),
        body(#","data":"0""#), body(#","data":"0g""#), body(#","data":"0011223344""#), body(#","data":12"#),
        body(#","word":"One""#), body(#","word":"three""#), body(#","flag":"true""#), body(#","flag":1"#),
        body(#","size":5"#), body(#","list":[]"#), body(#","list":[1,2,3,4]"#), body(#","list":[10]"#),
        body(#","list":[[1]]"#),
        body(#","inner":{}"#), body(#","inner":{"text":""}"#), body(#","inner":{"text":"123456789"}"#),
        body(#","inner":{"text":"a","b":1}"#), body(#","inner":{"text":"\u00e9"}"#), body(#","inner":{"text":"é"}"#),
        body(#","inner":{"text":"\n"}"#), body(#","inner":[]"#), #"{"key":"a/b"}"#, #"{"key":"a/b/c/d"}"#,
        #"{"key":"a//c"}"#,
        #"{"key":"a/b/c/1"}"#, #"{"key":"a/b/ c"}"#, #"{"key":"D0016"}"#, #"{"key":"D0016M3TC00E000é"}"#,
    ])
    func `What does not fit is refused`(text: String) { #expect(!Self.reads(text)) }

    @Test(arguments: ["a/b/c", "a/b/c/01", "D0016M3TC00E0000", "B0080M3TC00E0000 rest of it"])
    func `A key is a label or a block`(key: String) { #expect(Self.reads(#"{"key":"\#(key)"}"#)) }

    @Test func `Deep nesting costs nothing`() {
        for text in [
            String(repeating: "[", count: 1 << 20), Self.body(#","list":"# + String(repeating: "[", count: 1 << 20)),
            String(repeating: #"{"inner":"#, count: 1 << 16),
        ] { #expect(!Self.reads(text)) }
    }

    /// Bytes changed at random: whatever this reader takes, Foundation takes too, and reads the same values.
    @Test(arguments: 0..<8)
    func `What is read is what another reader reads`(seed: Int) throws {
        var random = SeededNumbers(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1)
        let whole = Array(
            #"{"key":"a/b/c","count":8.0,"data":"00Aa","word":"two","flag":true,"size":4,"list":[1,2],"inner":{"text":"\u0041z"}}"#
                .utf8)
        let bytes = Array(#"{}[]:,"\/0123456789abcdefE+-. truefalsn"#.utf8) + [0x00, 0x0A, 0x80, 0xC3, 0xFF]
        var taken = 0
        for _ in 0..<20_000 {
            var text = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text.remove(at: place)
                case 1: text.insert(bytes.randomElement(using: &random) ?? 0, at: place)
                default: text[place] = bytes.randomElement(using: &random) ?? 0
                }
            }
            guard let body = try? Self.read(text) else { continue }
            taken += 1
            let other = try #require(
                try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any],
                "\(String(decoding: text, as: UTF8.self))")
            #expect(body.string(Self.fields[0]) == other["key"] as? String)
            #expect(
                !body.has(Self.fields[1]) || body.integer(Self.fields[1]) == (other["count"] as? NSNumber)?.intValue)
            #expect(body.string(Self.fields[2]) == other["data"] as? String)
            #expect(body.list(Self.fields[6]).count == (other["list"] as? [Any])?.count ?? 0)
            #expect(
                body.object(Self.fields[7])?.string(JSONField("text", .flag, ""))
                    == (other["inner"] as? [String: String])?["text"])
        }
        #expect(taken > 100)
    }
}

/// Numbers that are the same in each run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var number = state
        number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
        return number ^ number >> 31
    }
}
