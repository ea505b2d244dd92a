/// One offline purchase as a terminal recorded it (脱机消费记录); fields as in JR/T 0025's e-purse purchase.
public struct ConsumptionRecord: Hashable, Sendable {
    /// The uploader's name for the record, 1 to 40 of A–Z a–z 0–9 `.` `_` `-`.
    public let recordID: String
    /// Terminal number (终端机编号), 12 hexadecimal digits.
    public let terminal: String
    /// PSAM number, 20 hexadecimal digits.
    public let psam: String
    /// Terminal transaction number, never used twice by a terminal.
    public let terminalTransaction: UInt32
    /// Application serial number of the card (应用序列号), 20 digits (10 bytes).
    public let card: String
    /// Offline sequence number of the purse (脱机交易序号), one more with each purchase.
    public let cardSequence: UInt16
    public let amount: Amount
    /// Balance of the purse after the purchase.
    public let balanceAfter: Amount
    /// 06, purchase from the e-purse.
    public let type: UInt8
    public let date: BusinessDate
    public let time: TimeOfDay
    public let keyVersion: UInt8
    /// The card's signature (交易验证码) over amount, type, terminal, terminal transaction number, date and time.
    ///
    /// It does not cover the card sequence and the balance, so these two prove nothing by themselves.
    public let tac: UInt32

    /// Whether two records tell of the same purchase with the same content; the uploader's name for them may differ.
    public func hasSameContent(as other: ConsumptionRecord) -> Bool {
        terminal == other.terminal && psam == other.psam && terminalTransaction == other.terminalTransaction
            && card == other.card && cardSequence == other.cardSequence && amount == other.amount
            && balanceAfter == other.balanceAfter && type == other.type && date == other.date && time == other.time
            && keyVersion == other.keyVersion && tac == other.tac
    }
}
