/// The `Idempotency-Key` of a request that creates something (draft-ietf-httpapi-idempotency-key-header): 1 to 64 printable
/// characters, which programs mostly fill with a UUID. The quotes of a structured field may stand around it.
struct IdempotencyKey: Hashable, Sendable {
    static let pattern = "^[!#-~]{1,64}$"

    /// Whose key it is: two clients may use the same one.
    let client: String
    let path: String
    let text: String

    init?(_ header: String, client: String, path: String) {
        var text = header[...]
        if text.utf8.count > 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
        let isKey =
            (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 }
        guard isKey else { return nil }
        self.client = client
        self.path = path
        self.text = String(text)
    }
}
