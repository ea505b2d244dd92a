import Glibc
import HSMBridge
import Testing

extension SecretInput {
    /// What a person types, from a line of text: through a pipe, as from a keyboard.
    static func typed(_ text: String, hexadecimal: Bool = false) throws -> SecretInput {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer { close(ends[0]) }
        let line = Array((text + "\n").utf8)
        _ = unsafe write(ends[1], line, line.count)
        close(ends[1])
        return try SecretInput(lineFrom: ends[0], hexadecimal: hexadecimal)
    }
}
