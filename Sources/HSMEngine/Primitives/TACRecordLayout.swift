/// The fixed shape of the records of a TAC batch: factors of 8 bytes for each level | data | TAC of 4 bytes, one after another.
struct TACRecordLayout: Sendable {
    /// Levels of diversification from the given key to the card's DTK, 0 to `DerivedKey.maximumLevels`.
    let levels: Int
    /// Bytes that the TAC covers, 1 to 255.
    let dataLength: Int

    var stride: Int { 8 * levels + dataLength + 4 }
}
