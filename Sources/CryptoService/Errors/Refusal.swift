import CryptoClient
import HSMBridge
import KMS

/// Why a request is not carried out, from whichever room it came.
enum Refusal: Error, Sendable {
    case host(HostErrorCode)
    case module(ModuleError)
    case keys(KMSError)

    var code: HostErrorCode {
        switch self {
        case .host(let code): code
        case .module(let error): ErrorTable.code(error)
        case .keys(let error): ErrorTable.code(error)
        }
    }

    /// English, without data.
    var detail: String {
        switch self {
        case .host(let code): code.description
        case .module(let error): "The module refused: \(error)."
        case .keys(let error): error.message
        }
    }
}
