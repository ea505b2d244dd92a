/// The two characters after the reply code of every answer: `00` for done, else what was wrong with the request.
///
/// A closed set: the numbers are those that clients of payment security modules already know (docs/protocol.md §8).
/// A few numbers mean different things in different commands; `meaning` then says both, and the names for the MAC
/// commands (`macModeFlag` and so on) stand below.
public enum HostErrorCode: String, Error, Sendable, Hashable, CaseIterable {
    case noError = "00"
    case verificationFailed = "01"
    case keyLengthForAlgorithm = "02"
    case inputFormat = "03"
    case keyTypeCode = "04"
    case keyLengthFlag = "05"
    case messageLength = "06"
    case destinationMode = "07"
    case destinationKeyType = "08"
    case paddingMethod = "09"
    case sourceKeyParity = "10"
    case destinationKeyParity = "11"
    case userStorage = "12"
    case lmkIdentifier = "13"
    case pinUnderLMK = "14"
    case inputData = "15"
    case consoleOrPrinter = "16"
    case notAuthorised = "17"
    case documentFormat = "18"
    case dieboldTable = "19"
    case pinBlock = "20"
    case indexValue = "21"
    case accountNumber = "22"
    case pinBlockFormat = "23"
    case pinLength = "24"
    case decimalisationTable = "25"
    case keyScheme = "26"
    case keyLength = "27"
    case keyType = "28"
    case functionNotPermitted = "29"
    case referenceNumber = "30"
    case solicitation = "31"
    case aesLicence = "32"
    case keyChangeStorage = "33"
    case messageFormat = "35"
    case fraudDetection = "39"
    case checksum = "40"
    case internalError = "41"
    case desFailure = "42"
    case rsaGeneration = "43"
    case algorithmNotLicensed = "47"
    case privateKey = "49"
    case messageHeader = "51"
    case branchAndHeight = "52"
    case keySchemeNone = "65"
    case commandNotLicensed = "67"
    case commandDisabled = "68"
    case pinBlockFormatDisabled = "69"
    case digestInfo = "74"
    case singleLengthKey = "75"
    case publicKeyLength = "76"
    case clearBlock = "77"
    case privateKeyLength = "78"
    case hashObjectIdentifier = "79"
    case dataLength = "80"
    case certificateHeader = "81"
    case checkValueLength = "82"
    case keyBlockFormat = "83"
    case keyBlockCheckValue = "84"
    case oaepMask = "85"
    case oaepHash = "86"
    case oaepParameter = "87"
    case transportParity = "90"
    case transportCheck = "91"
    case transportCount = "92"
    case lmkScheme = "A1"
    case lmkIdentifiers = "A2"
    case keyBlockLMKIdentifiers = "A3"
    case keyBlockAuthentication = "A4"
    case keyBlockKeyLength = "A5"
    case keyUsage = "A6"
    case algorithm = "A7"
    case modeOfUse = "A8"
    case keyVersion = "A9"
    case exportability = "AA"
    case optionalBlockCount = "AB"
    case optionalBlock = "AC"
    case keyStatusBlock = "AD"
    case startDate = "AE"
    case endDate = "AF"
    case encryptionMode = "B0"
    case authenticationMode = "B1"
    case keyBlock = "B2"
    case optionalBlockNumber = "B3"
    case optionalBlockData = "B4"
    case components = "B5"
    case keyStatusBlocks = "B6"
    case changeField = "B7"
    case oldValue = "B8"
    case newValue = "B9"
    case noKeyStatusBlock = "BA"
    case wrappingKey = "BB"
    case repeatedOptionalBlock = "BC"
    case keyTypes = "BD"
    case keyBlockOther = "BE"
}

