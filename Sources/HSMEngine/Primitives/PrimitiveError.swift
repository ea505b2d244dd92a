import HSMBridge

/// Why secret memory, randomness or libcrypto did not do what it was asked. Never carries data.
enum PrimitiveError: Error, Hashable {
    /// All arenas are full and the limit is reached, or the kernel gives no more locked memory.
    case secretMemoryExhausted
    /// The random source failed, or a health test of it did; stays so until `SecureRandom.restart` passes.
    case randomFault
    /// libcrypto refused; the packed code of the first entry of its error queue (0 where the queue was empty).
    case libcrypto(code: UInt)
    case keyLengthInvalid
    case dataLengthInvalid
    /// The algorithm does not do this (diversification with AES, algorithm 3 with SM4, …).
    case algorithmNotPermitted
    case parameterInvalid
    /// A signature that we made, or a new RSA pair, does not verify: a fault, and nothing was released.
    case resultInconsistent
    /// A known answer differs.
    case selfTestFailed

    /// What the module answers for it.
    var moduleError: ModuleError {
        switch self {
        case .secretMemoryExhausted: .secretMemoryExhausted
        case .randomFault: .randomFault
        case .libcrypto, .resultInconsistent: .internalFault
        case .keyLengthInvalid: .keyLengthInvalid
        case .dataLengthInvalid: .dataLengthInvalid
        case .algorithmNotPermitted: .algorithmNotPermitted
        case .parameterInvalid: .parameterInvalid
        case .selfTestFailed: .selfTestFailed
        }
    }
}
