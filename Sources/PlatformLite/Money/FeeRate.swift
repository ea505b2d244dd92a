/// A merchant's commission (手续费率) in basis points, 1 bp = 0.01 %.
public struct FeeRate: Hashable, Sendable {
    public let basisPoints: Int64

    /// Nil outside 0…10,000 bp (0 % to 100 %).
    public init?(basisPoints: Int64) {
        guard (0...10_000).contains(basisPoints) else { return nil }
        self.basisPoints = basisPoints
    }

    /// The fee of one purchase: amount × rate, rounded half up to the fen **per purchase**.
    ///
    /// Rounding each purchase (and not a day's sum) makes the fee a property of the purchase: it can be posted with it, reversed
    /// with it, and the sums do not depend on how records were batched.
    public func fee(of amount: Amount) -> Amount {
        precondition(amount >= .zero, "a fee is taken of a positive amount")
        return Amount(fen: (amount.fen * basisPoints + 5_000) / 10_000)
    }
}
