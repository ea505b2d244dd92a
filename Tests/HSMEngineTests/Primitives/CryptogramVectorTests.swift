import HSMBridge
import Testing

@testable import HSMEngine

/// Cryptograms and card verification values against published ones (Tests/Vectors/emv_ac.json, source in each line).
@Suite struct CryptogramVectorTests {
    /// PAN and sequence number as BCD, a zero at the left where their number is odd.
    private func digits(_ vector: Vector) throws -> [UInt8] {
        let text = try #require(vector.fields["pan"]) + (try #require(vector.fields["psn"]))
        return try #require(Hex.decode(text.count.isMultiple(of: 2) ? text : "0" + text))
    }

    private func rightDigits(_ vector: Vector) throws -> UInt64 {
        try digits(vector).suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    @Test(arguments: Vector.all("emv_ac.json", "emv.opt"))
    func `cryptograms of EMV cards by options A and B are the published ones`(vector: Vector) throws {
        let account: CryptogramAccount =
            vector.id.contains("optB") ? .optionB(try digits(vector)) : .optionA(try rightDigits(vector))
        let factor = try account.factor()
        #expect(factor == (try vector.number("Y")))
        let card = CardSession(account: factor, kind: .common(try vector.number("r")))
        let data = try vector.bytes("data")
        let cryptogram = try vector.key("imk").cardMAC(card, padding: .method2, over: data.span, length: 8)
        #expect(cryptogram.matches(try #require(Hex.decode(vector.expect))))
    }

    @Test func `responses by both methods are the published ones`() throws {
        let cards = Vector.all("emv_ac.json", "emv.optA.99")
        let card = try #require(cards.first)
        let account = try card.number("Y")
        let key = try card.key("imk")
        let first = try #require(Vector.all("emv_ac.json", "emv.arpc1").first)
        let code = UInt16(truncatingIfNeeded: try first.number("arc"))
        let one = try key.cardResponse(
            CardSession(account: account, kind: .none), cryptogram: try first.number("arqc"), code: code)
        #expect(one.matches(try #require(Hex.decode(first.expect))))
        let second = try #require(Vector.all("emv_ac.json", "emv.arpc2").first)
        let data = try second.bytes("arqc") + second.bytes("csu") + second.bytes("pad")
        let two = try key.cardMAC(
            CardSession(account: account, kind: .common(try card.number("r"))), padding: .method2, over: data.span,
            length: 4)
        #expect(two.matches(try #require(Hex.decode(second.expect))))
    }

    @Test func `cryptogram and response of a PBOC card are the published ones`() throws {
        let vector = try #require(Vector.all("emv_ac.json", "pboc.ac").first)
        let counter = UInt16(truncatingIfNeeded: try vector.number("atc"))
        let card = CardSession(account: try rightDigits(vector), kind: .pboc(counter))
        let key = try vector.key("mdk")
        let data = try vector.bytes("data")
        let cryptogram = try key.cardMAC(card, padding: .method2, over: data.span, length: 8)
        #expect(cryptogram.matches(try #require(Hex.decode(vector.expect))))
        let answer = try #require(Vector.all("emv_ac.json", "pboc.arpc").first)
        let response = try key.cardResponse(
            card, cryptogram: try answer.number("arqc"), code: UInt16(truncatingIfNeeded: try answer.number("arc")))
        #expect(response.matches(try #require(Hex.decode(answer.expect))))
    }

    @Test func `the session key of an SM4 card is the computed one`() throws {
        let vector = try #require(Vector.all("diversification.json", "pboc.sm4.session.atc").first)
        let master = try openKey([UInt8](repeating: 0x5A, count: 16), .sm4)
        // The card's key is the vector's only for a master that nobody has, so the step is checked by its definition.
        let counter = UInt16(truncatingIfNeeded: try vector.number("atc"))
        let block = BigEndian.bytes(UInt64(counter)) + BigEndian.bytes(UInt64(~counter))
        let session = try vector.key("udk", .sm4).encipher(.ecb, block.span)
        #expect(Hex.encode(session) == vector.expect)
        let udk = try openKey(try master.diversified(by: [7]).revealed(), .sm4)
        let key = try openKey(try udk.encipher(.ecb, block.span), .sm4)
        let data = [UInt8](repeating: 3, count: 37)
        let expected = try key.mac(.iso1, padding: .method2, over: data, length: 8).bytes
        let card = CardSession(account: 7, kind: .pboc(counter))
        #expect(try master.cardMAC(card, padding: .method2, over: data.span, length: 8).matches(expected))
    }

    @Test func `the card verification value is the published one`() throws {
        let vector = try #require(Vector.all("emv_ac.json", "cvv").first)
        let key = try openKey(try vector.bytes("cvka") + vector.bytes("cvkb"))
        let digits = ["pan", "expiry_YYMM", "service"].compactMap { vector.fields[$0] }.joined()
        let signed = Array(digits.utf8)
        let code = try key.cardCode(over: signed.span)
        #expect(code.matches(Array(vector.expect.utf8)))
    }

    @Test func `a key that does not fit calculates nothing`() throws {
        let card = CardSession(account: 1, kind: .common(1))
        let data: [UInt8] = [1, 2, 3]
        for (algorithm, length) in [(KeyAlgorithm.aes128, 16), (.tripleDES3, 24), (.sm4, 16)] {
            let key = try openKey((0..<length).map { UInt8(7 * $0 + 1) }, algorithm)
            #expect(throws: PrimitiveError.algorithmNotPermitted) {
                try key.cardMAC(card, padding: .method2, over: data.span, length: 8)
            }
            #expect(throws: PrimitiveError.algorithmNotPermitted) { try key.cardCode(over: data.span) }
        }
    }
}
