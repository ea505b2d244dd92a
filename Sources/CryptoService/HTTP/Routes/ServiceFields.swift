import CryptoClient
import HSMBridge

// The fields of this service. One name means the same in every operation.

extension JSONField {
    static let verdicts = ["verified", "verification failed"]
    /// As long as a host command's: longer messages go in parts.
    static let longestMessage = 65_535

    // MARK: Keys

    static let key = JSONField("key", .key, "issuer/product/label[/NN], or a key block under the LMK")
    static let transportKey = JSONField("transport_key", .key, "transport key: label or key block under the LMK")
    static let block = JSONField("block", .text(16...9_999), "X9.143 key block")
    static let transportBlock = JSONField("transport_block", .text(16...9_999), "the same key under the transport key")
    static let checkValue = JSONField("check_value", .hexadecimal(.init(3...3)), "check value of the key")
    static let cryptogram = JSONField(
        "cryptogram", .hexadecimal(.init(16...16, 24...24)), "key under the transport key, ECB, of 16 or 24 bytes")
    static let usage = JSONField(
        "usage", .choice(KeyUsage.allCases.map(\.rawValue)), "X9.143 key usage, or one of ours")
    static let keyAlgorithms = ["3des2", "3des3", "aes128", "aes192", "aes256", "sm4"]
    static let keyAlgorithm = JSONField("algorithm", .choice(keyAlgorithms), "two- or three-key TDES, AES, SM4")
    static let mode = JSONField(
        "mode", .choice(["B", "C", "D", "E", "G", "N", "S", "T", "V", "X", "Y"]), "X9.143 mode of use")
    static let exportabilities = ["E", "N", "S"]
    static let exportability = JSONField(
        "exportability", .choice(exportabilities), "E exportable, N never, S in other forms too"
    ).optional
    static let levels = JSONField(
        "levels", .integer(1...DerivedKey.maximumLevels),
        "with mode X: how many factors the card keys are away from the master; 1 where it is missing"
    ).optional
    static let keyVersion = JSONField("version", .integer(0...99), "key version number of the block; 0: none").optional
    static let attributes = JSONField(
        "attributes", .object([usage, keyAlgorithm, mode, levels, exportability, keyVersion]),
        "what the key shall be; without exportability N")

    // MARK: MACs

    static let macAlgorithms = ["algorithm1", "algorithm3", "cmac"]
    static let algorithm = JSONField(
        "algorithm", .choice(macAlgorithms), "ISO 9797-1 algorithm 1 (CBC-MAC), 3 (retail MAC) or 5 (CMAC)")
    static let padding = JSONField(
        "padding", .choice(["none", "method1", "method2", "method3"]),
        "ISO 9797-1 clause 6.3; CMAC pads by itself: none")
    static let data = JSONField("data", .hexadecimal(.init(0...longestMessage)), "what the MAC covers")
    static let mac = JSONField(
        "mac", .hexadecimal(.init(4...4, 8...8, 16...16)), "MAC: 4, 8, or with AES and SM4 16 bytes")
    static let length = JSONField(
        "length", .number([4, 8, 16]), "bytes of MAC; 8 where it is missing, 16 with AES and SM4 only"
    ).optional
    static let parts = ["only", "first", "middle", "last"]
    static let part = JSONField(
        "part", .choice(parts), "of a message that goes in several requests; only: the whole message"
    ).optional
    static let chainingValue = JSONField(
        "chaining_value", .hexadecimal(.init(8...8, 16...16)),
        "middle and last part: the chaining value of the part before, one block; else none"
    ).optional
    static let result = JSONField("result", .choice(verdicts), "a wrong MAC is an answer, not an error")
    static let results = JSONField("results", .list(1...10_000, .choice(verdicts)), "in the order of the records")
    static let macRecords = JSONField(
        "records", .list(1...10_000, .object([data, mac])), "messages with their MACs, all under one key")

    // MARK: E-purse

    static let factor = Kind.hexadecimal(.init(8...8))
    static let factors = JSONField("factors", .list(1...4, factor), "8 bytes each, region first, card last")
    static let cards = JSONField(
        "cards", .list(1...1_000, .list(1...4, factor)), "the factors of each card, region first, card last")
    static let tacData = JSONField(
        "data", .hexadecimal(.init(22...22, 24...24)),
        "the record as the card signed it: 22 bytes for a purchase, 24 for a load")
    static let tac = JSONField("tac", .hexadecimal(.init(4...4)), "TAC of the card")
    static let random = JSONField("random", .hexadecimal(.init(4...4)), "random of the card")
    static let onlineSequence = JSONField("online_sequence", .integer(0...65_535), "of the card")
    static let offlineSequence = JSONField("offline_sequence", .integer(0...65_535), "of the card")
    static let oldBalance = JSONField("old_balance", .integer(0...4_294_967_295), "fen, before the transaction")
    static let amount = JSONField("amount", .integer(0...4_294_967_295), "fen")
    static let type = JSONField("type", .hexadecimal(.init(1...1)), "type of the transaction")
    static let loadType = JSONField("type", .choice(["01", "02"]), "01 passbook, 02 purse")
    static let terminal = JSONField("terminal", .hexadecimal(.init(6...6)), "terminal number")
    static let terminalTransaction = JSONField(
        "terminal_transaction", .integer(0...4_294_967_295), "the PSAM's transaction number")
    static let date = JSONField("date", .hexadecimal(.init(4...4)), "YYYYMMDD")
    static let time = JSONField("time", .hexadecimal(.init(3...3)), "HHMMSS")
    static let mac1 = JSONField("mac1", .hexadecimal(.init(4...4)), "MAC1")
    static let mac2 = JSONField("mac2", .hexadecimal(.init(4...4)), "MAC2")
    static let mac3 = JSONField("mac3", .hexadecimal(.init(4...4)), "MAC3")
    static let newBalance = JSONField("new_balance", .integer(0...4_294_967_295), "fen, after the transaction")
    static let tacRecords = JSONField(
        "records", .list(1...10_000, .object([factors, tacData, tac])), "records, purchases and loads in any order")

    // MARK: Others

    static let count = JSONField("count", .integer(1...256), "bytes")
    static let randomData = JSONField("data", .hexadecimal(.init(1...256)), "random bytes of the module")
    static let echoData = JSONField("data", .hexadecimal(.init(0...65_535)), "any bytes")
    static let keyList = JSONField(
        "keys", .list(1...1_000, .object([block, checkValue])), "one for each card, in their order")
}
