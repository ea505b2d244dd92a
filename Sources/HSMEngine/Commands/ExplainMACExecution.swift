import HSMBridge

extension ExplainMAC: ExecutableCommand {
    /// The user's own request differs in none, most mistakes in one or two parts.
    static let furthest = 3

    func execute(in execution: inout Execution) throws(ModuleRefusal) -> MACExplanation {
        guard data.count <= Self.maximumData, (MACLimits.shortest...16).contains(mac.count) else {
            throw ModuleRefusal(.dataLengthInvalid)
        }
        var schedules: [(number: UInt8, entry: OpenKeyEntry)] = []
        for (number, key) in keys.enumerated() {
            do throws(ModuleRefusal) {
                let entry = try execution.key(key)
                try Self.requireCheckable(entry)
                schedules.append((UInt8(number), entry))
            } catch {
                // The key that was asked for has to open; another version of it that does not is left out.
                guard number > 0 else { throw error }
            }
        }
        var search = MACSearch(self)
        // Nearest first: what was meant differs in as few parts as possible from what was said.
        for distance in 0...Self.furthest {
            for (number, entry) in schedules { try search.try(entry, number, distance: distance) }
            if search.isFull { break }
        }
        return MACExplanation(matches: search.matches, tried: search.tried)
    }

    /// A key whose MACs or TACs may be checked may be explained, and one that protects card commands, whose MACs the card checks; no
    /// other is tried.
    private static func requireCheckable(_ entry: OpenKeyEntry) throws(ModuleRefusal) {
        guard entry.schedule != nil else { throw ModuleRefusal(.algorithmNotPermitted) }
        let direct: [KeyOperation] = [.verifyMAC1, .verifyMAC3, .verifyCMAC, .verifyUnionPayMAC]
        let onCard: [KeyOperation] = [.verifyTAC, .authoriseLoad, .purchaseMAC, .unload, .protectCommand]
        func mayDo(_ operation: KeyOperation, _ factors: Int) -> Bool {
            (try? entry.permit(operation, factors: factors)) != nil
        }
        // The entry is asked and not the table: a component has the attributes of the key that it is to be part of, and may do nothing
        // of what that one may.
        for operation in direct where mayDo(operation, 0) { return }
        for operation in onCard where mayDo(operation, entry.attributes.levels) { return }
        throw ModuleRefusal(.usageNotPermitted)
    }
}

/// The search of one explanation. All comparisons are made in constant time and all of a calculation's readings are looked at
/// whatever the first of them said.
private struct MACSearch {
    private let request: ExplainMAC
    private let datas: [(reading: MACReading.Data, bytes: [UInt8])]
    private(set) var matches: [MACReading] = []
    private(set) var tried: UInt32 = 0

    var isFull: Bool { matches.count >= MACExplanation.maximumMatches }

    init(_ request: ExplainMAC) {
        self.request = request
        var datas: [(MACReading.Data, [UInt8])] = []
        for reading in MACReading.Data.allCases {
            guard let bytes = Self.data(request.data, reading) else { continue }
            // Two readings that are the same bytes would both be found.
            if !datas.contains(where: { $0.1 == bytes }) { datas.append((reading, bytes)) }
        }
        self.datas = datas
    }

    /// Tries all readings of one key that differ from the request in exactly `distance` parts.
    mutating func `try`(_ entry: OpenKeyEntry, _ number: UInt8, distance: Int) throws(ModuleRefusal) {
        let ofKey = number == 0 ? 0 : 1
        guard ofKey <= distance else { return }
        var seen: [[UInt64]] = []
        for diversification in MACReading.Diversification.allCases {
            guard let factors = Self.factors(request.factors, diversification), !seen.contains(factors) else {
                continue
            }
            seen.append(factors)
            for form in MACReading.KeyForm.allCases {
                let near = ofKey + (diversification == .asGiven ? 0 : 1) + (form == .whole ? 0 : 1)
                guard near <= distance, !isFull, let schedule = Self.schedule(entry, factors, form) else { continue }
                var reading = MACReading(
                    key: number, diversification: diversification, form: form, algorithm: request.algorithm.reading,
                    padding: request.padding, vector: .asGiven, data: .asGiven, mac: .left)
                try calculate(schedule, &reading, left: distance - near)
            }
        }
    }