extension HostErrorCode {
    /// M6 and M8 say `02` for a mode flag that is not 0, 1, 2 or 3.
    public static let macModeFlag = HostErrorCode.keyLengthForAlgorithm
    /// M6 and M8 say `04` for an unknown MAC algorithm.
    public static let macAlgorithm = HostErrorCode.keyTypeCode
    /// M6 and M8 say `05` for an unknown key type.
    public static let macKeyType = HostErrorCode.keyLengthFlag
    /// EY says `02` for a wrong signature.
    public static let signatureInvalid = HostErrorCode.keyLengthForAlgorithm
    /// EI and EO say `03` for an unknown encoding of a public key.
    public static let publicKeyEncoding = HostErrorCode.inputFormat
    /// GM, EW and EY say `05` for an unknown hash function, `06` for another signature algorithm, `07` for an unknown padding
    /// (from memory of the field's manuals, unverified).
    public static let hashIdentifier = HostErrorCode.keyLengthFlag
    public static let signatureIdentifier = HostErrorCode.messageLength
    public static let padModeIdentifier = HostErrorCode.destinationMode
    /// M0, M2 and M4 say `04` for an unknown format of the answer.
    public static let outputFormat = HostErrorCode.keyTypeCode
    /// KQ says `06` for a wrong MAC over issuer discretionary data.
    public static let issuerDataMAC = HostErrorCode.messageLength
    /// KQ and KW say `81` for no transaction data at all.
    public static let noTransactionData = HostErrorCode.certificateHeader
    /// N0 says `01` for a length outside 001 to 256.
    public static let randomValueLength = HostErrorCode.verificationFailed

    /// The two characters as bytes, big-endian.
    public var bytes: UInt16 {
        rawValue.utf8.reduce(0) { $0 << 8 | UInt16($1) }
    }

    /// The code with these two characters; nil when it is not one of the set.
    public init?(bytes: UInt16) {
        self.init(rawValue: HostCommandCode(rawValue: bytes).description)
    }

    /// The same for a code that is known to be one; the two that answer nearly everything are found at once.
    public init(known bytes: UInt16) {
        switch bytes {
        case 0x3030: self = .noError
        case 0x3031: self = .verificationFailed
        default: self = HostErrorCode(bytes: bytes) ?? .internalError
        }
    }

    /// What the code says, in one line for a person.
    public var meaning: String {
        Self.meanings[self] ?? rawValue
    }

