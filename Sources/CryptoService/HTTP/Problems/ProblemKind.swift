import CryptoClient

/// A kind of refusal over HTTP: its stable name, its status, its title, and what to do next. One table for all of them.
///
/// `type` is a URN in a namespace of this project (RFC 9457 §3.1.1 asks for a URI that does not change; nothing has to be found
/// there). Programs branch on `type` or on the host error code, people read the rest.
struct ProblemKind: Sendable, Hashable {
    let name: String
    let status: Int
    let title: String
    /// What the caller can do, in one sentence.
    let next: String

    var type: String { "urn:kmsd:problem:" + name }

    private init(_ name: String, _ status: Int, _ title: String, _ next: String) {
        self.name = name
        self.status = status
        self.title = title
        self.next = next
    }

    // MARK: Of the request itself

    static let malformedBody = ProblemKind(
        "malformed-body", 400, "The body is not what the operation takes",
        "Compare the body with the operation's schema in /v1/openapi.json.")
    static let malformedHeader = ProblemKind(
        "malformed-header", 400, "A header is not what the operation takes", "Correct the header named in the detail.")
    static let unauthorised = ProblemKind(
        "unauthorised", 401, "Nobody this service knows",
        "Send Authorization: Bearer with the token of an enabled service client, or come to the TLS port with its certificate."
    )
    static let unknownPath = ProblemKind(
        "unknown-path", 404, "There is nothing here", "See /v1/openapi.json for what there is.")
    static let methodNotAllowed = ProblemKind(
        "method-not-allowed", 405, "Not with this method", "Use a method of the Allow header.")
    static let notAcceptable = ProblemKind(
        "not-acceptable", 406, "Answers are JSON only", "Accept application/json.")
    static let bodyTooLong = ProblemKind(
        "body-too-long", 413, "The body is too long", "Send the records in several requests.")
    static let unsupportedMedia = ProblemKind(
        "unsupported-media-type", 415, "Requests are JSON only", "Send Content-Type: application/json.")
    static let tooManyRequests = ProblemKind(
        "too-many-requests", 429, "Over the rate", "Wait as long as Retry-After says.")
    static let idempotencyMismatch = ProblemKind(
        "idempotency-key-reused", 422, "The idempotency key belongs to another request",
        "Make a new key for each thing that shall be created.")
    static let idempotencyConflict = ProblemKind(
        "idempotency-key-in-use", 409, "The first request with this key is still being carried out",
        "Ask again in a moment.")
    static let internalFault = ProblemKind(
        "internal-fault", 500, "Something is wrong here", "Tell the operator the time and the path.")

    // MARK: By host error code

    static func of(_ code: HostErrorCode) -> ProblemKind { byCode[code] ?? other(code) }

    private static func other(_ code: HostErrorCode) -> ProblemKind {
        ProblemKind(
            "host-error-\(code.rawValue.lowercased())", 422, "The request cannot be carried out",
            "See the host error code in docs/protocol.md, section 8.")
    }