    private mutating func calculate(
        _ schedule: OpenKeySchedule, _ reading: inout MACReading, left: Int
    ) throws(ModuleRefusal) {
        for algorithm in MACReading.Algorithm.allCases {
            reading.algorithm = algorithm
            let ofAlgorithm = algorithm == request.algorithm.reading ? 0 : 1
            for padding in Self.paddings(algorithm, request.padding) {
                reading.padding = padding
                let twin = padding.twinOverWholeBlocks
                // An algorithm that pads by itself leaves nothing of the padding that was asked for to differ from.
                let ofPadding = padding == request.padding || Self.padsItself(algorithm) ? 0 : 1
                for vector in Self.vectors(algorithm, request.initialVector, schedule.blockLength) {
                    reading.vector = vector.reading
                    let ofVector = vector.reading == .asGiven ? 0 : 1
                    for data in datas {
                        // The same calculation under two names: it has the one that was asked for, else the usual one.
                        if let twin, padding != request.padding, twin == request.padding || padding == .none,
                            !data.bytes.isEmpty, data.bytes.count.isMultiple(of: schedule.blockLength)
                        {
                            continue
                        }
                        reading.data = data.reading
                        let ofData = data.reading == .asGiven ? 0 : 1
                        let distance = ofAlgorithm + ofPadding + ofVector + ofData
                        guard distance == left || distance == left - 1, !isFull else { continue }
                        guard let mac = Self.mac(schedule, reading, vector.bytes, data.bytes) else { continue }
                        if distance == left { tried += 1 }
                        compare(mac, &reading, isLeft: distance == left)
                    }
                }
            }
        }
    }

    /// The left bytes are what is usual; the others are one part further away.
    private mutating func compare(_ mac: MACValue, _ reading: inout MACReading, isLeft: Bool) {
        let count = request.mac.count
        guard count <= mac.count else { return }
        var differences: (left: UInt8, right: UInt8, reversed: UInt8) = (0, 0, 0)
        for index in 0..<count {
            let given = request.mac[index]
            differences.left |= mac[index] ^ given
            differences.right |= mac[mac.count - count + index] ^ given
            differences.reversed |= mac[count - 1 - index] ^ given
        }
        if isLeft {
            if differences.left == 0 { add(reading, .left) }
        } else {
            if differences.right == 0, count < mac.count { add(reading, .right) }
            if differences.reversed == 0 { add(reading, .leftReversed) }
        }
    }

    private mutating func add(_ reading: MACReading, _ mac: MACReading.MAC) {
        guard !isFull else { return }
        var match = reading
        match.mac = mac
        matches.append(match)
    }
}

// MARK: - Readings

extension HSMBridge.MACPadding {
    /// The padding that adds the same to whole blocks: nothing.
    fileprivate var twinOverWholeBlocks: HSMBridge.MACPadding? {
        switch self {
        case .none: .method1
        case .method1: HSMBridge.MACPadding.none
        case .method2, .method3: nil
        }
    }
}

extension MACSearch {
    /// Nil where the key cannot be used that way.
    private static func schedule(
        _ entry: OpenKeyEntry, _ factors: [UInt64], _ form: MACReading.KeyForm
    ) -> OpenKeySchedule? {
        guard let base = entry.schedule else { return nil }
        do throws(PrimitiveError) {
            if form == .whole { return try base.opened(by: factors) }
            guard base.algorithm == .tripleDES2 else { return nil }
            let key = factors.isEmpty ? try SecretBytes(copying: entry.secret.bytes) : try base.diversified(by: factors)
            let left = try key.extracting(0..<8)
            let right = try key.extracting(8..<16)
            if form == .halvesXored { return try OpenKeySchedule(try SecretBytes(xor: left, right), algorithm: .des) }
            var swapped = try SecretBytes(count: 16)
            swapped.withMutableBytes { bytes in
                right.withBytes { half in for index in 0..<8 { bytes[index] = half[index] } }
                left.withBytes { half in for index in 0..<8 { bytes[8 + index] = half[index] } }
            }
            return try OpenKeySchedule(swapped, algorithm: .tripleDES2)
        } catch {
            return nil
        }
    }

