/// Tries a MAC that does not match against other readings of the same request, and says which would have matched.
///
/// It is an oracle: it answers a few thousand questions about one MAC at once. So it never makes a MAC, tells nothing but which
/// reading matched, goes no further than `MACReadings` do, and the callers of the module let few people ask (docs/http.md).
public struct ExplainMAC: ModuleCommand {
    public typealias Reply = MACExplanation
    public static let code = CommandCode.explainMAC
    public static let maximumKeys = 8
    public static let maximumData = 4_096

    /// The key that was asked for, then other versions of it; one to eight.
    public var keys: [KeyReference]
    /// As the one who asks diversified, at most four.
    public var factors: [UInt64]
    public var algorithm: MACAlgorithm
    public var padding: MACPadding
    /// Empty for zeros, else one cipher block.
    public var initialVector: [UInt8]
    /// At most `maximumData` bytes.
    public var data: [UInt8]
    /// 4 to 16 bytes.
    public var mac: [UInt8]

    public init(
        keys: [KeyReference], factors: [UInt64], algorithm: MACAlgorithm, padding: MACPadding, initialVector: [UInt8],
        data: [UInt8], mac: [UInt8]
    ) {
        self.keys = keys
        self.factors = factors
        self.algorithm = algorithm
        self.padding = padding
        self.initialVector = initialVector
        self.data = data
        self.mac = mac
    }

    public func write(to writer: inout WireWriter) {
        writer.u8(UInt8(keys.count))
        for key in keys { key.write(to: &writer) }
        writer.u8(UInt8(factors.count))
        for factor in factors { writer.u64(factor) }
        writer.u8(algorithm.rawValue)
        writer.u8(padding.rawValue)
        writer.bytes(initialVector)
        writer.bytes(data)
        writer.bytes(mac)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let keyCount = Int(try reader.u8())
        guard (1...Self.maximumKeys).contains(keyCount) else { throw .valueInvalid }
        keys = []
        for _ in 0..<keyCount { keys.append(try KeyReference(from: &reader)) }
        let count = Int(try reader.u8())
        guard count <= DerivedKey.maximumLevels else { throw .valueInvalid }
        factors = []
        for _ in 0..<count { factors.append(try reader.u64()) }
        guard let algorithm = MACAlgorithm(rawValue: try reader.u8()),
            let padding = MACPadding(rawValue: try reader.u8())
        else { throw .valueInvalid }
        self.algorithm = algorithm
        self.padding = padding
        initialVector = try reader.bytes()
        data = try reader.bytes()
        mac = try reader.bytes()
    }
}

/// One way to read a request for a MAC. The first case of each part is what was asked for or what is usual.
public struct MACReading: WireValue, Hashable {
    /// How the factors lead to the key.
    public enum Diversification: UInt8, Sendable, Hashable, CaseIterable {
        case asGiven
        case withoutLast
        case firstOnly
        case lastOnly
        /// The master itself.
        case none
        /// Each factor inverted.
        case complemented
        /// The bytes of each factor from right to left.
        case bytesReversed
        /// Card first, region last.
        case orderReversed
    }

    /// What of the key is used.
    public enum KeyForm: UInt8, Sendable, Hashable, CaseIterable {
        case whole
        /// Left half xor right half, as for a TAC.
        case halvesXored
        case halvesSwapped
    }

    public enum Algorithm: UInt8, Sendable, Hashable, CaseIterable {
        /// Algorithm 1, every block under the whole key.
        case algorithm1
        case algorithm3
        case cmac
        case unionPayECB
        /// Algorithm 1 with the left half alone, as single DES.
        case algorithm1LeftHalf
    }

    public enum Vector: UInt8, Sendable, Hashable, CaseIterable {
        case asGiven
        case zeros
        case ones
    }

    public enum Data: UInt8, Sendable, Hashable, CaseIterable {
        case asGiven
        /// Its bytes from right to left.
        case bytesReversed
        /// Not the bytes but their digits as text, in capitals.
        case hexadecimalCapitals
        case hexadecimalSmall
        /// The bytes are digits, and the MAC was made over what they stand for.
        case decodedDigits
        /// Each block of eight bytes from right to left.
        case blocksReversed
    }

    public enum MAC: UInt8, Sendable, Hashable, CaseIterable {
        /// The left bytes of the last block.
        case left
        case right
        /// The left bytes from right to left.
        case leftReversed
    }

    /// Which of the keys of the request.
    public var key: UInt8
    public var diversification: Diversification
    public var form: KeyForm
    public var algorithm: Algorithm
    public var padding: MACPadding
    public var vector: Vector
    public var data: Data
    public var mac: MAC

    public init(
        key: UInt8, diversification: Diversification, form: KeyForm, algorithm: Algorithm, padding: MACPadding,
        vector: Vector, data: Data, mac: MAC
    ) {
        self.key = key
        self.diversification = diversification
        self.form = form
        self.algorithm = algorithm
        self.padding = padding
        self.vector = vector
        self.data = data
        self.mac = mac
    }

    public func write(to writer: inout WireWriter) {
        for part in [
            key, diversification.rawValue, form.rawValue, algorithm.rawValue, padding.rawValue, vector.rawValue,
            data.rawValue, mac.rawValue,
        ] { writer.u8(part) }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let key = try reader.u8()
        guard let diversification = Diversification(rawValue: try reader.u8()),
            let form = KeyForm(rawValue: try reader.u8()), let algorithm = Algorithm(rawValue: try reader.u8()),
            let padding = MACPadding(rawValue: try reader.u8()), let vector = Vector(rawValue: try reader.u8()),
            let data = Data(rawValue: try reader.u8()), let mac = MAC(rawValue: try reader.u8())
        else { throw .valueInvalid }
        self.init(
            key: key, diversification: diversification, form: form, algorithm: algorithm, padding: padding,
            vector: vector, data: data, mac: mac)
    }
}

extension MACAlgorithm {
    /// The reading that is this algorithm.
    public var reading: MACReading.Algorithm {
        switch self {
        case .algorithm1: .algorithm1
        case .algorithm3: .algorithm3
        case .cmac: .cmac
        case .unionPayECB: .unionPayECB
        }
    }
}

/// Which readings matched, the nearest to what was asked first, and how many MACs were calculated.
public struct MACExplanation: WireValue, Hashable {
    public static let maximumMatches = 8

    public var matches: [MACReading]
    public var tried: UInt32

    public init(matches: [MACReading], tried: UInt32) {
        self.matches = matches
        self.tried = tried
    }

    public func write(to writer: inout WireWriter) {
        writer.u8(UInt8(matches.count))
        for match in matches { match.write(to: &writer) }
        writer.u32(tried)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let count = Int(try reader.u8())
        guard count <= Self.maximumMatches else { throw .valueInvalid }
        matches = []
        for _ in 0..<count { matches.append(try MACReading(from: &reader)) }
        tried = try reader.u32()
    }
}
