/// What a key may be used for: the two-character key usage of an ANSI X9.143 key block header (密钥用途).
///
/// Letters are the registered values of X9.143 table 2; the numeric values are ours, from the range that the standard
/// leaves to private use, one for each role a key has on a PBOC card (facts: JR/T 0025.2, FMCOS 2.0 manual 1.1; PSAM usage
/// byte of the social-security PSAM specification). A usage says what a key *is*; which operations it allows stands in the
/// module's permission table (`HSMEngine`), not with the caller.
public enum KeyUsage: String, Sendable, Hashable, CaseIterable {
    // MARK: Registered
    /// Transport key: enciphers other keys (X9.143 `K0`).
    case keyEncryption = "K0"
    /// Key block protection key (X9.143 `K1`): wraps key blocks and nothing else.
    case keyBlockProtection = "K1"
    /// Card verification values (CVV, CVC).
    case cardVerification = "C0"
    /// Data encryption.
    case dataEncryption = "D0"
    /// EMV issuer master key for application cryptograms.
    case applicationCryptogram = "E0"
    /// EMV issuer master key for the integrity of scripts and issuer data.
    case scriptIntegrity = "E2"
    /// ISO 9797-1 MAC algorithm 1.
    case mac1 = "M1"
    /// ISO 9797-1 MAC algorithm 3 (retail MAC, X9.19).
    case mac3 = "M3"
    /// ISO 9797-1 MAC algorithm 5, CMAC.
    case cmac = "M6"
    /// Asymmetric key pair for signatures.
    case signature = "S0"

    // MARK: Card roles (private values)
    /// Purchase master (消费主密钥): DPK, PSAM type 2, FMCOS key 3E.
    case purchase = "10"
    /// Load master (圈存主密钥): DLK, FMCOS key 3F.
    case load = "11"
    /// TAC master (TAC主密钥): DTK, FMCOS key 34, PSAM type 0C.
    case tac = "12"
    /// Unload master (圈提主密钥): DULK, FMCOS key 3D.
    case unload = "13"
    /// Overdraft-limit master (修改透支限额主密钥): DUK, FMCOS key 3C.
    case overdraft = "14"
    /// User-card application maintenance master (应用维护主密钥): DAMK, FMCOS key 36.
    case applicationMaintenance = "15"
    /// PIN unblock master (口令解锁主密钥): DPUK, FMCOS key 37.
    case pinUnblock = "16"
    /// PIN reload master (口令重装主密钥): DRPK, FMCOS key 38.
    case pinReload = "17"
    /// Card or application control key (卡片主控密钥): PSAM type 0, FMCOS key 39-00.
    case cardControl = "18"
    /// Card or application maintenance key of a PSAM (卡片维护密钥): PSAM type 1.
    case cardMaintenance = "19"
    /// Internal authentication master: DIK, FMCOS key 30.
    case internalAuthentication = "20"
    /// External authentication master: DACK, PSAM type 0E.
    case externalAuthentication = "21"
    /// PSAM line MAC and cipher key, PSAM types 6 to 8.
    case psamCipher = "22"
    /// The transport key that a card maker delivered blanks under (厂商传输密钥): may only wash a card, never serve on one.
    case vendorTransport = "30"

    /// Keys whose home is a card: they are diversified and loaded, and are never MAC or cipher keys of the network service.
    public var isCardRole: Bool { rawValue.first?.isNumber ?? false }
}

extension KeyUsage {
    /// Word for configuration and command line: the case's own name, such as `purchase` or `cardControl`.
    public var name: String { "\(self)" }

    /// From its word or its two header characters.
    public init?(named text: String) {
        guard let match = KeyUsage.allCases.first(where: { $0.name == text || $0.rawValue == text }) else { return nil }
        self = match
    }
}
