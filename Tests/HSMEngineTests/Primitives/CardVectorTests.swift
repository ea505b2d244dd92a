import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct CardVectorTests {
    static let diversification = Vector.all("diversification.json", "pboc.").filter { $0.fields["mk"] != nil }

    @Test(arguments: diversification) func `diversification gives the published card key`(vector: Vector) throws {
        let factors = try (vector.lists["factors"] ?? [try #require(vector.fields["x"])]).map { text in
            try #require(UInt64(text, radix: 16))
        }
        let key = try vector.key("mk", vector.id.contains("sm4") ? .sm4 : .tripleDES2)
        #expect(Hex.encode(try key.diversified(by: factors).revealed()) == vector.expect)
        var others = factors
        others[others.count - 1] ^= 1
        #expect(Hex.encode(try key.diversified(by: others).revealed()) != vector.expect)
    }

    static let purse = Vector.all("pboc_edep.json")

    @Test(arguments: purse.filter { $0.fields["sess"] != nil })
    func `e-purse MACs under a published session key`(vector: Vector) throws {
        let mac = try vector.key("sess").mac(.iso1, padding: .method2, over: try vector.message(), length: 4)
        #expect(Hex.encode(mac.bytes) == vector.expect)
    }

    /// Each log gives the session key in one line and MACs under it in others: both steps at once, as the service runs them.
    @Test(arguments: purse.filter { $0.id.hasSuffix(".sess") })
    func `e-purse MACs from card key and session block`(vector: Vector) throws {
        let key = try vector.key(vector.fields["dlk"] == nil ? "dpk" : "dlk")
        let tail = vector.fields["term_txn"].map { String($0.suffix(4)) } ?? "8000"
        let sequence = try #require(vector.fields["online_seq"] ?? vector.fields["offline_seq"])
        let random = try #require(vector.fields["rand"])
        let session = try #require(UInt64(random + sequence + tail, radix: 16))
        let macs = Self.purse.filter { $0.fields["sess"] == vector.expect }
        #expect(!macs.isEmpty)
        for mac in macs {
            let message = try mac.message()
            #expect(
                Hex.encode(try key.sessionMAC(factors: [], session: session, data: message.span).bytes) == mac.expect)
        }
    }

    @Test(arguments: purse.filter { $0.id.hasSuffix(".tac") })
    func `TACs of real cards, and every flipped bit fails`(vector: Vector) throws {
        let key = try vector.key("dtk")
        var message = try vector.message()
        let tac = try key.tac(factors: [], data: message.span)
        #expect(Hex.encode(tac.bytes) == vector.expect)
        for bit in 0..<8 * message.count {
            message[bit / 8] ^= 0x80 >> (bit % 8)
            #expect(!(try key.tac(factors: [], data: message.span).matches(tac.bytes)))
            message[bit / 8] ^= 0x80 >> (bit % 8)
        }
    }

    static let cards = Vector.all("psam_fmcos.json")

    static let lineMACs = cards.filter { $0.fields["data"] != nil && lineChallenge($0) != nil }

    /// The field with the card's challenge.
    private static func lineChallenge(_ vector: Vector) -> String? {
        ["iv", "iv16", "rand"].first { vector.fields[$0] != nil }
    }

    @Test(arguments: lineMACs) func `line protection MACs`(vector: Vector) throws {
        let isSM4 = vector.id.hasPrefix("sm4")
        let challenge = try vector.bytes(try #require(Self.lineChallenge(vector)))
        let key = try vector.key("key", isSM4 ? .sm4 : nil)
        let message = try vector.message()
        let mac = try key.lineMAC(factors: [], challenge: challenge, data: message.span)
        #expect(Hex.encode(mac.bytes) == vector.expect)
        let short = try key.lineMAC(factors: [], challenge: Array(challenge.prefix(4)), data: message.span)
        #expect(short.matches(mac.bytes), "a short challenge is filled with zeros")
    }

    @Test(arguments: cards.filter { $0.id.hasSuffix(".cipher") && $0.fields["plain"] != nil })
    func `line protection cipher of published plain texts`(vector: Vector) throws {
        let plain = try vector.bytes("plain")
        let length = Int(plain[0])
        let key = try vector.key("kek")
        // Ld | header | key: the key is the last 16 bytes of a long one, the last 8 of a short one.
        let header = Array(plain[1...length].dropLast(length > 16 ? 16 : 8))
        let clear = Array(plain[(1 + header.count)...length])
        let secret = try SecretBytes(copying: clear.span)
        #expect(Hex.encode(try key.lineEncipher(factors: [], header: header, secret: secret)) == vector.expect)
        let data = Array(plain[1...length])
        #expect(Hex.encode(try key.lineEncipher(factors: [], data: data.span)) == vector.expect)
    }

    @Test(arguments: cards.filter { $0.id.hasPrefix("sm4card.enc") })
    func `SM4 line cipher`(vector: Vector) throws {
        let message = try vector.message()
        #expect(Hex.encode(try vector.key("key", .sm4).lineEncipher(factors: [], data: message.span)) == vector.expect)
    }

    @Test(arguments: cards.filter { $0.id == "sm4card.writekey.cipher" })
    func `SM4 key loading`(vector: Vector) throws {
        let clear = try vector.bytes("key")
        let secret = try SecretBytes(copying: clear.span)
        let header = try vector.bytes("header")
        #expect(
            Hex.encode(try vector.key("kek", .sm4).lineEncipher(factors: [], header: header, secret: secret))
                == vector.expect)
    }

    @Test(arguments: cards.filter { $0.id.contains("auth") }) func `card authentication`(vector: Vector) throws {
        let key = try vector.key("key")
        let challenge = try vector.bytes(vector.fields["rand"] == nil ? "data" : "rand")
        if vector.expect.utf8.count == 8 {
            #expect(Hex.encode(try key.tac(factors: [], data: challenge.span).bytes) == vector.expect)
        } else {
            #expect(Hex.encode(try key.authenticate(factors: [], challenge: challenge)) == vector.expect)
        }
    }

    @Test func `UnionPay field 64`() throws {
        let vectors = Vector.all("pos_mac.json")
        let xor = try #require(vectors.first { $0.id == "cup.xor" })
        let field = try #require(vectors.first { $0.id == "cup.field64" })
        let tak = try #require(vectors.first { $0.id == "cup.tak" })
        let tmk = try tak.key("tmk")
        let cipher = try tak.bytes("tak_cipher")
        let opened = try tmk.decipherSecret(.ecb, cipher.span)
        #expect(Hex.encode(opened.revealed()) == tak.expect)
        let message = try xor.bytes("data")
        let mac = try OpenKeySchedule(opened, algorithm: .des).unionPayMAC(over: message.span)
        #expect(String(decoding: mac.bytes, as: UTF8.self) == String(field.expect.prefix(8)))
    }

    static let checkValues = Vector.all("kcv.json", "kcv.").filter { $0.id != "kcv.sm4.cmac" }

    @Test(arguments: checkValues) func `check values`(vector: Vector) throws {
        let algorithm: KeyAlgorithm? =
            vector.id.contains("sm4") ? .sm4 : vector.id.contains("aes") ? .aes128 : nil
        #expect(try vector.key("key", algorithm).checkValue().description == String(vector.expect.prefix(6)))
    }

    @Test func `SM4 CMAC of zeros`() throws {
        let vector = try #require(Vector.all("kcv.json", "kcv.sm4.cmac").first)
        let mac = try vector.key("key", .sm4).mac(
            .cmac, padding: .none, over: [UInt8](repeating: 0, count: 16), length: 16)
        #expect(Hex.encode(mac.bytes) == vector.expect)
    }

    @Test(arguments: Vector.all("sm.json", "sm4.")) func `SM4 modes`(vector: Vector) throws {
        let key = try vector.key("key", .sm4)
        let mode: CipherMode = vector.fields["iv"] == nil ? .ecb : .cbc(iv: try vector.bytes("iv"))
        let plain = try vector.bytes("pt")
        let cipher = try key.encipher(mode, plain.span)
        #expect(Hex.encode(cipher) == vector.expect)
        #expect(try key.decipher(mode, cipher.span) == plain)
    }

    @Test(arguments: Vector.all("sm.json", "sm3.")) func `SM3`(vector: Vector) throws {
        #expect(Hex.encode(try DigestAlgorithm.sm3.hash(try vector.message())) == vector.expect)
    }

    /// A parameterised test over an empty list passes: the numbers of lines hold the files to their place.
    @Test func `every line that concerns us is used`() {
        #expect(Self.diversification.count == 4)
        #expect(Self.purse.count == 13)
        #expect(Self.purse.filter { $0.fields["sess"] != nil }.count == 7)
        #expect(Self.purse.filter { $0.id.hasSuffix(".sess") }.count == 4)
        #expect(Self.purse.filter { $0.id.hasSuffix(".tac") }.count == 2)
        #expect(Self.cards.count == 17)
        #expect(Self.lineMACs.count == 8)
        #expect(Self.cards.filter { $0.id.hasSuffix(".cipher") && $0.fields["plain"] != nil }.count == 3)
        #expect(Self.cards.filter { $0.id.contains("auth") }.count == 3)
        #expect(Self.cards.filter { $0.id.hasPrefix("sm4card.enc") }.count == 2)
        #expect(Self.checkValues.count == 4)
        #expect(Vector.all("sm.json", "sm4.").count == 2)
        #expect(Vector.all("sm.json", "sm3.").count == 2)
        #expect(Vector.all("pos_mac.json").count == 4)
    }
}
