import HSMBridge

// Message authentication codes under an opened key.
extension OpenKeySchedule {
    /// `length`: 4 or 8 leftmost bytes, 16 too for AES and SM4. `iv`: one block, zeros if nil; the value that
    /// `macChaining` answered continues a message.
    func mac(
        _ algorithm: MACAlgorithm, padding: MACPadding, iv: [UInt8]? = nil, over data: Span<UInt8>, length: Int
    ) throws(PrimitiveError) -> MACValue {
        guard length == 4 || length == 8 || length == blockLength else { throw .parameterInvalid }
        if algorithm == .cmac {
            guard padding == .none else { throw .parameterInvalid }
        } else if padding == .none {
            guard !data.isEmpty, data.count % blockLength == 0 else { throw .dataLengthInvalid }
        }
        switch self {
        case .narrow(let schedule):
            let start = try Self.narrow(iv)
            return MACValue(Self.narrowMAC(schedule, algorithm, padding, start, data), count: length)
        case .wide(let schedule):
            let start = try Self.wide(iv)
            let block = try schedule.withEncryptor { cipher throws(PrimitiveError) in
                try Self.wideMAC(schedule, cipher, algorithm, padding, start, data)
            }
            return MACValue(block, count: length)
        }
    }

    func mac(
        _ algorithm: MACAlgorithm, padding: MACPadding, iv: [UInt8]? = nil, over data: [UInt8], length: Int
    ) throws(PrimitiveError) -> MACValue {
        try mac(algorithm, padding: padding, iv: iv, over: data.span, length: length)
    }

    /// The first or a middle part of a long message: whole blocks, and the chaining value that continues it.
    func macChaining(
        _ algorithm: MACAlgorithm, iv: [UInt8]? = nil, over data: Span<UInt8>
    ) throws(PrimitiveError) -> [UInt8] {
        guard !data.isEmpty, data.count % blockLength == 0 else { throw .dataLengthInvalid }
        switch self {
        case .narrow(let schedule):
            let chain: NarrowMAC.Chain = algorithm == .iso1 || algorithm == .iso3 ? .single : .whole
            let state = NarrowMAC.chain(schedule.keys, chain, iv: try Self.narrow(iv), padding: .none, data)
            return MACValue(state, count: 8).bytes
        case .wide(let schedule):
            guard algorithm == .iso1 || algorithm == .cmac else { throw .algorithmNotPermitted }
            let start = try Self.wide(iv)
            let state = try schedule.withEncryptor { cipher throws(PrimitiveError) in
                try WideMAC.chain(cipher, iv: start, padding: .none, data)
            }
            return MACValue(state, count: 16).bytes
        }
    }

    private static func narrowMAC(
        _ schedule: DESSchedule, _ algorithm: MACAlgorithm, _ padding: MACPadding, _ iv: Block8, _ data: Span<UInt8>
    ) -> Block8 {
        switch algorithm {
        case .iso1: return NarrowMAC.chain(schedule.keys, .single, iv: iv, padding: padding, data)
        case .iso1TripleDES: return NarrowMAC.chain(schedule.keys, .whole, iv: iv, padding: padding, data)
        case .iso3: return NarrowMAC.retail(schedule.keys, iv: iv, padding: padding, data)
        case .cmac: return NarrowMAC.cmac(schedule, iv: iv, data)
        }
    }

    private static func wideMAC(
        _ schedule: WideSchedule, _ cipher: BlockEncryptor, _ algorithm: MACAlgorithm, _ padding: MACPadding,
        _ iv: Block16, _ data: Span<UInt8>
    ) throws(PrimitiveError) -> Block16 {
        switch algorithm {
        case .iso1: return try WideMAC.chain(cipher, iv: iv, padding: padding, data)
        case .cmac: return try WideMAC.cmac(schedule, cipher, iv: iv, data)
        case .iso1TripleDES, .iso3: throw .algorithmNotPermitted
        }
    }

    static func narrow(_ iv: [UInt8]?) throws(PrimitiveError) -> Block8 {
        guard let iv else { return 0 }
        guard iv.count == 8 else { throw .parameterInvalid }
        return Block8(leading: iv.span)
    }

    static func wide(_ iv: [UInt8]?) throws(PrimitiveError) -> Block16 {
        guard let iv else { return .zero }
        guard iv.count == 16 else { throw .parameterInvalid }
        return Block16(leading: iv.span)
    }
}
