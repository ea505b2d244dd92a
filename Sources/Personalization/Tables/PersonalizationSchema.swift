public import MariaDB

/// The tables of card issuing, in the schema `kms` after those of key management.
public enum PersonalizationSchema {
    public static let steps: [Migration] = [
        Migration(
            "personalization-001 stock", grants: CardStockTable.grants + StockMovementTable.grants,
            statements: CardStockTable.creation + StockMovementTable.creation),
        Migration(
            "personalization-002 jobs",
            grants: CardJobTable.grants + CardJobStepTable.grants + CardJobExchangeTable.grants,
            statements: CardJobTable.creation + CardJobStepTable.creation + CardJobExchangeTable.creation),
    ]
}
