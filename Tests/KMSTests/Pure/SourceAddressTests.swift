import Testing

@testable import KMS

@Suite struct SourceAddressTests {
    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false), ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false), ("10.0.0.0/9", "10.127.255.255", true), ("10.0.0.0/9", "10.128.0.0", false),
        ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "203.0.113.9", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        // IPv4 in the notation of IPv6 is IPv4 on both sides.
        ("192.0.2.0/24", "::ffff:192.0.2.9", true), ("::ffff:192.0.2.9", "192.0.2.9", true),
        ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.7/32", "192.0.2.7", true),
    ])
    func `a range holds its addresses and no others`(range: String, address: String, isInside: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(range.contains(try #require(SourceAddress(address))) == isInside)
    }

    @Test(arguments: [
        "", "/", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/2 4", "192.0.2.1/24",
        "192.0.2", "192.0.2.256", "01.2.3.4/8", "pos.example", "2001:db8::/129", "2001:db8::1/64", "192.0.2.0/24/24",
        "::1%lo", "0x7f.1", "192.0.2.0/0024",
    ])
    func `what is misspelt is no range`(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func `loopback is 127 and one address of IPv6`() throws {
        for text in ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"] {
            #expect(try #require(SourceAddress(text)).isLoopback, "\(text)")
        }
        for text in ["128.0.0.1", "::2", "::", "1::1", "10.0.0.1"] {
            #expect(!(try #require(SourceAddress(text)).isLoopback), "\(text)")
        }
    }

    @Test func `an address is written as it is read`() throws {
        for text in ["192.0.2.7", "2001:db8::7", "::1"] {
            #expect(try #require(SourceAddress(text)).description == text)
        }
        #expect(try #require(AddressRange("10.0.0.0/8")).description == "10.0.0.0/8")
        #expect(try #require(AddressRange("10.0.0.1/32")).description == "10.0.0.1")
    }

    @Test func `a fingerprint is read as openssl prints it`() throws {
        let digits = String(repeating: "0A", count: 32)
        let colons = Array(repeating: "0a", count: 32).joined(separator: ":")
        #expect(CertificateFingerprint(digits)?.bytes == Array(repeating: 10, count: 32))
        #expect(CertificateFingerprint(colons) == CertificateFingerprint(digits))
        for wrong in ["", "0A", digits + "0A", String(digits.dropLast()), digits.replacing("0A", with: "0G")] {
            #expect(CertificateFingerprint(wrong) == nil)
        }
    }
}
