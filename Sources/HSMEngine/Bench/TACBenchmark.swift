import COpenSSL
import HSMBridge

/// How fast the module's TAC batch is, beside the same work written by hand over libcrypto's low-level DES.
///
/// Public for `kmsd bench`, because libcrypto may be called in this room only. Works on a key of its own that lives as long as
/// the measurement.
public enum TACBenchmark {
    public typealias Rates = BatchRates

    /// Which libcrypto does both.
    public static var library: String { unsafe String(cString: OpenSSL_version(OPENSSL_VERSION)) }
    /// Records of one batch.
    public static let batch = 4_096
    /// One record in sixteen carries a wrong TAC, so that a batch function that always agrees is found out.
    private static let wrongEvery = 16

    /// Measures both sides in turn, `rounds` times, `seconds` of processor time each; ours with one version of the bit-sliced
    /// DES. Nil where this processor has no such version, or no key could be made.
    public static func run(rounds: Int, seconds: Double, version: DESVersion = .best) -> Rates? {
        guard version.isAvailable else { return nil }
        var rates = Rates()
        let layout = TACRecordLayout(levels: 1, dataLength: HandwrittenTAC.dataLength)
        do throws(PrimitiveError) {
            let key = try KeyMaterial.generate(.tripleDES2)
            let schedule = try OpenKeySchedule(key, algorithm: .tripleDES2)
            let reference = HandwrittenTAC(master: key)
            let (records, expected) = records(by: reference, layout)
            var verdicts = [UInt8](repeating: 0, count: expected.count)
            try rates.measure(
                rounds: rounds, seconds: seconds, batch: batch,
                ours: { () throws(PrimitiveError) in
                    let verdicts = try schedule.verifyTACs(records.span, layout: layout, version: version)
                    return disagreements(verdicts, expected)
                },
                reference: { () throws(PrimitiveError) in
                    reference.verify(records.span, stride: layout.stride, into: &verdicts)
                    return disagreements(verdicts, expected)
                })
        } catch { return nil }
        return rates
    }

    /// A batch of load records (24 bytes under the TAC: four blocks with the padding) and the bitmap it deserves.
    private static func records(by reference: borrowing HandwrittenTAC, _ layout: TACRecordLayout) -> ([UInt8], [UInt8])
    {
        var records = [UInt8](repeating: 0, count: batch * layout.stride)
        var expected = [UInt8](repeating: 0, count: (batch + 7) / 8)
        var number: UInt64 = 0x4B4D_5344
        for index in 0..<batch {
            let start = index * layout.stride
            for offset in 0..<layout.stride - 4 {
                // Any bytes do: they only must differ from record to record.
                number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                records[start + offset] = UInt8(truncatingIfNeeded: number >> 56)
            }
            var tac = reference.tac(records.span, at: start)
            if index % wrongEvery == 0 { tac ^= 0x0000_0100 } else { expected[index >> 3] |= 0x80 >> (index & 7) }
            for offset in 0..<4 {
                records[start + layout.stride - 4 + offset] = UInt8(truncatingIfNeeded: tac >> UInt32(8 * offset))
            }
        }
        return (records, expected)
    }

    private static func disagreements(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var count = 0
        for index in 0..<min(a.count, b.count) { count += (a[index] ^ b[index]).nonzeroBitCount }
        return count + 8 * abs(a.count - b.count)
    }
}
