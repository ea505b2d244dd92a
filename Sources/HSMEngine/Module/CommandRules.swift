import HSMBridge

/// What holds for a command before its own code runs. One row for each, in one table.
struct CommandRule: Sendable {
    enum Journalling: Sendable {
        /// High-rate calculations and questions.
        case no
        /// Recorded before it is carried out; refused where the record cannot be written.
        case required
        /// Recorded where possible. Only for commands that take power away: a full disk must not keep a module open.
        case attempted
    }

    /// A set of states in one byte: every command of every message is asked whether it contains one.
    struct States: Sendable {
        private let bits: UInt8

        init(_ states: Set<ModuleState>) { bits = states.reduce(0) { $0 | 1 << $1.rawValue } }

        func contains(_ state: ModuleState) -> Bool { bits >> state.rawValue & 1 == 1 }
    }

    let states: States
    let right: CallerRight?
    let journalling: Journalling
    /// Waits for a card or makes RSA keys: not on a thread that others need.
    let isSlow: Bool

    init(_ states: Set<ModuleState>, _ right: CallerRight?, _ journalling: Journalling, isSlow: Bool = false) {
        self.states = States(states)
        self.right = right
        self.journalling = journalling
        self.isSlow = isSlow
    }
}

extension CommandCode {
    private static let questionRule = CommandRule(Set(ModuleState.allCases), nil, .no, isSlow: true)
    private static let statusRule = CommandRule(Set(ModuleState.allCases), nil, .no)
    private static let readerRule = CommandRule(
        [.uninitialised, .sealed, .ceremony, .operational], .manage, .no, isSlow: true)
    private static let formatRule = CommandRule(
        [.uninitialised, .sealed, .operational], .manage, .required, isSlow: true)
    private static let beginRule = CommandRule([.uninitialised, .sealed], .manage, .required)
    private static let ceremonyRule = CommandRule([.ceremony], .manage, .required, isSlow: true)
    private static let endRule = CommandRule([.ceremony], .manage, .attempted)
    private static let sealRule = CommandRule([.sealed, .ceremony, .operational], .manage, .attempted)
    private static let keyRule = CommandRule([.operational], .manage, .required)
    private static let slowKeyRule = CommandRule([.operational], .manage, .required, isSlow: true)
    private static let calculationRule = CommandRule([.operational], .calculate, .no)
    /// Makes or releases a key block, so it is recorded, but a calculation service may ask for it.
    private static let diversifyRule = CommandRule([.operational], .calculate, .required)

    /// Thousands of MACs for one question: not on a thread that others wait for.
    private static let explainRule = CommandRule([.operational], .calculate, .required, isSlow: true)

    /// The command's row.
    var rule: CommandRule {
        switch self {
        case .getStatus: Self.statusRule
        case .runSelfTest: Self.questionRule
        case .listReaders, .inspectAdminCard: Self.readerRule
        case .formatAdminCard: Self.formatRule
        case .beginCeremony: Self.beginRule
        case .presentAdminCard, .finishCeremony: Self.ceremonyRule
        case .abortCeremony: Self.endRule
        case .sealModule: Self.sealRule
        case .generateKey, .beginComponentEntry, .enterComponent, .finishComponentEntry, .abortComponentEntry,
            .importKeyBlock, .importCryptogram, .exportKeyBlock, .formKey, .rewrapKey:
            Self.keyRule
        case .generateKeyPair: Self.slowKeyRule
        case .diversifyKey, .diversifyKeyBatch, .protectPublicKey: Self.diversifyRule
        case .explainMAC: Self.explainRule
        case .inspectKey, .openKey, .closeKey, .generateMAC, .verifyMAC, .checkValue, .randomBytes, .sign,
            .authorisePurseLoad, .purchaseMAC1, .verifyPurchaseMAC2, .verifyTAC, .verifyTACBatch, .protectKeyLoad,
            .protectCommand, .cardCryptogram, .derivedCheckValue, .encipherData, .decipherData, .translateData,
            .generateCardCode, .verifyCardCode, .verifyCryptogram, .respondToCryptogram, .authorisePurseUnload,
            .verifyUnloadMAC3, .hash, .createSignature, .verifySignature:
            Self.calculationRule
        }
    }

    /// Why the command does not run in a state that its row does not name.
    func refusal(in state: ModuleState, ceremonyExpired: Bool) -> ModuleError {
        switch (self, state) {
        case (_, .failed): .failed
        case (.presentAdminCard, _), (.finishCeremony, _), (.abortCeremony, _):
            ceremonyExpired ? .ceremonyExpired : .ceremonyNotOpen
        case (.beginCeremony, .operational): .alreadyInitialised
        case (_, .uninitialised): .uninitialised
        case (_, .sealed): .sealed
        case (_, .ceremony): .ceremonyOpen
        case (_, .operational): .internalFault
        }
    }
}
