import MariaDB

/// The proof that the books are right: sums recomputed from the journal, compared with everything that repeats them.
public struct LedgerCheck: Sendable, Hashable {
    public let postings: Int64
    public let entries: Int64
    public let debits: Amount
    public let credits: Amount
    /// Balances of the control accounts, debit positive.
    public let balances: [String: Amount]
    /// What does not agree, in words with the account or posting; empty when all is right.
    public let findings: [String]

    public var isRight: Bool { findings.isEmpty }
}

enum LedgerChecker {
    private static let findingLimit = 100

    /// Runs in one read-only transaction, so all queries see the same instant.
    static func check(_ connection: inout Connection) throws(DatabaseError) -> LedgerCheck {
        let sums = try connection.requireOne(
            """
            SELECT (SELECT COUNT(*) FROM posting) AS postings, (SELECT COUNT(*) FROM entry) AS entries,
                (SELECT next_posting - 1 FROM ledger_gate) AS numbered, (SELECT COALESCE(MAX(posting_no), 0) FROM posting) AS last,
                (SELECT COALESCE(SUM(amount_fen), 0) FROM entry JOIN account ON name = debit_account) AS debits,
                (SELECT COALESCE(SUM(amount_fen), 0) FROM entry JOIN account ON name = credit_account) AS credits,
                (SELECT COALESCE(SUM(balance_fen), 0) FROM account) AS total
            """)
        var findings: [String] = []
        let debits = Amount(fen: try sums.int64("debits"))
        let credits = Amount(fen: try sums.int64("credits"))
        let postings = try sums.int64("postings")
        if debits != credits { findings.append("debits \(debits) and credits \(credits) differ") }
        if try sums.int64("total") != 0 { findings.append("the balances of all accounts do not add up to zero") }
        let numbered = try sums.int64("numbered")
        let last = try sums.int64("last")
        if numbered != postings || last != postings {
            findings.append("posting numbers have holes: a posting is missing")
        }
        for query in [wrongBalances, emptyPostings, wrongPurchases, wrongStatements, wrongReversals, repeatedLines] {
            for row in try connection.query(query) { findings.append(try row.text("finding")) }
        }
        return LedgerCheck(
            postings: postings, entries: try sums.int64("entries"), debits: debits, credits: credits,
            balances: try controls(&connection), findings: Array(findings.prefix(findingLimit))
        )
    }

    private static func controls(_ connection: inout Connection) throws(DatabaseError) -> [String: Amount] {
        var balances: [String: Amount] = [:]
        for row in try connection.query("SELECT kind, SUM(balance_fen) AS balance FROM account GROUP BY kind") {
            balances[try row.text("kind")] = Amount(fen: try row.int64("balance"))
        }
        return balances
    }

    /// Balances = Σ entries, for every account.
    private static let wrongBalances: SQL = """
        SELECT CONCAT('balance of account ', a.name, ' is not the sum of its entries') AS finding
        FROM account a LEFT JOIN (
            SELECT name, SUM(amount) AS total FROM (
                SELECT debit_account AS name, SUM(amount_fen) AS amount FROM entry GROUP BY debit_account
                UNION ALL SELECT credit_account, -SUM(amount_fen) FROM entry GROUP BY credit_account
            ) sides GROUP BY name
        ) e ON e.name = a.name
        WHERE a.balance_fen <> COALESCE(e.total, 0) LIMIT 100
        """

    private static let emptyPostings: SQL = """
        SELECT CONCAT('posting ', p.posting_no, ' has no entries') AS finding
        FROM posting p LEFT JOIN entry e ON e.posting_no = p.posting_no WHERE e.posting_no IS NULL LIMIT 100
        """

