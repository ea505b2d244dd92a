import HSMBridge

extension HSMBridge.MACAlgorithm {
    var generating: KeyOperation {
        switch self {
        case .algorithm1: .generateMAC1
        case .algorithm3: .generateMAC3
        case .cmac: .generateCMAC
        case .unionPayECB: .generateUnionPayMAC
        }
    }

    var verifying: KeyOperation {
        switch self {
        case .algorithm1: .verifyMAC1
        case .algorithm3: .verifyMAC3
        case .cmac: .verifyCMAC
        case .unionPayECB: .verifyUnionPayMAC
        }
    }

    /// The primitive. Algorithm 1 under a TDES key enciphers every block with the whole key.
    func primitive(under key: KeyAlgorithm) -> MACAlgorithm {
        switch (self, key) {
        case (.algorithm3, _): .iso3
        case (.cmac, _): .cmac
        case (_, .tripleDES2), (_, .tripleDES3): .iso1TripleDES
        default: .iso1
        }
    }
}

extension HSMBridge.MACPadding {
    var primitive: MACPadding {
        switch self {
        case .none: .none
        case .method1: .method1
        case .method2: .method2
        case .method3: .method3
        }
    }
}

/// The limits that every MAC keeps.
enum MACLimits {
    /// Fewer bytes could be guessed.
    static let shortest = 4
    /// UnionPay's field 64 is eight characters.
    static let unionPayLength = 8

    /// Padding method 3 begins with the length of the whole message, so it has no parts.
    static func check(_ padding: HSMBridge.MACPadding, isWhole: Bool) throws(ModuleRefusal) {
        guard isWhole || padding != .method3 else { throw ModuleRefusal(.parameterInvalid) }
    }
}

extension GenerateMAC: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> HSMBridge.MACValue {
        let schedule = try execution.key(key).schedule(for: algorithm.generating)
        guard initialVector.isEmpty || initialVector.count == schedule.blockLength else {
            throw ModuleRefusal(.dataLengthInvalid)
        }
        let vector = initialVector.isEmpty ? nil : initialVector
        if algorithm == .unionPayECB {
            guard isLast, vector == nil, Int(length) == MACLimits.unionPayLength else {
                throw ModuleRefusal(.parameterInvalid)
            }
            let mac = try primitive { () throws(PrimitiveError) in try schedule.unionPayMAC(over: data.span) }
            return HSMBridge.MACValue(bytes: mac.bytes)
        }
        let kind = algorithm.primitive(under: schedule.algorithm)
        try MACLimits.check(padding, isWhole: isLast && vector == nil)
        guard isLast else {
            let chaining = try primitive { () throws(PrimitiveError) in
                try schedule.macChaining(kind, iv: vector, over: data.span)
            }
            return HSMBridge.MACValue(bytes: chaining)
        }
        guard (MACLimits.shortest...schedule.blockLength).contains(Int(length)) else {
            throw ModuleRefusal(.parameterInvalid)
        }
        guard kind != .cmac || vector == nil || !data.isEmpty else { throw ModuleRefusal(.dataLengthInvalid) }
        let mac = try primitive { () throws(PrimitiveError) in
            try schedule.mac(kind, padding: padding.primitive, iv: vector, over: data.span, length: Int(length))
        }
        return HSMBridge.MACValue(bytes: mac.bytes)
    }
}

extension VerifyMAC: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Verdict {
        let schedule = try execution.key(key).schedule(for: algorithm.verifying)
        guard initialVector.isEmpty || initialVector.count == schedule.blockLength else {
            throw ModuleRefusal(.dataLengthInvalid)
        }
        let vector = initialVector.isEmpty ? nil : initialVector
        if algorithm == .unionPayECB {
            guard vector == nil, mac.count == MACLimits.unionPayLength else { throw ModuleRefusal(.parameterInvalid) }
            let expected = try primitive { () throws(PrimitiveError) in
                try schedule.unionPayMAC(over: data.span)
            }
            return expected.matches(mac) ? .match : .mismatch
        }
        guard (MACLimits.shortest...schedule.blockLength).contains(mac.count) else {
            throw ModuleRefusal(.parameterInvalid)
        }
        let kind = algorithm.primitive(under: schedule.algorithm)
        try MACLimits.check(padding, isWhole: vector == nil)
        guard kind != .cmac || vector == nil || !data.isEmpty else { throw ModuleRefusal(.dataLengthInvalid) }
        let expected = try primitive { () throws(PrimitiveError) in
            try schedule.mac(kind, padding: padding.primitive, iv: vector, over: data.span, length: mac.count)
        }
        return expected.matches(mac) ? .match : .mismatch
    }
}
