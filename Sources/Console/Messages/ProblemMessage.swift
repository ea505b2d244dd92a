/// RFC 9457 problem details with our code, and both texts whatever language `detail` is in.
public struct ProblemMessage: Codable, Sendable, Hashable {
    /// `urn:kmsd:problem:K-201`.
    public var type: String
    public var title: String
    public var status: Int
    public var detail: String
    /// The code that stands in the audit trail and in the operator's guide.
    public var code: String
    public var english: String
    public var chinese: String
}
