import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct PermissionMatrixTests {
    /// Every cell of usage and operation: a cell that `AgreedPermissions` does not name must be closed.
    @Test func `the permission table is the one that was agreed`() {
        var cells = 0
        for usage in KeyUsage.allCases {
            let agreed = AgreedPermissions.rows[usage.rawValue] ?? [:]
            for operation in KeyOperation.allCases {
                #expect(cell(usage, operation) == agreed[operation.rawValue] ?? "-", "\(usage) \(operation)")
                cells += 1
            }
            #expect(agreed.keys.allSatisfy { KeyOperation(rawValue: $0) != nil })
        }
        #expect(cells == KeyUsage.allCases.count * KeyOperation.allCases.count)
        #expect(AgreedPermissions.rows.count == KeyUsage.allCases.count)
    }

    /// `-`, or the modes with the numbers of factors that each allows.
    private func cell(_ usage: KeyUsage, _ operation: KeyOperation) -> String {
        let grants = ModeOfUse.allCases.compactMap { mode -> String? in
            // A depth at which every rule shows: all levels, some, none, one.
            let attributes = KeyAttributes(
                usage: usage, algorithm: .tripleDES2, mode: mode, exportability: .exportable,
                levels: mode == .derive ? 3 : 0)
            let factors = (0...4).filter { PermissionTable.refusal(attributes, operation, factors: $0) == nil }
            guard let first = factors.first, let last = factors.last else { return nil }
            return first == last ? "\(mode.rawValue)\(first)" : "\(mode.rawValue)\(first)-\(last)"
        }
        return grants.isEmpty ? "-" : grants.joined(separator: ",")
    }

    @Test func `no master calculates anything but for a card, at its own depth`() {
        let calculating = KeyOperation.allCases.filter {
            ![.loadOntoCard, .leave, .derivedCheckValue, .diversify].contains($0)
        }
        for usage in KeyUsage.allCases where usage.isCardRole && usage != .vendorTransport {
            for operation in calculating {
                for levels in 1...4 {
                    let master = KeyAttributes(
                        usage: usage, algorithm: .tripleDES2, mode: .derive, exportability: .exportable, levels: levels)
                    for factors in 0...5 where factors != levels {
                        #expect(PermissionTable.refusal(master, operation, factors: factors) != nil)
                    }
                }
                let single = KeyAttributes(
                    usage: usage, algorithm: .tripleDES2, mode: .unrestricted, exportability: .exportable)
                for factors in 1...4 { #expect(PermissionTable.refusal(single, operation, factors: factors) != nil) }
            }
        }
    }

    @Test func `a key that may not leave leaves by no usage`() {
        for usage in KeyUsage.allCases {
            for mode in ModeOfUse.allCases {
                let attributes = KeyAttributes(
                    usage: usage, algorithm: .tripleDES2, mode: mode, exportability: .nonExportable)
                #expect(PermissionTable.refusal(attributes, .leave, factors: 0) != nil)
            }
        }
    }
}
