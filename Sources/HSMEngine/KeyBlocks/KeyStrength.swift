import HSMBridge

extension KeyAlgorithm {
    /// Security strength in bits, SP 800-57 part 1 tables 2 and 3 (SM4 counted as AES-128).
    var strengthBits: Int {
        switch self {
        case .des: 56
        case .tripleDES2: 80
        case .tripleDES3: 112
        case .aes128, .sm4: 128
        case .aes192: 192
        case .aes256: 256
        case .rsa(let bits):
            if bits < 2_048 { 80 } else if bits < 3_072 { 112 } else { 128 }
        }
    }
}
