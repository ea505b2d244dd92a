import KMS

/// Finds a client's keys by the bytes of a request's key field as they stand on the wire, with its operation.
///
/// An open hash table that is looked into without making a value of the bytes. Its hash is seeded: a client that chooses its
/// key blocks cannot choose where they land.
struct KeyFieldIndex {
    private static let seed = (UInt64.random(in: 1...UInt64.max) | 1, UInt64.random(in: 1...UInt64.max) | 1)

    /// A power of two places, at most half of them taken.
    private var places = ContiguousArray<KeyEntry?>(repeating: nil, count: 16)
    private(set) var count = 0
    private let seed = Self.seed

    mutating func removeAll() {
        places = ContiguousArray(repeating: nil, count: 16)
        count = 0
    }

    /// The entry for a key field; nil where it is not known.
    @inline(__always) @unsafe
    func entry(_ field: UnsafeRawBufferPointer, _ operation: ServiceOperation) -> KeyEntry? {
        var place = unsafe hash(field, operation) & (places.count - 1)
        while let entry = places[place] {
            if unsafe entry.isFor(field, operation) { return entry }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    /// Takes an entry in; another one for the same field and operation makes way.
    mutating func insert(_ entry: KeyEntry) {
        if 2 * (count + 1) > places.count { grow() }
        unsafe entry.field.withUnsafeBytes { field in
            var place = unsafe hash(field, entry.operation) & (places.count - 1)
            while let other = places[place], unsafe !other.isFor(field, entry.operation) {
                place = (place + 1) & (places.count - 1)
            }
            if places[place] == nil { count += 1 }
            places[place] = entry
        }
    }

    /// All of them, in no order.
    var entries: [KeyEntry] { places.compactMap { $0 } }

    private mutating func grow() {
        let entries = entries
        places = ContiguousArray(repeating: nil, count: 2 * places.count)
        count = 0
        for entry in entries { insert(entry) }
    }

    @inline(__always) @unsafe
    private func hash(_ field: UnsafeRawBufferPointer, _ operation: ServiceOperation) -> Int {
        var state =
            seed.0 ^ UInt64(field.count) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(UInt(bitPattern: operation.hashPlace))
        var offset = 0
        while field.count - offset >= 8 {
            let word = unsafe field.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = Self.fold(state ^ word, seed.1)
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < field.count {
            rest = rest << 8 | UInt64(unsafe field[offset])
            offset += 1
        }
        return Int(truncatingIfNeeded: Self.fold(state ^ rest, seed.1))
    }

    @inline(__always)
    private static func fold(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let product = first.multipliedFullWidth(by: second)
        return product.high ^ product.low
    }
}

extension ServiceOperation {
    /// The few operations of the hot lane apart from one another; the others share a place.
    fileprivate var hashPlace: Int {
        switch self {
        case .verifyMAC: 1
        case .generateMAC: 2
        case .verifyTAC: 3
        default: 0
        }
    }
}