    private static let byCode: [HostErrorCode: ProblemKind] = [
        .functionNotPermitted: ProblemKind(
            "not-granted", 403, "Not granted", "Ask the administrator for a grant: kmsd client grant."),
        .commandDisabled: ProblemKind(
            "client-disabled", 403, "The client may not ask", "Ask the administrator to enable the client."),
        .notAuthorised: ProblemKind(
            "not-authorised", 403, "The module does not allow this", "Ask the operator of the module."),
        .keyUsage: ProblemKind("key-usage", 403, "The key is not for this", "Use a key of the right usage."),
        .modeOfUse: ProblemKind(
            "mode-of-use", 403, "The key is not for this direction", "Use a key of the right mode of use."),
        .exportability: ProblemKind(
            "exportability", 403, "The key may not leave", "Use an exportable key, or ask for what the key may say."),
        .indexValue: ProblemKind(
            "no-such-key", 404, "No such key", "Check issuer/product/label and the version, if one was given."),
        .keyBlockOther: ProblemKind(
            "key-state", 409, "The key's state forbids it", "Ask the key administrator which version is in force."),
        .startDate: ProblemKind("key-not-yet-valid", 409, "The key is not yet valid", "Wait, or use another version."),
        .endDate: ProblemKind("key-expired", 409, "The key has expired", "Use a newer version."),
        .dataLength: ProblemKind(
            "data-length", 422, "More or less data than fits", "Without padding the data must be whole blocks."),
        .inputData: ProblemKind("input-data", 422, "The data cannot be used", "Correct what the detail names."),
        .verificationFailed: ProblemKind(
            "verification-failed", 422, "A check failed", "The data or its check value is not what it should be."),
        .keyBlockFormat: ProblemKind(
            "not-a-key-block", 422, "Not a key block", "Give the block exactly as it was made, without its S or R."),
        .keyBlockAuthentication: ProblemKind(
            "key-block-forged", 422, "The key block does not authenticate", "It was changed, or is under another key."),
        .keyBlockLMKIdentifiers: ProblemKind(
            "other-lmk", 422, "The key block is under another LMK", "Import the key again under the present one."),
        .keyBlockCheckValue: ProblemKind(
            "check-value", 422, "The check value is not that of the key", "Compare with the sender of the key."),
        .destinationKeyParity: ProblemKind(
            "weak-key", 422, "The key is weak or published", "Make another key."),
        .keyTypes: ProblemKind(
            "attributes-contradict", 422, "Attributes that do not go together", "See the table of attributes."),
        .algorithm: ProblemKind(
            "algorithm", 422, "Not with this algorithm", "Use an algorithm that fits the key."),
        .wrappingKey: ProblemKind(
            "transport-key-too-weak", 422, "The transport key is weaker than the key", "Use a stronger transport key."),
        .keyScheme: ProblemKind(
            "key-form", 422, "The key is not given as this wants it", "Give a key block where a label will not do."),
        .keyVersion: ProblemKind(
            "key-version", 422, "Not with this key version number", "A component has its number and no other version."),
        .components: ProblemKind(
            "components", 422, "These are not components of one key",
            "Give blocks made as components, of different numbers and the same attributes."),
        .publicKeyLength: ProblemKind(
            "public-key", 422, "Not a public key that serves", "Give 1024 to 4096 bits, as DER; make 2048 to 4096."),
        .hashIdentifier: ProblemKind(
            "hash-function", 422, "Not with this hash function", "See which serve for what in docs/http.md."),
        .padModeIdentifier: ProblemKind(
            "signature-padding", 422, "Not with this signature padding", "A DigestInfo is signed with pkcs1."),
        .digestInfo: ProblemKind(
            "digest-info", 422, "The data is no DigestInfo", "Name the hash function, and give the data itself."),
        .hashObjectIdentifier: ProblemKind(
            "digest-info-hash", 422, "The DigestInfo names a hash function that does not serve", "Use another one."),
        .paddingMethod: ProblemKind(
            "mac-padding", 422, "Not with this padding", "CMAC pads by itself; method3 wants the whole message."),
        .fraudDetection: tooManyRequests,
        .lmkIdentifier: ProblemKind(
            "module-sealed", 503, "The security module is sealed", "Ask the custodians; then ask again."),
        .internalError: ProblemKind(
            "module-away", 503, "The security module does not answer", "Ask again in a moment."),
    ]

    /// The host error code that comes with a kind, for examples.
    static func code(of kind: ProblemKind) -> HostErrorCode {
        if let found = byCode.first(where: { $0.value == kind }) { return found.key }
        switch kind {
        case unauthorised: return .commandDisabled
        case unknownPath, methodNotAllowed: return .commandNotLicensed
        case bodyTooLong: return .dataLength
        case internalFault: return .internalError
        default: return .inputData
        }
    }

    /// Those that have a name of their own, for the page that lists them.
    static var all: [ProblemKind] {
        let own: Set<ProblemKind> = [
            malformedBody, malformedHeader, unauthorised, unknownPath, methodNotAllowed, notAcceptable, bodyTooLong,
            unsupportedMedia, tooManyRequests, idempotencyMismatch, idempotencyConflict, internalFault,
        ]
        return own.union(byCode.values).sorted { ($0.status, $0.name) < ($1.status, $1.name) }
    }
}
