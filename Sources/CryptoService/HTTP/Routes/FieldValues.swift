import CryptoClient
import NIOCore

// What the fields of a request mean to a host command.

extension JSONBody {
    /// The key of a field, not yet looked at.
    func reference(_ field: JSONField = .key) throws(Refusal) -> HostKeyReference {
        try KeyText.reference(text(field))
    }

    func optionalReference(_ field: JSONField) throws(Refusal) -> HostKeyReference? {
        has(field) ? try reference(field) : nil
    }

    func cardKey() throws(Refusal) -> CardKey {
        CardKey(master: try reference(), path: try Self.path(list(.factors)))
    }

    static func path(_ factors: [JSONSlot]) throws(Refusal) -> DiversificationPath {
        let factors = factors.map { slot in
            if case .text(let digits) = slot {
                DiversificationFactor(rawValue: HexDigits.number(digits))
            } else {
                DiversificationFactor(rawValue: 0)
            }
        }
        guard let path = DiversificationPath(factors) else { throw .host(.indexValue) }
        return path
    }

    func purseTerminal() throws(Refusal) -> PurseTerminal {
        guard let terminal = PurseTerminal(rawValue: number(.terminal)) else { throw .host(.inputData) }
        return terminal
    }

    func purseTime() -> PurseTime { PurseTime(date: UInt32(number(.date)), time: UInt32(number(.time))) }

    func purseMAC(_ field: JSONField) -> PurseMAC { PurseMAC(UInt32(number(field))) }

    func word(_ field: JSONField) -> UInt32 { UInt32(clamping: integer(field)) }

    func half(_ field: JSONField) -> UInt16 { UInt16(clamping: integer(field)) }

    /// The record that a TAC covers, by its length.
    func tacRecord() throws(Refusal) -> TACRecord {
        guard let record = TACRecord(data: bytes(.tacData)) else { throw .host(.dataLength) }
        return record
    }

    /// Two digits; `00` where the field is absent.
    func versionText(_ field: JSONField) -> String {
        let number = integer(field)
        return number < 10 ? "0\(number)" : String(number)
    }

    func keyAttributes() throws(Refusal) -> HostKeyAttributes? {
        guard let body = object(.attributes) else { return nil }
        let algorithms = ["T2", "T3", "A1", "A2", "A3", "41"]
        do throws(FieldError) {
            return try HostKeyAttributes(
                usage: word(.usage, of: body), algorithm: algorithms[body.choice(.keyAlgorithm) ?? 0],
                modeOfUse: word(.mode, of: body), version: body.versionText(.keyVersion),
                exportability: body.has(.exportability) ? word(.exportability, of: body) : "N",
                optionalBlocks: body.has(.levels) ? [.levels(body.integer(.levels))] : [])
        } catch { throw .host(error.code) }
    }

    /// The word that was chosen.
    private func word(_ field: JSONField, of body: JSONBody) -> String {
        guard case .choice(let words) = field.kind, let index = body.choice(field) else { return "" }
        return words[index]
    }

    func word(of field: JSONField) -> String? { has(field) ? word(field, of: self) : nil }

    // MARK: MACs

    /// All of M6 and M8 but the MAC.
    func macFields(data: ByteBuffer? = nil, key: HostKeyReference? = nil) throws(Refusal) -> HostMACFields {
        let part = HostMACMode.allCases[choice(.part) ?? 0]
        let chaining = Array(bytes(.chainingValue).readableBytesView)
        // A chaining value where none belongs would be left out by the host command without a word.
        guard part.bringsChainingValue == !chaining.isEmpty else { throw .host(.inputData) }
        let key = if let key { key } else { try reference() }
        return HostMACFields(
            mode: part, size: HostMACSize.allCases.first { $0.bytes == integer(.length) } ?? .eightBytes,
            algorithm: [.algorithm1, .algorithm3, .cmac][choice(.algorithm) ?? 0],
            padding: HostMACPadding.allCases[choice(.padding) ?? 0], key: key, chainingValue: chaining,
            message: HostMACMessage(content: data ?? bytes(.data)))
    }

    /// The MAC of a request or of one of its records.
    func hostMAC() -> HostMAC? {
        let count = text(.mac).readableBytes / 2
        return count == 16
            ? HostMAC(Array(bytes(.mac).readableBytesView)) : HostMAC(number: number(.mac), bytes: count)
    }
}
