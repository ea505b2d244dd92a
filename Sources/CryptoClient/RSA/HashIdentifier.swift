/// A hash function in GM, EW and EY: two characters.
///
/// Sources: `01` and `06` from wire.GM.req.0 and .1; `02`, `04`, `05`, `07`, `08` as the open client kambizh/payshield-crypto-client
/// numbers them. `03` (ISO 10118-2) is not known here. `M3` is ours.
public enum HostHash: String, Sendable, Hashable, CaseIterable {
    /// EY checks it, EW makes no new signature with it.
    case sha1 = "01"
    /// GM alone.
    case md5 = "02"
    /// EW and EY: the data is a DigestInfo already.
    case none = "04"
    case sha224 = "05"
    case sha256 = "06"
    case sha384 = "07"
    case sha512 = "08"
    /// GB/T 32905; GM alone.
    case sm3 = "M3"
}

/// The only signature algorithm there is: two digits.
public enum HostSignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case rsa = "01"
}

/// How a digest is brought to the length of the modulus: two digits. `02` (X9.31) and `03` (ISO 9796) are not known here.
public enum HostSignaturePadding: String, Sendable, Hashable, CaseIterable {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2).
    case pkcs1 = "01"
    /// RSASSA-PSS (RFC 8017 8.1) with MGF1 over the same hash function; a salt we make is as long as the digest.
    case pss = "04"
}

extension FieldReader {
    /// Two characters out of a closed set.
    mutating func pair<Choice: RawRepresentable<String>>(
        _ field: FieldError.Field, _ code: HostErrorCode, as type: Choice.Type = Choice.self
    ) throws(FieldError) -> Choice {
        guard let choice = Choice(rawValue: try alphanumeric(2, field, code)) else { throw FieldError(code, in: field) }
        return choice
    }
}
