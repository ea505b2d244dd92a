public import HSMBridge
public import KMS
internal import MariaDB

/// Why the issuing desk did not do what it was asked. A job that has begun does not throw: it has a state.
public enum IssuingError: Error, Sendable, Hashable {
    // MARK: The request
    case unknownProfile(String)
    case unknownField(String, allowed: [String])
    /// The value itself is never repeated.
    case dataField(String, expected: String)
    case invalidIssuer
    case invalidCount
    case invalidText(String)

    // MARK: Keys and image
    case keyMissing(String)
    case keyUnusable(String, KMSError)
    case keyUnfit(String, expected: String)
    /// The profile and the data contradict each other: a card would be spoilt.
    case imageInvalid(String)

    // MARK: Readers and stock
    case readerBusy(String)
    case card(CardError)
    case tooManyJobs(Int)
    case noStock(kind: String)

    // MARK: Jobs
    case jobUnknown(Int64)
    case notContinuable(Int64, String)
    case otherCard(expected: String)
    case cardInUse(job: Int64)

    // MARK: Below
    case kms(KMSError)
    case database
    case module(ModuleError)

    static func from(_ error: any Error) -> IssuingError {
        switch error {
        case let error as IssuingError: error
        case let error as KMSError: .kms(error)
        case let error as CardError: .card(error)
        case let error as ModuleRefusal: .module(error.error)
        case let error as ModuleError: .module(error)
        default: .database
        }
    }
}

extension IssuingError: CustomStringConvertible {
    /// Stable; for support and for programs.
    public var code: String {
        switch self {
        case .unknownProfile: "P-101"
        case .unknownField: "P-102"
        case .dataField: "P-103"
        case .invalidIssuer, .invalidCount, .invalidText: "P-104"
        case .keyMissing: "P-111"
        case .keyUnusable: "P-112"
        case .keyUnfit: "P-113"
        case .imageInvalid: "P-114"
        case .readerBusy: "P-121"
        case .card: "P-122"
        case .tooManyJobs: "P-123"
        case .noStock: "P-124"
        case .jobUnknown: "P-131"
        case .notContinuable: "P-132"
        case .otherCard: "P-133"
        case .cardInUse: "P-134"
        case .kms(let error): error.code
        case .database: "P-141"
        case .module: "P-142"
        }
    }

    /// One sentence for people, with what to do next where that is not plain.
    public var message: String {
        switch self {
        case .unknownProfile(let name): "There is no card profile `\(name)`."
        case .unknownField(let name, let allowed):
            "The profile has no data field `\(name)`; it has: \(allowed.joined(separator: ", "))."
        case .dataField(let name, let expected): "Data field `\(name)` must be \(expected)."
        case .invalidIssuer: "That is not an issuer's code."
        case .invalidCount: "The count must be from 1 to 1,000,000."
        case .invalidText(let name): "`\(name)` must be short printable text."
        case .keyMissing(let label): "There is no active key `\(label)`: create it and give it a value first."
        case .keyUnusable(let label, let error): "Key `\(label)` cannot be used: \(error.message)"
        case .keyUnfit(let label, let expected): "Key `\(label)` does not fit the profile: \(expected)."
        case .imageInvalid(let text): "The card cannot be made as the profile says: \(text)."
        case .readerBusy(let name): "A job is running in reader `\(name)`."
        case .card(let error): "Card reader: \(error)."
        case .tooManyJobs(let limit): "\(limit) jobs are running already; wait until one has ended."
        case .noStock(let kind): "No blank of kind `\(kind)` is in stock: book in a delivery first."
        case .jobUnknown(let id): "There is no job \(id)."
        case .notContinuable(let id, let reason): "Job \(id) cannot go on: \(reason)."
        case .otherCard(let expected): "This is another card: the job began with the card of serial number \(expected)."
        case .cardInUse(let job): "This card belongs to job \(job): continue or scrap that job, or take another blank."
        case .kms(let error): error.message
        case .database: "The database cannot be reached; nothing was changed."
        case .module(let error): "The security module refused: \(error)."
        }
    }

    public var chinese: String {
        switch self {
        case .unknownProfile(let name): "没有卡片模板 \(name)。"
        case .unknownField(let name, _): "模板没有数据项 \(name)。"
        case .dataField(let name, _): "数据项 \(name) 格式不正确。"
        case .invalidIssuer: "发卡行代码不正确。"
        case .invalidCount: "数量不正确。"
        case .invalidText(let name): "\(name) 格式不正确。"
        case .keyMissing(let label): "没有可用的密钥 \(label)。"
        case .keyUnusable(let label, let error): "密钥 \(label) 不能使用：\(error.chinese)"
        case .keyUnfit(let label, _): "密钥 \(label) 与模板不符。"
        case .imageInvalid: "无法按模板制卡。"
        case .readerBusy(let name): "读卡器 \(name) 正在制卡。"
        case .card: "读卡器或卡片故障。"
        case .tooManyJobs: "同时进行的制卡任务过多。"
        case .noStock(let kind): "\(kind) 空白卡库存不足。"
        case .jobUnknown(let id): "没有任务 \(id)。"
        case .notContinuable(let id, _): "任务 \(id) 不能继续。"
        case .otherCard: "不是同一张卡。"
        case .cardInUse(let job): "此卡属于任务 \(job)。"
        case .kms(let error): error.chinese
        case .database: "数据库不可用，未作任何更改。"
        case .module: "加密机拒绝执行。"
        }
    }

    public var description: String { "\(code) \(message)" }
}
