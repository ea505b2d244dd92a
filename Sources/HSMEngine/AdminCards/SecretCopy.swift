import HSMBridge

/// Byte-wise work on secret memory that the admin cards and typed input need.
enum SecretCopy {
    /// Writes clear bytes at the beginning.
    static func store(_ bytes: [UInt8], in target: inout SecretBytes) {
        target.withMutableBytes { span in
            for index in bytes.indices { span[index] = bytes[index] }
        }
    }

    static func copy(_ source: borrowing SecretBytes, into target: inout SecretBytes, at offset: Int) {
        source.withBytes { bytes in
            target.withMutableBytes { span in
                for index in 0..<bytes.count { span[offset + index] = bytes[index] }
            }
        }
    }

    /// One byte of a card's status word.
    static func byte(_ source: borrowing SecretBytes, _ offset: Int) -> UInt8 {
        source.withBytes { bytes in bytes[offset] }
    }

    /// What a person typed, moved into secret memory.
    static func secret(_ input: borrowing SecretInput) throws(ModuleRefusal) -> SecretBytes {
        var secret = try primitive { () throws(PrimitiveError) in try SecretBytes(count: input.count) }
        unsafe input.withBytes { source in
            secret.withMutableBytes { span in
                for index in 0..<source.count { span[index] = unsafe source[index] }
            }
        }
        return secret
    }

    /// A PIN: six to eight decimal digits.
    static func pin(_ input: borrowing SecretInput) throws(ModuleRefusal) -> SecretBytes {
        let pin = try secret(input)
        var isDecimal = (6...8).contains(pin.count)
        pin.withBytes { bytes in
            for index in 0..<bytes.count { isDecimal = isDecimal && (0x30...0x39).contains(bytes[index]) }
        }
        guard isDecimal else { throw ModuleRefusal(.pinFormat) }
        return pin
    }
}
