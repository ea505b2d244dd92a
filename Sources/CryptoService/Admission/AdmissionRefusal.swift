import CryptoClient

/// Why somebody is not let in, or a request of somebody who is in is not taken. The log and the counts say which; the one who
/// asks learns no more than what to do next.
enum AdmissionRefusal: Error, Sendable, Hashable {
    // MARK: Before anybody said who they are
    case connectionLimit
    case addressLimit
    case handshakeLimit
    /// A plain connection from where none is taken.
    case plainNotAllowed
    case handshakeTimeout
    /// Nothing above TLS 1.2 was offered.
    case protocolVersion
    case handshakeFailed

    // MARK: Who they say they are
    case noCertificate
    /// Not issued by the configured authority, or not in its dates.
    case certificateNotTrusted
    case certificateUnknown
    case certificateExpired
    case noCredential
    case tokenUnknown
    case tokenExpired
    case clientDisabled
    /// Certificate of one client, token of another.
    case clientMismatch
    case addressNotAllowed

    // MARK: Not now
    case directoryStale
    case rateExceeded(waitNanoseconds: UInt64)
    /// A batch of more records than the client may ever send at once.
    case batchOverBurst

    /// For logs and counts.
    var name: String {
        switch self {
        case .rateExceeded: "rateExceeded"
        default: String(describing: self)
        }
    }

    /// It is about who they are: over HTTP all of these are one answer, 401, so that a guess learns nothing.
    var isOfCredential: Bool {
        switch self {
        case .rateExceeded, .batchOverBurst, .directoryStale, .plainNotAllowed, .clientMismatch: false
        default: true
        }
    }

    /// What the host-command doors say; over HTTP it stands in the problem, and its kind decides about the status.
    var hostCode: HostErrorCode {
        switch self {
        case .rateExceeded, .batchOverBurst: .fraudDetection
        case .directoryStale: .internalError
        default: .commandDisabled
        }
    }

    /// For the client, in one line.
    var detail: String {
        switch self {
        case .rateExceeded: "more requests than this client may send; try again after the given time"
        case .batchOverBurst: "more records than this client may send at once; send them in several requests"
        case .directoryStale: "the key directory could not be refreshed for too long"
        case .plainNotAllowed: "plain connections are not taken from this address"
        case .clientMismatch: "the certificate and the token belong to different clients"
        default: "a bearer token or a certificate of a service client is needed"
        }
    }

    /// Whole seconds to wait, at least one; nil where waiting does not help.
    var retryAfter: Int? {
        switch self {
        case .rateExceeded(let wait): Int(max(1, (wait + 999_999_999) / 1_000_000_000))
        case .directoryStale: 5
        default: nil
        }
    }
}
