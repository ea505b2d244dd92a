/// One field of a JSON request or answer: the same table says how it is read and how it is documented.
struct JSONField: Sendable {
    indirect enum Kind: Sendable {
        case text(ClosedRange<Int>)
        /// Bytes in hexadecimal digits; the range counts bytes.
        case hexadecimal(ClosedRange<Int>)
        case integer(ClosedRange<Int>)
        case choice([String])
        /// How many elements, and what each is.
        case list(ClosedRange<Int>, Kind)
        case object([JSONField])
    }

    let name: String
    let kind: Kind
    let isRequired: Bool
    let about: String

    init(_ name: String, _ kind: Kind, _ about: String, isRequired: Bool = true) {
        self.name = name
        self.kind = kind
        self.about = about
        self.isRequired = isRequired
    }

    var optional: JSONField { JSONField(name, kind, about, isRequired: false) }
}

// MARK: - The fields of this service

extension JSONField {
    static let verdicts = ["verified", "verification failed"]

    static let key = JSONField("key", .text(1...9_999), "issuer/product/label[/NN], or a key block under the LMK")
    static let transportKey = JSONField(
        "transport_key", .text(1...9_999), "key that the result travels under; without it: the LMK")
    static let algorithm = JSONField(
        "algorithm", .choice(["algorithm1", "algorithm3", "cmac", "unionPayECB"]),
        "ISO 9797-1 algorithm 1, 3 or 5 (CMAC), or UnionPay's")
    static let padding = JSONField(
        "padding", .choice(["none", "method1", "method2", "method3"]), "ISO 9797-1 clause 6.3")
    static let data = JSONField("data", .hexadecimal(0...262_144), "what the MAC covers")
    static let mac = JSONField("mac", .hexadecimal(4...16), "the MAC to check, or made")
    static let length = JSONField(
        "length", .integer(4...16), "bytes of MAC; 8 where it is missing, as many as fit the cipher"
    ).optional
    static let factor = Kind.hexadecimal(8...8)
    static let factors = JSONField("factors", .list(1...4, factor), "from master to card key, region first, card last")
    static let result = JSONField("result", .choice(verdicts), "a wrong MAC is an answer, not an error")
    static let tacData = JSONField(
        "data", .hexadecimal(1...64), "the record as the card signed it: 22 bytes for a purchase, 24 for a load")
    static let tac = JSONField("tac", .hexadecimal(4...4), "TAC of the card")
    static let random = JSONField("random", .hexadecimal(4...4), "random of the card")
    static let onlineSequence = JSONField("online_sequence", .integer(0...65_535), "of the card")
    static let offlineSequence = JSONField("offline_sequence", .integer(0...65_535), "of the card")
    static let oldBalance = JSONField("old_balance", .integer(0...4_294_967_295), "fen, before the load")
    static let amount = JSONField("amount", .integer(0...4_294_967_295), "fen")
    static let type = JSONField("type", .hexadecimal(1...1), "transaction type: 01 02 load, 05 06 09 purchase")
    static let terminal = JSONField("terminal", .hexadecimal(6...6), "terminal number")
    static let terminalTransaction = JSONField(
        "terminal_transaction", .integer(0...4_294_967_295), "the PSAM's transaction number")
    static let date = JSONField("date", .hexadecimal(4...4), "YYYYMMDD")
    static let time = JSONField("time", .hexadecimal(3...3), "HHMMSS")
    static let mac1 = JSONField("mac1", .hexadecimal(4...4), "MAC1")
    static let mac2 = JSONField("mac2", .hexadecimal(4...4), "MAC2")
    static let count = JSONField("count", .integer(1...1_024), "bytes")
    static let randomData = JSONField("data", .hexadecimal(1...1_024), "random bytes")
    static let records = JSONField(
        "records", .list(1...10_000, .object([factors, tacData, tac])),
        "all with as many factors and as much data as the first")
    static let results = JSONField("results", .list(1...10_000, .choice(verdicts)), "in the order of the records")
    static let block = JSONField("block", .text(1...9_999), "X9.143 key block")
    static let checkValue = JSONField("check_value", .hexadecimal(3...3), "check value of the key")
}
