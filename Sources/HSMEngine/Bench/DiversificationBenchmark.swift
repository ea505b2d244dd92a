import COpenSSL
import HSMBridge

/// How fast the module derives the keys of a batch of cards from one master (PBOC, one level), beside the same work written by
/// hand over libcrypto's low-level DES: the master's two schedules kept ready, two triple encipherments a card.
public enum DiversificationBenchmark {
    /// Cards of one batch.
    public static let batch = 4_096

    /// As `TACBenchmark.run`; `wrongVerdicts` counts derived halves that differ.
    public static func run(rounds: Int, seconds: Double, version: DESVersion = .best) -> BatchRates? {
        guard version.isAvailable else { return nil }
        var rates = BatchRates()
        let factors = (0..<UInt64(batch)).map { $0 &* 0x9E37_79B9_7F4A_7C15 }
        do throws(PrimitiveError) {
            let master = try KeyMaterial.generate(.tripleDES2)
            let schedule = try OpenKeySchedule(master, algorithm: .tripleDES2)
            let reference = HandwrittenDiversification(master: master)
            // Keys made for the measurement only: they may lie in an array.
            var expected = [Block8](repeating: 0, count: 2 * batch)
            reference.derive(factors, into: &expected)
            var theirs = expected
            try rates.measure(
                rounds: rounds, seconds: seconds, batch: batch,
                ours: { () throws(PrimitiveError) in
                    var wrong = 0
                    try schedule.diversify(factors.span, levels: 1, version: version) { cards, keys in
                        // Every key is looked at, as the reference's are.
                        keys.withBytes { bytes in
                            unsafe bytes.withUnsafeBytes { memory in
                                for half in 0..<2 * cards.count {
                                    let word = unsafe memory.loadUnaligned(fromByteOffset: 8 * half, as: Block8.self)
                                    if word != expected[2 * cards.lowerBound + half] { wrong += 1 }
                                }
                            }
                        }
                    }
                    return wrong
                },
                reference: { () throws(PrimitiveError) in
                    reference.derive(factors, into: &theirs)
                    var wrong = 0
                    for half in theirs.indices where theirs[half] != expected[half] { wrong += 1 }
                    return wrong
                })
        } catch { return nil }
        return rates
    }
}

/// The yardstick: nothing allocated, nothing wiped, no checks of arguments.
@safe private struct HandwrittenDiversification: ~Copyable {
    private let schedules: UnsafeMutablePointer<DES_key_schedule>

    init(master: borrowing SecretBytes) {
        let schedules = UnsafeMutablePointer<DES_key_schedule>.allocate(capacity: 2)
        master.withBytes { key in
            for half in 0..<2 {
                var bytes = Block8(leading: key, from: 8 * half)
                unsafe DESKeys.expand(&bytes, to: schedules + half)
                unsafe OPENSSL_cleanse(&bytes, 8)
            }
        }
        unsafe self.schedules = schedules
    }

    deinit {
        unsafe OPENSSL_cleanse(schedules, 2 * MemoryLayout<DES_key_schedule>.stride)
        unsafe schedules.deallocate()
    }

    /// Left and right half for each factor.
    func derive(_ factors: [UInt64], into keys: inout [Block8]) {
        unsafe keys.withUnsafeMutableBufferPointer { output in
            let words = unsafe UnsafeMutableRawPointer(output.baseAddress.unsafelyUnwrapped).assumingMemoryBound(
                to: DES_LONG.self)
            for index in factors.indices {
                unsafe output[2 * index] = factors[index].bigEndian
                unsafe output[2 * index + 1] = ~factors[index].bigEndian
                unsafe DES_encrypt3(words + 4 * index, schedules, schedules + 1, schedules)
                unsafe DES_encrypt3(words + 4 * index + 2, schedules, schedules + 1, schedules)
            }
        }
    }
}
