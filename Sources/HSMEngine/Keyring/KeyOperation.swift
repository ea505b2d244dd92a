/// What a command does with one key: the rows of the permission table's matrix.
enum KeyOperation: String, Sendable, Hashable, CaseIterable {
    case generateMAC1, verifyMAC1
    case generateMAC3, verifyMAC3
    case generateCMAC, verifyCMAC
    case generateUnionPayMAC, verifyUnionPayMAC
    case sign
    case verifySignature
    /// Be the transport key of an export.
    case wrapKeyBlock
    /// Be the transport key of an import.
    case unwrapKeyBlock
    case unwrapCryptogram
    /// Be exported.
    case leave
    case authoriseLoad
    case purchaseMAC
    case verifyTAC
    /// Give a card key as a key block.
    case diversify
    /// Encipher and sign a key for a card.
    case controlKeyLoad
    /// The same, for a card-control key only.
    case wash
    /// Be the key that is loaded.
    case loadOntoCard
    case protectCommand
    case cardCryptogram
    /// Show the check value of a card key.
    case derivedCheckValue
    case encipherData, decipherData
    case generateCardCode, verifyCardCode
    case verifyCryptogram
    /// Answer a cryptogram that was checked elsewhere, under a session key.
    case respondToCryptogram
    /// The same under the card's own key.
    case respondUnderCardKey
    /// Check a MAC in the issuer's data of a cryptogram.
    case verifyIssuerData
    case unload
}
