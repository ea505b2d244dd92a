import Testing

@testable import HSMEngine
@testable import KMS

@Suite struct SHA256Tests {
    /// FIPS 180-4 examples, published by NIST (CSRC "SHA256.pdf"), and the empty message (NIST CAVP).
    static let vectors: [(String, String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    @Test(arguments: vectors)
    func `a published message has its published digest`(_ message: String, _ digest: String) {
        let text = SHA256.hash([UInt8](message.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        #expect(text.joined() == digest)
    }

    @Test func `a million times a, in uneven pieces, has its published digest`() {
        var hash = SHA256()
        var left = 1_000_000
        var piece = 1
        while left > 0 {
            let count = min(left, piece)
            hash.update([UInt8](repeating: 0x61, count: count))
            left -= count
            piece = piece % 997 + 13
        }
        let text = hash.finished().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        #expect(text == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `every length around the block limits agrees with libcrypto`() throws {
        for length in 0...200 {
            let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ length) }
            #expect(SHA256.hash(message) == (try DigestAlgorithm.sha256.hash(message)), "length \(length)")
            let cut = length / 3
            #expect(
                SHA256.hash([UInt8](message[..<cut]), [UInt8](message[cut...])) == SHA256.hash(message), "cut \(cut)")
        }
    }
}
