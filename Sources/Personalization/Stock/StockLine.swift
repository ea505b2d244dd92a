/// The count of one delivery of blanks (卡片库存): received = blank + working + finished + scrapped, held by the database.
public struct StockLine: Sendable, Hashable, Codable {
    public let kind: String
    public let batch: String
    public let received: Int
    /// Left: not touched.
    public let blank: Int
    /// In a job that has not ended.
    public let working: Int
    public let finished: Int
    public let scrapped: Int
}

/// Where a card can be.
enum StockPlace: String, Sendable, CaseIterable { case supplier, blank, working, finished, scrapped }
