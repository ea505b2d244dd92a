internal import HSMBridge

/// Random bearer values: 32 bytes of the kernel's generator as 64 hexadecimal digits, kept by us as their digest only, so that
/// a stolen table or memory image signs nobody in.
enum RandomToken {
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return Hex.encode(bytes)
    }

    static func digest(_ token: String) -> [UInt8] { SHA256.hash([UInt8](token.utf8)) }
}
