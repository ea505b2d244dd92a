public import MariaDB

/// The tables of the schema `platform`.
///
/// `Migrations(PlatformMigrations.all, runtime: ServerAccount.platform.account, …).apply(to:)` makes them and gives the running
/// program its rights: the journal (`posting`, `entry`) is INSERT and SELECT only, so a program that is taken over cannot
/// rewrite history.
public enum PlatformMigrations {
    public static let all = [
        Migration(
            "0001-parties",
            grants: [
                Grant("merchant", [.select, .insert, .update]),
                Grant("terminal", [.select, .insert, .update]),
            ],
            statements: [merchant, terminal]
        ),
        Migration(
            "0002-ledger",
            grants: [
                Grant("ledger_gate", [.select, .update]),
                Grant("account", [.select, .insert, .update]),
                Grant.appendOnly("posting"),
                Grant.appendOnly("entry"),
            ],
            statements: [gate, "INSERT INTO ledger_gate (gate, next_posting) VALUES (1, 1)", account, posting, entry]
        ),
        Migration(
            "0003-batches",
            grants: [
                Grant("batch", [.select, .insert, .update]),
                Grant("batch_line", [.select, .insert, .update]),
                Grant("card_sequence", [.select, .insert, .update]),
                Grant("purchase", [.select, .insert, .update]),
            ],
            statements: [batch, batchLine, cardSequence, purchase]
        ),
    ]

    private static let merchant: SQL = """
        CREATE TABLE merchant (
            merchant_no VARCHAR(20) NOT NULL PRIMARY KEY,
            name VARCHAR(120) NOT NULL,
            rate_bp INT NOT NULL,
            created_at BIGINT NOT NULL,
            created_by VARCHAR(40) NOT NULL,
            CONSTRAINT merchant_rate CHECK (rate_bp BETWEEN 0 AND 10000)
        ) ENGINE=InnoDB
        """

    private static let terminal: SQL = """
        CREATE TABLE terminal (
            terminal_no CHAR(12) NOT NULL PRIMARY KEY,
            merchant_no VARCHAR(20) NOT NULL,
            psam_no CHAR(20) NULL,
            created_at BIGINT NOT NULL,
            created_by VARCHAR(40) NOT NULL,
            CONSTRAINT terminal_merchant FOREIGN KEY (merchant_no) REFERENCES merchant (merchant_no)
        ) ENGINE=InnoDB
        """

    /// One row. Who changes the ledger updates it first, so that writers come one after the other and posting numbers have no
    /// holes (a hole is a deleted posting).
    private static let gate: SQL = """
        CREATE TABLE ledger_gate (
            gate INT NOT NULL PRIMARY KEY,
            next_posting BIGINT NOT NULL,
            passes BIGINT NOT NULL DEFAULT 0,
            CONSTRAINT gate_single CHECK (gate = 1)
        ) ENGINE=InnoDB
        """

    private static let account: SQL = """
        CREATE TABLE account (
            name VARCHAR(40) NOT NULL PRIMARY KEY,
            kind VARCHAR(12) NOT NULL,
            balance_fen BIGINT NOT NULL,
            CONSTRAINT account_kind CHECK (kind IN ('purse', 'merchant', 'suspense', 'fee-income', 'bank'))
        ) ENGINE=InnoDB
        """

    private static let posting: SQL = """
        CREATE TABLE posting (
            posting_no BIGINT NOT NULL PRIMARY KEY,
            idempotency_key VARCHAR(120) NOT NULL,
            kind VARCHAR(12) NOT NULL,
            business_date INT NOT NULL,
            booked_at BIGINT NOT NULL,
            booked_by VARCHAR(40) NOT NULL,
            merchant_no VARCHAR(20) NULL,
            terminal_no CHAR(12) NULL,
            meal VARCHAR(10) NULL,
            memo VARCHAR(200) NOT NULL,
            reverses BIGINT NULL,
            CONSTRAINT posting_key UNIQUE (idempotency_key),
            CONSTRAINT posting_reversed_once UNIQUE (reverses),
            CONSTRAINT posting_original FOREIGN KEY (reverses) REFERENCES posting (posting_no),
            CONSTRAINT posting_kind CHECK
                (kind IN ('purchase', 'suspended', 'release', 'hold', 'load', 'reversal')),
            CONSTRAINT posting_reversal CHECK ((kind = 'reversal') = (reverses IS NOT NULL)),
            KEY posting_of_merchant (merchant_no, business_date)
        ) ENGINE=InnoDB
        """

