import HSMBridge

/// A symmetric key ready for use: expanded schedules in secret memory, wiped with the last reference.
///
/// A reference inside: cheap to copy, to keep in a dictionary and to use on many threads at once. A MAC or a diversification
/// under an opened key costs no key set-up.
enum OpenKeySchedule: Sendable {
    case narrow(DESSchedule)
    case wide(WideSchedule)

    init(_ key: borrowing SecretBytes, algorithm: KeyAlgorithm) throws(PrimitiveError) {
        switch algorithm {
        case .des, .tripleDES2, .tripleDES3: self = .narrow(try DESSchedule(key, algorithm: algorithm))
        case .aes128, .aes192, .aes256, .sm4: self = .wide(try WideSchedule(key, algorithm: algorithm))
        case .rsa: throw .algorithmNotPermitted
        }
    }

    var algorithm: KeyAlgorithm {
        switch self {
        case .narrow(let schedule): schedule.algorithm
        case .wide(let schedule): schedule.algorithm
        }
    }

    /// 8 or 16.
    var blockLength: Int {
        switch self {
        case .narrow: 8
        case .wide: 16
        }
    }
}
