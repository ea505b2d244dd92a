/// From how many computations on a pass is faster than one after another. Measured with `kmsd bench`'s library and processor; a
/// pass costs the same however many of its lanes are used.
enum BreakEven {
    /// MACs, TACs and exchanges of the e-purse. The last pay a little sooner, from 6, 8 and 10 on: one number for all of them.
    static func calculations(_ version: DESVersion) -> Int {
        switch version {
        case .avx512: 9
        case .avx2: 12
        case .portable: 13
        }
    }
}
