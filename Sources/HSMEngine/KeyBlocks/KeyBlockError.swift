import HSMBridge

/// Why a key block was not opened or made. Each refusal is its own case; none says more than a forger may know.
enum KeyBlockError: Error, Hashable {
    case header(KeyBlockHeaderError)
    /// The block's version is not the one that the protection key was opened for.
    case versionMismatch
    /// The protection key's length does not fit the version.
    case protectionKeyLength
    /// The enciphered part or the MAC is not upper-case hexadecimal.
    case bodyMalformed
    /// The enciphered part is not whole cipher blocks, or too short for any key.
    case bodyLength
    /// The MAC is wrong: changed, damaged, or under another key.
    case authentication
    /// Genuine, but the length inside is not one that the key's algorithm has, or exceeds the block.
    case plaintextLength
    /// Genuine, but the header's algorithm is unknown.
    case keyAlgorithm
    /// An optional block cannot be written (identifier, characters, length, padding block given by the caller).
    case optionalBlock
    /// More than 9,999 characters.
    case tooLong
    /// Versions A and C are read only: their MAC is too short to be made any more.
    case versionNotWritten
    case primitive(PrimitiveError)

    /// What the module answers for it.
    var moduleError: ModuleError {
        switch self {
        case .authentication: .keyBlockAuthentication
        case .primitive(let error): error.moduleError
        case .protectionKeyLength: .keyLengthInvalid
        case .keyAlgorithm: .algorithmNotPermitted
        case .optionalBlock: .parameterInvalid
        case .tooLong: .tooLarge
        case .header, .versionMismatch, .bodyMalformed, .bodyLength, .plaintextLength, .versionNotWritten:
            .keyBlockMalformed
        }
    }
}