    /// Every purchase is in the journal once, for its amount, with the holder's float as the debit.
    private static let wrongPurchases: SQL = """
        SELECT CONCAT('purchase ', u.terminal_no, '/', u.terminal_txn, ' and posting ', u.posting_no, ' differ') AS finding
        FROM purchase u
        LEFT JOIN posting p ON p.posting_no = u.posting_no AND p.kind IN ('purchase', 'suspended')
            AND p.merchant_no = u.merchant_no AND p.terminal_no = u.terminal_no AND p.business_date = u.business_date
        LEFT JOIN entry e ON e.posting_no = p.posting_no AND e.entry_no = 1 AND e.amount_fen = u.amount_fen
            AND e.debit_account = CONCAT('purse:', u.card_asn)
        WHERE e.posting_no IS NULL
        UNION ALL
        SELECT CONCAT('posting ', p.posting_no, ' has no purchase') FROM posting p
        LEFT JOIN purchase u ON u.posting_no = p.posting_no
        WHERE p.kind IN ('purchase', 'suspended') AND u.posting_no IS NULL
        LIMIT 100
        """

    /// Statement = ledger: what the purchases in good standing add up to is what the merchant's account shows, line by line of
    /// the statement (day, terminal, meal), fee included; and the same for suspense.
    private static let wrongStatements: SQL = """
        SELECT CONCAT('statement of merchant ', merchant_no, ' on ', business_date, ' does not agree with the ledger')
            AS finding
        FROM (
            SELECT merchant_no, business_date, terminal_no, meal, SUM(gross) AS gross, SUM(fee) AS fee FROM (
                SELECT merchant_no, business_date, terminal_no, meal, amount_fen AS gross, fee_fen AS fee
                FROM purchase WHERE standing = 'clear'
                UNION ALL
                SELECT p.merchant_no, p.business_date, p.terminal_no, p.meal,
                    IF(e.purpose = 'sale', IF(e.credit_account LIKE 'merchant:%', -e.amount_fen, e.amount_fen), 0),
                    IF(e.purpose = 'fee', IF(e.debit_account LIKE 'merchant:%', -e.amount_fen, e.amount_fen), 0)
                FROM posting p JOIN entry e ON e.posting_no = p.posting_no AND e.purpose IN ('sale', 'fee')
            ) both_sides GROUP BY merchant_no, business_date, terminal_no, meal
        ) statement_lines WHERE gross <> 0 OR fee <> 0
        UNION ALL
        SELECT 'the suspense account does not agree with the purchases held' FROM DUAL
        WHERE (SELECT COALESCE(SUM(amount_fen), 0) FROM purchase WHERE standing = 'suspense')
            <> -(SELECT COALESCE(SUM(balance_fen), 0) FROM account WHERE kind = 'suspense')
        LIMIT 100
        """

    /// A reversal takes back exactly what the original did.
    private static let wrongReversals: SQL = """
        SELECT CONCAT('reversal ', r.posting_no, ' is not the mirror of posting ', r.reverses) AS finding
        FROM posting r
        WHERE r.kind = 'reversal' AND (
            (SELECT COUNT(*) FROM entry a JOIN entry b ON b.posting_no = r.reverses AND b.entry_no = a.entry_no
                AND b.debit_account = a.credit_account AND b.credit_account = a.debit_account
                AND b.amount_fen = a.amount_fen AND b.purpose = a.purpose
             WHERE a.posting_no = r.posting_no)
            <> (SELECT COUNT(*) FROM entry o WHERE o.posting_no = r.reverses)
            OR (SELECT COUNT(*) FROM entry a WHERE a.posting_no = r.posting_no)
            <> (SELECT COUNT(*) FROM entry o WHERE o.posting_no = r.reverses))
        LIMIT 100
        """

    /// Every line that says "posted" or "suspended" has its purchase.
    private static let repeatedLines: SQL = """
        SELECT CONCAT('batch ', l.batch_id, ' line ', l.line_no, ' says ', l.outcome, ' and has no such purchase') AS finding
        FROM batch_line l LEFT JOIN purchase u ON u.batch_id = l.batch_id AND u.line_no = l.line_no
        WHERE l.outcome IN ('posted', 'suspended') AND u.posting_no IS NULL LIMIT 100
        """
}