    /// A row is a debit and the equal credit: an unbalanced posting cannot be stored by anybody.
    private static let entry: SQL = """
        CREATE TABLE entry (
            posting_no BIGINT NOT NULL,
            entry_no INT NOT NULL,
            purpose VARCHAR(8) NOT NULL,
            debit_account VARCHAR(40) NOT NULL,
            credit_account VARCHAR(40) NOT NULL,
            amount_fen BIGINT NOT NULL,
            PRIMARY KEY (posting_no, entry_no),
            CONSTRAINT entry_posting FOREIGN KEY (posting_no) REFERENCES posting (posting_no),
            CONSTRAINT entry_debit FOREIGN KEY (debit_account) REFERENCES account (name),
            CONSTRAINT entry_credit FOREIGN KEY (credit_account) REFERENCES account (name),
            CONSTRAINT entry_purpose CHECK (purpose IN ('sale', 'fee', 'hold', 'load')),
            CONSTRAINT entry_amount CHECK (amount_fen > 0),
            CONSTRAINT entry_sides CHECK (debit_account <> credit_account)
        ) ENGINE=InnoDB
        """

    private static let batch: SQL = """
        CREATE TABLE batch (
            batch_id VARCHAR(64) NOT NULL PRIMARY KEY,
            content_sha256 CHAR(64) NOT NULL,
            source VARCHAR(8) NOT NULL,
            state VARCHAR(12) NOT NULL,
            problem VARCHAR(120) NULL,
            line_count INT NOT NULL,
            received_at BIGINT NOT NULL,
            received_by VARCHAR(40) NOT NULL,
            completed_at BIGINT NULL,
            CONSTRAINT batch_content UNIQUE (content_sha256),
            CONSTRAINT batch_source CHECK (source IN ('upload', 'online')),
            CONSTRAINT batch_state CHECK (state IN ('waiting', 'verified', 'complete')),
            KEY batch_by_state (state, received_at)
        ) ENGINE=InnoDB
        """

    /// `tac_state`: 0 not asked yet, 1 valid, 2 wrong, 3 not asked (the line is no record).
    private static let batchLine: SQL = """
        CREATE TABLE batch_line (
            batch_id VARCHAR(64) NOT NULL,
            line_no INT NOT NULL,
            raw VARCHAR(300) NOT NULL,
            terminal_no CHAR(12) NULL,
            terminal_txn BIGINT NULL,
            card_asn CHAR(20) NULL,
            card_seq INT NULL,
            sold_at BIGINT NULL,
            tac_state TINYINT NOT NULL,
            outcome VARCHAR(10) NULL,
            fault VARCHAR(24) NULL,
            detail VARCHAR(120) NULL,
            PRIMARY KEY (batch_id, line_no),
            CONSTRAINT line_batch FOREIGN KEY (batch_id) REFERENCES batch (batch_id),
            CONSTRAINT line_outcome CHECK (outcome IN ('posted', 'suspended', 'rejected')),
            CONSTRAINT line_tac CHECK (tac_state BETWEEN 0 AND 3),
            CONSTRAINT line_money CHECK (outcome NOT IN ('posted', 'suspended') OR tac_state = 1),
            KEY line_of_terminal (terminal_no, sold_at),
            KEY line_by_outcome (outcome, batch_id, line_no)
        ) ENGINE=InnoDB
        """

    private static let cardSequence: SQL = """
        CREATE TABLE card_sequence (
            card_asn CHAR(20) NOT NULL,
            card_seq INT NOT NULL,
            PRIMARY KEY (card_asn, card_seq)
        ) ENGINE=InnoDB
        """

    private static let purchase: SQL = """
        CREATE TABLE purchase (
            terminal_no CHAR(12) NOT NULL,
            terminal_txn BIGINT NOT NULL,
            card_asn CHAR(20) NOT NULL,
            card_seq INT NOT NULL,
            merchant_no VARCHAR(20) NOT NULL,
            amount_fen BIGINT NOT NULL,
            fee_fen BIGINT NOT NULL,
            business_date INT NOT NULL,
            meal VARCHAR(10) NOT NULL,
            batch_id VARCHAR(64) NOT NULL,
            line_no INT NOT NULL,
            posting_no BIGINT NOT NULL,
            standing VARCHAR(10) NOT NULL,
            moves INT NOT NULL DEFAULT 0,
            PRIMARY KEY (terminal_no, terminal_txn),
            CONSTRAINT purchase_card_sequence UNIQUE (card_asn, card_seq),
            CONSTRAINT purchase_posting_once UNIQUE (posting_no),
            CONSTRAINT purchase_line UNIQUE (batch_id, line_no),
            CONSTRAINT purchase_terminal FOREIGN KEY (terminal_no) REFERENCES terminal (terminal_no),
            CONSTRAINT purchase_merchant FOREIGN KEY (merchant_no) REFERENCES merchant (merchant_no),
            CONSTRAINT purchase_posting FOREIGN KEY (posting_no) REFERENCES posting (posting_no),
            CONSTRAINT purchase_source FOREIGN KEY (batch_id, line_no) REFERENCES batch_line (batch_id, line_no),
            CONSTRAINT purchase_amount CHECK (amount_fen > 0 AND fee_fen BETWEEN 0 AND amount_fen),
            CONSTRAINT purchase_standing CHECK (standing IN ('clear', 'suspense', 'reversed')),
            KEY purchase_of_merchant (merchant_no, business_date)
        ) ENGINE=InnoDB
        """
}
