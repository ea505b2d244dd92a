import HSMBridge

/// The rows of the permission table that hold for one key, so that a calculation costs a look at a bit and not three
/// dictionaries. Made when the key is opened; only says yes, what it does not contain is asked of the table itself.
struct PermittedOperations: Sendable {
    /// By the number of factors, one bit an operation.
    private var bits = InlineArray<5, UInt64>(repeating: 0)

    /// Nothing at all.
    static let none = PermittedOperations()

    private init() {}

    init(_ attributes: KeyAttributes) {
        for (operation, grant) in PermissionTable.rows[attributes.usage] ?? [:] {
            guard let allowed = grant.modes[attributes.mode] else { continue }
            for factors in bits.indices where allowed.contains(factors, levels: attributes.levels) {
                let refusal = PermissionTable.refusal(attributes, operation, factors: factors)
                if refusal == nil { bits[factors] |= 1 << operation.number }
            }
        }
    }

    @inline(__always)
    func contains(_ operation: KeyOperation, factors: Int) -> Bool {
        bits.indices.contains(factors) && bits[factors] >> operation.number & 1 == 1
    }
}

extension KeyOperation {
    /// A number of its own below 64.
    @inline(__always)
    fileprivate var number: UInt64 {
        switch self {
        case .generateMAC1: 0
        case .verifyMAC1: 1
        case .generateMAC3: 2
        case .verifyMAC3: 3
        case .generateCMAC: 4
        case .verifyCMAC: 5
        case .generateUnionPayMAC: 6
        case .verifyUnionPayMAC: 7
        case .sign: 8
        case .wrapKeyBlock: 9
        case .unwrapKeyBlock: 10
        case .unwrapCryptogram: 11
        case .leave: 12
        case .authoriseLoad: 13
        case .purchaseMAC: 14
        case .verifyTAC: 15
        case .diversify: 16
        case .controlKeyLoad: 17
        case .wash: 18
        case .loadOntoCard: 19
        case .protectCommand: 20
        case .cardCryptogram: 21
        case .derivedCheckValue: 22
        case .verifySignature: 23
        case .encipherData: 24
        case .decipherData: 25
        case .generateCardCode: 26
        case .verifyCardCode: 27
        case .verifyCryptogram: 28
        case .respondToCryptogram: 29
        case .respondUnderCardKey: 30
        case .verifyIssuerData: 31
        case .unload: 32
        }
    }
}
