import Foundation

/// SoftHSM2 through PKCS#11 in the process of scripts/softhsm-chain.c: derive the card's key, MAC the record, destroy the key.
enum SoftHSMReference {
    static func rate(_ context: BenchContext) throws -> Double {
        let text = try OutsideProgram.run([context.references.softHSMProgram, "\(context.seconds)"])
        guard let rate = OutsideProgram.number(after: "chains/s", in: text) else {
            throw BenchTrouble("softhsm-chain says: \(text.prefix(200))")
        }
        return rate
    }
}
