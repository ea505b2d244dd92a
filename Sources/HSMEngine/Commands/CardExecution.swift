import HSMBridge

/// What the commands that protect a card's APDUs share.
private enum CardLine {
    static let macLength = 4
    /// A short APDU's data field.
    static let longestData = 255

    /// The key's own algorithm must be the one that the card's secure messaging uses.
    static func check(_ cipher: CardCipher, _ algorithm: KeyAlgorithm) throws(ModuleRefusal) {
        switch (cipher, algorithm) {
        case (.tripleDES, .tripleDES2), (.sm4, .sm4): return
        default: throw ModuleRefusal(.algorithmNotPermitted)
        }
    }

    static func check(challenge: [UInt8], _ cipher: CardCipher) throws(ModuleRefusal) {
        guard challenge.count == 4 || challenge.count == (cipher == .sm4 ? 16 : 8) else {
            throw ModuleRefusal(.dataLengthInvalid)
        }
    }

    /// CLA's low nibble 4 is secure messaging; a MAC over anything else would be a MAC for somebody's own purposes.
    static func check(header: UInt32) throws(ModuleRefusal) {
        guard header >> 24 & 0x0F == 0x04 else { throw ModuleRefusal(.parameterInvalid) }
    }

    /// `body` with the MAC over CLA INS P1 P2 Lc | body behind it.
    static func sealed(
        _ body: [UInt8], header: UInt32, challenge: [UInt8], under line: OpenKeySchedule
    ) throws(ModuleRefusal) -> [UInt8] {
        let length = body.count + macLength
        guard length <= longestData else { throw ModuleRefusal(.dataLengthInvalid) }
        let message = BigEndian.bytes(header) + [UInt8(length)] + body
        let mac = try primitive { () throws(PrimitiveError) in
            try line.lineMAC(factors: [], challenge: challenge, data: message.span)
        }
        return body + mac.bytes
    }
}

extension OpenKeyEntry {
    /// The key of the card that the factors name.
    fileprivate func cardKey(_ operation: KeyOperation, _ factors: [UInt64]) throws(ModuleRefusal) -> OpenKeySchedule {
        let schedule = try schedule(for: operation, factors: factors.count)
        return factors.isEmpty
            ? schedule : try primitive { () throws(PrimitiveError) in try schedule.opened(by: factors) }
    }
}

extension ProtectKeyLoad: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> ProtectedCommand {
        let controlling = try execution.key(controllingKey.key)
        let loaded = try execution.key(key.key)
        // A maker's key takes the first control key onto the card and nothing else.
        let operation = controlling.attributes.usage == .vendorTransport ? KeyOperation.wash : .controlKeyLoad
        if operation == .wash, loaded.attributes.usage != .cardControl { throw ModuleRefusal(.usageNotPermitted) }
        let line = try controlling.cardKey(operation, controllingKey.factors)
        let value = try loaded.schedule(for: .loadOntoCard, factors: key.factors.count)
        try CardLine.check(cipher, controlling.attributes.algorithm)
        try CardLine.check(challenge: challenge, cipher)
        try CardLine.check(header: commandHeader)
        try AttributeRules.checkWrapping(loaded.attributes.algorithm, under: controlling.attributes.algorithm)
        // Longer, and its bytes could be blocks of the caller's choice under the controlling key.
        guard (1...8).contains(keyHeader.count) else { throw ModuleRefusal(.parameterInvalid) }
        let algorithm = loaded.attributes.algorithm
        let (cryptogram, checkValue) = try primitive { () throws(PrimitiveError) -> ([UInt8], KeyCheckValue) in
            guard !key.factors.isEmpty else {
                return (
                    try line.lineEncipher(factors: [], header: keyHeader, secret: loaded.secret.bytes),
                    loaded.description.checkValue
                )
            }
            let derived = try value.diversified(by: key.factors)
            return (
                try line.lineEncipher(factors: [], header: keyHeader, secret: derived),
                try KeyCheckValue.calculate(derived, algorithm: algorithm)
            )
        }
        let data = try CardLine.sealed(cryptogram, header: commandHeader, challenge: challenge, under: line)
        return ProtectedCommand(data: data, checkValue: checkValue)
    }
}

extension ProtectCommand: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> ProtectedCommand {
        let entry = try execution.key(key.key)
        let line = try entry.cardKey(.protectCommand, key.factors)
        try CardLine.check(cipher, entry.attributes.algorithm)
        try CardLine.check(challenge: challenge, cipher)
        try CardLine.check(header: commandHeader)
        // WRITE KEY in the dialects of the card operating systems: keys go by ProtectKeyLoad, which knows what they are.
        let instruction = UInt8(truncatingIfNeeded: commandHeader >> 16)
        guard instruction != 0xD4, instruction != 0xF4 else { throw ModuleRefusal(.parameterInvalid) }
        guard data.count <= CardLine.longestData - CardLine.macLength else { throw ModuleRefusal(.dataLengthInvalid) }
        let body: [UInt8]
        if encipher {
            body = try primitive { () throws(PrimitiveError) in
                try line.lineEncipher(factors: [], data: data.span)
            }
        } else {
            body = data
        }
        let checkValue =
            key.factors.isEmpty
            ? entry.description.checkValue : try primitive { () throws(PrimitiveError) in try line.checkValue() }
        let sealed = try CardLine.sealed(body, header: commandHeader, challenge: challenge, under: line)
        return ProtectedCommand(data: sealed, checkValue: checkValue)
    }
}

extension CardCryptogram: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> HSMBridge.MACValue {
        let entry = try execution.key(key.key)
        let line = try entry.cardKey(.cardCryptogram, key.factors)
        // A control key also signs key loads and enciphers what they carry. A whole block of the caller's choice under it could be the MAC
        // of a command of one block, or under SM4 any block of a load; four bytes and zeros are none of them.
        let isControl = entry.attributes.usage == .cardControl
        guard challenge.count == 4 || challenge.count == line.blockLength && !isControl else {
            throw ModuleRefusal(.dataLengthInvalid)
        }
        let answer = try primitive { () throws(PrimitiveError) in
            try line.authenticate(factors: [], challenge: challenge)
        }
        return HSMBridge.MACValue(bytes: answer)
    }
}

extension DerivedCheckValue: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> KeyCheckValue {
        let entry = try execution.key(key.key)
        let line = try entry.cardKey(.derivedCheckValue, key.factors)
        return key.factors.isEmpty
            ? entry.description.checkValue : try primitive { () throws(PrimitiveError) in try line.checkValue() }
    }
}
