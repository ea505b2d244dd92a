public import NIOCore

/// YT: check the TAC of one record. Answer: 00 or 01.
///
/// card key | record kind 1 (`P` purchase, `L` load) | record 22 or 24 | TAC 4, binary behind the kind. TAC: CBC-MAC under the
/// halves of the card's TAC key xored, over the record.
public struct VerifyTACRequest: HostCommand {
    public typealias Reply = EmptyReply
    public static let code = HostCommandCode.verifyTAC

    public var key: CardKey
    public var record: TACRecord
    public var tac: PurseMAC

    public init(key: CardKey, record: TACRecord, tac: PurseMAC) {
        self.key = key
        self.record = record
        self.tac = tac
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.cardKey()
        record = try TACRecord(&reader, kind: try reader.choice(.recordKind, .inputData))
        tac = try reader.purseMAC()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeCardKey(key)
        buffer.writeInteger(record.kind.rawValue)
        record.write(into: &buffer)
        buffer.writeInteger(tac.value)
    }
}

/// One record of a batch: the card's own factor, what it signed, and the signature.
public struct TACCheck: Sendable {
    /// The last level of diversification.
    public var card: DiversificationFactor
    public var record: TACRecord
    public var tac: PurseMAC

    public init(card: DiversificationFactor, record: TACRecord, tac: PurseMAC) {
        self.card = card
        self.record = record
        self.tac = tac
    }
}

/// YB: check many TACs under one master key.
///
/// key | number of shared levels 1 (`0` to `3`) | 8 bytes each | record kind 1 | number of entries 4 decimal digits (0001 to 1536) |
/// entries, each card factor 8 | record 22 or 24 | TAC 4 | [`;` entries of the whole batch 5 decimal digits | number of the first entry
/// here, from zero, 5]. A frame cannot be longer than 65,535 bytes, so a day's records
/// travel in several frames; 1,536 is three passes of 512 lanes of the bit-sliced DES, and its 55,296 bytes leave room for any
/// key block of use. `CryptoConnection.verifyTACs` splits and pipelines.
public struct VerifyTACBatchRequest: HostCommand {
    public typealias Reply = TACBatchReply
    public static let code = HostCommandCode.verifyTACBatch
    public static let maximumEntries = 1536

    public let key: HostKeyReference
    /// The levels before the card's own, at most three.
    public let sharedPath: DiversificationPath
    public let kind: TACRecord.Kind
    public let count: Int
    /// All entries as they stand on the wire, `count` times `entryLength` bytes: what a server hands on as it is.
    public let entries: ByteBuffer

    /// Where these entries belong in a larger batch; nil for a batch of one frame.
    public let part: Part?

    /// The place of a frame's entries in a batch of up to 10,000.
    public struct Part: Sendable, Hashable {
        public static let maximumTotal = 10_000
        /// Entries of the whole batch.
        public let total: Int
        /// The number of this frame's first entry, from zero.
        public let first: Int

        public init(total: Int, first: Int) {
            self.total = total
            self.first = first
        }

        /// Code 21 unless `count` entries have their place in the batch.
        fileprivate func check(_ count: Int) throws(FieldError) {
            guard total <= Self.maximumTotal, first >= 0, first + count <= total else {
                throw FieldError(.indexValue, in: .count)
            }
        }
    }

    public var entryLength: Int { 8 + kind.dataLength + 4 }

    /// Throws 21 for no entries or more than 1,536, or more than three shared levels; 15 when the kinds are mixed.
    public init(
        key: HostKeyReference, sharedPath: DiversificationPath = .none, checks: some Collection<TACCheck>,
        part: Part? = nil
    ) throws(FieldError) {
        guard sharedPath.count < DiversificationPath.maximumLevels else {
            throw FieldError(.indexValue, in: .factorCount)
        }
        guard let first = checks.first, checks.count <= Self.maximumEntries else {
            throw FieldError(.indexValue, in: .count)
        }
        var entries = ByteBuffer()
        entries.reserveCapacity(checks.count * (12 + first.record.kind.dataLength))
        for check in checks {
            guard check.record.kind == first.record.kind else { throw FieldError(.inputData, in: .recordKind) }
            entries.writeInteger(check.card.rawValue)
            check.record.write(into: &entries)
            entries.writeInteger(check.tac.value)
        }
        try part?.check(checks.count)
        self.part = part
        self.key = key
        self.sharedPath = sharedPath
        self.kind = first.record.kind
        self.count = checks.count
        self.entries = entries
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.key(.key)
        sharedPath = try reader.path(levels: 0...DiversificationPath.maximumLevels - 1)
        kind = try reader.choice(.recordKind, .inputData)
        count = try reader.decimal(digits: 4, .count)
        guard (1...Self.maximumEntries).contains(count) else { throw FieldError(.indexValue, in: .count) }
        entries = try reader.slice(count * (12 + kind.dataLength), .entries, .dataLength)
        guard reader.skip(UInt8(ascii: ";")) else {
            part = nil
            return
        }
        let total = try reader.decimal(digits: 5, .count)
        let part = Part(total: total, first: try reader.decimal(digits: 5, .count))
        try part.check(count)
        self.part = part
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeKey(key)
        buffer.writePath(sharedPath)
        buffer.writeInteger(kind.rawValue)
        buffer.writeDecimal(count, digits: 4)
        buffer.writeBytes(of: entries)
        guard let part else { return }
        buffer.writeInteger(UInt8(ascii: ";"))
        buffer.writeDecimal(part.total, digits: 5)
        buffer.writeDecimal(part.first, digits: 5)
    }

    /// One entry; nil outside `0..<count`.
    public func check(at index: Int) -> TACCheck? {
        guard (0..<count).contains(index),
            let slice = entries.getSlice(at: entries.readerIndex + index * entryLength, length: entryLength)
        else { return nil }
        var reader = FieldReader(slice)
        do throws(FieldError) {
            let card: UInt64 = try reader.integer(.factors)
            let record = try TACRecord(&reader, kind: kind)
            return TACCheck(card: .init(rawValue: card), record: record, tac: try reader.purseMAC())
        } catch {
            return nil
        }
    }
}

/// The verdict on one entry of a batch, one character.
public enum TACVerdict: UInt8, Sendable, Hashable, CaseIterable {
    /// `0`: the TAC is right.
    case valid = 0x30
    /// `1`: it is not.
    case invalid = 0x31
}

/// YC: number of entries 4 decimal digits | one character each, in the order asked.
///
/// The error code is 00 also when TACs are wrong: the batch as a whole was carried out.
public struct TACBatchReply: HostReplyFields {
    public let verdicts: [TACVerdict]

    public init(_ verdicts: [TACVerdict]) {
        self.verdicts = verdicts
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let count = try reader.decimal(digits: 4, .count)
        var verdicts: [TACVerdict] = []
        verdicts.reserveCapacity(count)
        for _ in 0..<count { verdicts.append(try reader.choice(.results, .inputData)) }
        self.verdicts = verdicts
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeDecimal(verdicts.count, digits: 4)
        for verdict in verdicts { buffer.writeInteger(verdict.rawValue) }
    }
}
