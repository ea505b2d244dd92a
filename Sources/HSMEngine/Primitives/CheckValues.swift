import COpenSSL
import HSMBridge

// Key check values as `KeyCheckValue` documents them.
extension OpenKeySchedule {
    /// DES, TDES, SM4: left of the encipherment of a zero block; AES: left of the CMAC of a zero block.
    func checkValue() throws(PrimitiveError) -> KeyCheckValue {
        let value: MACValue
        switch self {
        case .narrow(let schedule):
            var block: Block8 = 0
            schedule.keys.encrypt(&block)
            value = MACValue(block, count: 3)
        case .wide(let schedule):
            let block = try schedule.withEncryptor { cipher throws(PrimitiveError) in
                var block = Block16.zero
                if schedule.algorithm == .sm4 {
                    try cipher.encrypt(&block)
                } else {
                    block = try WideMAC.cmac(schedule, cipher, iv: .zero, [UInt8](repeating: 0, count: 16).span)
                }
                return block
            }
            value = MACValue(block, count: 3)
        }
        return KeyCheckValue(value[0], value[1], value[2])
    }
}

extension KeyCheckValue {
    static func calculate(
        _ key: borrowing SecretBytes, algorithm: KeyAlgorithm
    ) throws(PrimitiveError) -> KeyCheckValue {
        try OpenKeySchedule(key, algorithm: algorithm).checkValue()
    }
}
