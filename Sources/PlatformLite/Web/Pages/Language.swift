import Hummingbird

/// The two languages of the pages.
enum Language: String, Sendable, CaseIterable {
    case chinese = "zh"
    case english = "en"

    static let cookie = "platform_language"

    /// By `?lang=`, else by the cookie of an earlier choice, else by `Accept-Language` in the order of the list, else Chinese.
    init(of request: Request) {
        if let chosen = Language(request.uri.queryParameters.get("lang") ?? "") {
            self = chosen
        } else if let kept = request.cookies[Self.cookie].flatMap({ Language($0.value) }) {
            self = kept
        } else {
            let wishes = (request.headers[.acceptLanguage] ?? "").split(separator: ",").prefix(20)
            self = wishes.lazy.compactMap { Language($0.drop { $0 == " " }) }.first ?? .chinese
        }
    }

    private init?(_ tag: some StringProtocol) {
        switch tag.prefix(2).lowercased() {
        case "zh": self = .chinese
        case "en": self = .english
        default: return nil
        }
    }

    var other: Language { self == .chinese ? .english : .chinese }
    var tag: String { self == .chinese ? "zh-CN" : "en" }
    var ownName: String { self == .chinese ? "中文" : "English" }
}