    private static func factors(_ given: [UInt64], _ reading: MACReading.Diversification) -> [UInt64]? {
        switch reading {
        case .asGiven: given
        case .withoutLast: given.isEmpty ? nil : Array(given.dropLast())
        case .firstOnly: given.isEmpty ? nil : [given[0]]
        case .lastOnly: given.isEmpty ? nil : [given[given.count - 1]]
        case .none: []
        case .complemented: given.map { ~$0 }
        case .bytesReversed: given.map(\.byteSwapped)
        case .orderReversed: given.reversed()
        }
    }

    private static func padsItself(_ algorithm: MACReading.Algorithm) -> Bool {
        algorithm == .cmac || algorithm == .unionPayECB
    }

    private static func paddings(
        _ algorithm: MACReading.Algorithm, _ asked: HSMBridge.MACPadding
    ) -> [HSMBridge.MACPadding] {
        padsItself(algorithm) ? [asked] : HSMBridge.MACPadding.allCases
    }

    private static func vectors(
        _ algorithm: MACReading.Algorithm, _ given: [UInt8], _ length: Int
    ) -> [(reading: MACReading.Vector, bytes: [UInt8]?)] {
        let asGiven: (MACReading.Vector, [UInt8]?) = (.asGiven, given.isEmpty ? nil : given)
        if algorithm == .unionPayECB { return [(.asGiven, nil)] }
        let ones: (MACReading.Vector, [UInt8]?) = (.ones, [UInt8](repeating: 0xFF, count: length))
        return given.isEmpty ? [asGiven, ones] : [asGiven, (.zeros, nil), ones]
    }

    /// Nil where there is no such MAC: the cipher has no such algorithm, or the data no such length.
    private static func mac(
        _ schedule: OpenKeySchedule, _ reading: MACReading, _ vector: [UInt8]?, _ data: [UInt8]
    ) -> MACValue? {
        if let vector, vector.count != schedule.blockLength { return nil }
        let isTripleDES = schedule.algorithm == .tripleDES2 || schedule.algorithm == .tripleDES3
        let kind: MACAlgorithm
        switch reading.algorithm {
        case .unionPayECB: return try? schedule.unionPayMAC(over: data.span)
        case .cmac: kind = .cmac
        case .algorithm3:
            guard isTripleDES else { return nil }
            kind = .iso3
        case .algorithm1: kind = isTripleDES ? .iso1TripleDES : .iso1
        case .algorithm1LeftHalf:
            guard isTripleDES else { return nil }
            kind = .iso1
        }
        let padding = kind == .cmac ? MACPadding.none : reading.padding.primitive
        return try? schedule.mac(kind, padding: padding, iv: vector, over: data.span, length: schedule.blockLength)
    }

    private static func data(_ given: [UInt8], _ reading: MACReading.Data) -> [UInt8]? {
        switch reading {
        case .asGiven: return given
        case .bytesReversed: return given.reversed()
        case .hexadecimalCapitals: return Array(Hex.encode(given).utf8)
        case .hexadecimalSmall: return Array(Hex.encode(given).lowercased().utf8)
        case .decodedDigits:
            guard !given.isEmpty, let bytes = Hex.decode(String(decoding: given, as: UTF8.self)) else { return nil }
            return bytes
        case .blocksReversed:
            guard given.count % 8 == 0 else { return nil }
            return stride(from: 0, to: given.count, by: 8).flatMap { given[$0..<$0 + 8].reversed() }
        }
    }
}