    private static let meanings: [HostErrorCode: String] = [
        .noError: "No error.",
        .verificationFailed: "Verification failed, or warning of an imported key's parity.",
        .keyLengthForAlgorithm:
            "Key length not fit for the algorithm; in M6 and M8 an invalid mode flag; in EY a wrong signature.",
        .inputFormat: "Invalid input format flag or number of components; in EI and EO an invalid encoding.",
        .keyTypeCode: "Invalid key type code; in M6 and M8 an invalid MAC algorithm.",
        .keyLengthFlag: "Invalid key length flag; in M6 and M8 an invalid key type; in GM, EW and EY an invalid hash.",
        .messageLength: "Invalid message length field; in EW and EY an invalid signature algorithm.",
        .destinationMode: "Invalid destination mode flag; in EW and EY an invalid padding.",
        .destinationKeyType: "Invalid destination key type.",
        .paddingMethod: "Invalid padding method.",
        .sourceKeyParity: "Source key parity error.",
        .destinationKeyParity: "Destination key parity error or key all zeros.",
        .userStorage: "User storage not available.",
        .lmkIdentifier: "Invalid LMK identifier, or no LMK loaded.",
        .pinUnderLMK: "PIN under the LMK is invalid.",
        .inputData: "Invalid input data: format, characters, or not enough of it.",
        .consoleOrPrinter: "Console or printer not ready.",
        .notAuthorised: "Not in the authorised state for this command.",
        .documentFormat: "Document format not loaded.",
        .dieboldTable: "Diebold table is invalid.",
        .pinBlock: "PIN block does not hold valid values.",
        .indexValue: "Invalid index, or count beyond the limit.",
        .accountNumber: "Invalid account number.",
        .pinBlockFormat: "Invalid PIN block format code.",
        .pinLength: "PIN length out of range.",
        .decimalisationTable: "Decimalisation table error.",
        .keyScheme: "Invalid key scheme.",
        .keyLength: "Incompatible key length.",
        .keyType: "Invalid key type.",
        .functionNotPermitted: "Key function not permitted.",
        .referenceNumber: "Invalid reference number.",
        .solicitation: "Not enough solicitation entries for the batch.",
        .aesLicence: "AES not licensed.",
        .keyChangeStorage: "LMK key change storage is corrupted.",
        .messageFormat: "Illegal message format.",
        .fraudDetection: "Fraud detection.",
        .checksum: "Invalid checksum.",
        .internalError: "Internal hardware or software error.",
        .desFailure: "DES failure.",
        .rsaGeneration: "RSA key generation error.",
        .algorithmNotLicensed: "Algorithm not licensed.",
        .privateKey: "Private key error.",
        .messageHeader: "Invalid message header.",
        .branchAndHeight: "Invalid branch and height.",
        .keySchemeNone: "Transaction key scheme is none.",
        .commandNotLicensed: "Command not licensed or not known.",
        .commandDisabled: "Command has been disabled.",
        .pinBlockFormatDisabled: "PIN block format has been disabled.",
        .digestInfo: "Invalid digest info.",
        .singleLengthKey: "Single length key given as double or triple.",
        .publicKeyLength: "Public key length error.",
        .clearBlock: "Clear data block error.",
        .privateKeyLength: "Private key length error.",
        .hashObjectIdentifier: "Hash algorithm object identifier error.",
        .dataLength: "Data length error: more or less data than announced.",
        .certificateHeader: "Invalid certificate header.",
        .checkValueLength: "Invalid check value length.",
        .keyBlockFormat: "Key block format error.",
        .keyBlockCheckValue: "Key block check value error.",
        .oaepMask: "Invalid OAEP mask generation function.",
        .oaepHash: "Invalid OAEP hash function.",
        .oaepParameter: "OAEP parameter error.",
        .transportParity: "Data parity error in the request.",
        .transportCheck: "Longitudinal redundancy check does not match.",
        .transportCount: "Count of the command field is not right.",
        .lmkScheme: "Incompatible LMK schemes.",
        .lmkIdentifiers: "Incompatible LMK identifiers.",
        .keyBlockLMKIdentifiers: "Incompatible key block LMK identifiers.",
        .keyBlockAuthentication: "Key block authentication failure.",
        .keyBlockKeyLength: "Incompatible key length.",
        .keyUsage: "Invalid key usage.",
        .algorithm: "Invalid algorithm.",
        .modeOfUse: "Invalid mode of use.",
        .keyVersion: "Invalid key version number.",
        .exportability: "Invalid export field.",
        .optionalBlockCount: "Invalid number of optional blocks.",
        .optionalBlock: "Optional header block error.",
        .keyStatusBlock: "Key status optional block error.",
        .startDate: "Invalid start date or time.",
        .endDate: "Invalid end date or time.",
        .encryptionMode: "Invalid encryption mode.",
        .authenticationMode: "Invalid authentication mode.",
        .keyBlock: "Miscellaneous key block error.",
        .optionalBlockNumber: "Invalid number of optional blocks in the key block.",
        .optionalBlockData: "Optional block data error.",
        .components: "Incompatible components.",
        .keyStatusBlocks: "Incompatible key status optional blocks.",
        .changeField: "Invalid change field.",
        .oldValue: "Invalid old value.",
        .newValue: "Invalid new value.",
        .noKeyStatusBlock: "No key status block in the key block.",
        .wrappingKey: "Invalid wrapping key.",
        .repeatedOptionalBlock: "Repeated optional block.",
        .keyTypes: "Incompatible key types.",
        .keyBlockOther: "Key block refused.",
    ]
}

// MARK: - CustomStringConvertible

extension HostErrorCode: CustomStringConvertible {
    /// The code and its meaning.
    public var description: String { "\(rawValue) \(meaning)" }
}
