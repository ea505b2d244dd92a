/// What is wrong with one field of a request or reply: the code to answer and the field that earned it.
///
/// Never carries the bytes that were sent, so it can be logged as it is.
public struct FieldError: Error, Hashable, Sendable {
    public let code: HostErrorCode
    public let field: Field

    public init(_ code: HostErrorCode, in field: Field) {
        self.code = code
        self.field = field
    }

    /// The fields a refusal can point at, by their names in docs/protocol.md.
    public enum Field: String, Hashable, Sendable {
        case header, command, mode, length, data, count, key, transportKey, keyType, keyTypeCode, keyLengthFlag
        case keyScheme, zmkFlag, keyAttributes, exportability, checkValueType, checkValue, lmkIdentifier, trailer
        case inputFormat, macSize, macAlgorithm, padding, chainingValue, mac
        case factorCount, factors, random, sequence, balance, amount, transactionType, terminal, terminalSequence
        case dateTime, recordKind, entries, results, firmware, end
        case hash, signatureAlgorithm, signature, keyFlag, publicKey, encoding, exponent, figures
        case outputFormat, destinationKey, account, cardCode, scheme, issuerDataKey, response
    }
}

// MARK: - CustomStringConvertible

extension FieldError: CustomStringConvertible {
    public var description: String { "\(code) Field: \(field.rawValue)." }
}
