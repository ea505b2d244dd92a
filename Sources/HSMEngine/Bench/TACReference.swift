import HSMBridge

/// How fast TACs are checked by hand over libcrypto's low-level DES, for records of any length: the yardstick of figures that
/// are measured outside of this process.
public enum TACReference {
    /// Records of one pass.
    private static let batch = 4_096

    /// TACs per second of processor time on one thread, measured for about `seconds`; nil where no key could be made or a
    /// verdict was wrong. `dataLength`: bytes under each TAC, 22 for a purchase.
    public static func rate(dataLength: Int, seconds: Double) -> Double? {
        let stride = 8 + dataLength + 4
        do throws(PrimitiveError) {
            let reference = HandwrittenTAC(master: try KeyMaterial.generate(.tripleDES2), dataLength: dataLength)
            var records = [UInt8](repeating: 0, count: batch * stride)
            var number: UInt64 = 0x4B4D_5344
            for index in 0..<batch {
                for offset in 0..<stride - 4 {
                    // Any bytes do: they only must differ from record to record.
                    number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    records[index * stride + offset] = UInt8(truncatingIfNeeded: number >> 56)
                }
                let tac = reference.tac(records.span, at: index * stride)
                for offset in 0..<4 {
                    records[(index + 1) * stride - 4 + offset] = UInt8(truncatingIfNeeded: tac >> UInt32(8 * offset))
                }
            }
            var verdicts = [UInt8](repeating: 0, count: batch / 8)
            let began = CPUTime.seconds
            var (passes, spent) = (0, 0.0)
            repeat {
                reference.verify(records.span, stride: stride, into: &verdicts)
                guard verdicts.allSatisfy({ $0 == 0xFF }) else { return nil }
                passes += 1
                spent = CPUTime.seconds - began
            } while spent < seconds
            return Double(passes * batch) / spent
        } catch { return nil }
    }
}
