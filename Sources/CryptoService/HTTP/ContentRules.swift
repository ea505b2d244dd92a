/// What a request says of its content and of the answer it wants. JSON goes in and out, and nothing else.
enum ContentRules {
    /// `application/json`, in any case, perhaps with `charset=utf-8`.
    static func checkContentType(_ value: String?) throws(HTTPProblem) {
        guard let value else { throw HTTPProblem(.unsupportedMedia, "there is no Content-Type") }
        if value == "application/json" { return }
        let parts = value.split(separator: ";").map { $0.trimmingSpace.lowercased() }
        let charsets: Set<String> = ["charset=utf-8", "charset=\"utf-8\""]
        guard parts.first == "application/json", parts.dropFirst().allSatisfy(charsets.contains) else {
            throw HTTPProblem(.unsupportedMedia, "the Content-Type is not application/json in UTF-8")
        }
    }

    /// Whether JSON is among what is accepted (RFC 9110 §12.5.1); a problem may be sent whatever is.
    static func checkAccept(_ value: String?) throws(HTTPProblem) {
        guard let value, value != "*/*", value != "application/json" else { return }
        var best: (specificity: Int, isAccepted: Bool) = (-1, false)
        for range in value.split(separator: ",") {
            let parts = range.split(separator: ";").map(\.trimmingSpace)
            guard let type = parts.first?.lowercased(), let specificity = specificity[type] else { continue }
            let quality = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }.flatMap {
                Double($0.dropFirst(2))
            }
            if specificity > best.specificity { best = (specificity, (quality ?? 1) > 0) }
        }
        guard best.isAccepted else { throw HTTPProblem(.notAcceptable, "application/json is not accepted") }
    }

    /// `application/problem+json` counts: who accepts only that will see nothing else if all goes wrong.
    private static let specificity = ["*/*": 0, "application/*": 1, "application/json": 2]
}

extension Substring {
    fileprivate var trimmingSpace: String {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
