import HSMBridge
import Testing

@testable import KMS
@testable import MariaDB

/// A database that lies about keys.
@Suite struct SubstitutionTests {
    @Test func `a block moved to another row is refused where it is used, named by the check, and recorded`()
        async throws
    {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("KEK", Rig.transport)
        let one = try await rig.makeKey("DPK", Rig.purchase)
        let other = try await rig.makeKey("DLK", Rig.purchase)
        try await rig.makeKey("GOOD", Rig.purchase)
        #expect(try await rig.centre.verifyAllKeys(by: rig.erin) == KeyVerification(checked: 4, findings: []))
        try await rig.tamper(
            """
            UPDATE key_version SET key_block = \(other.block ?? ""), check_value = \(other.checkValue?.description ?? "")
            WHERE label = 'DPK'
            """)
        let intent = Intent.exportKey(Rig.id("DPK"), under: Rig.id("KEK"))
        let approval = try await rig.approved(intent, by: rig.bob, and: rig.alice)
        await #expect(throws: KMSError.storedKeyRefused("ICBC/PURSE/DPK/01", .keyIdentityMismatch)) {
            try await rig.centre.exportKey(Rig.id("DPK"), under: Rig.id("KEK"), approval: approval, by: rig.bob)
        }
        let check = try await rig.centre.verifyAllKeys(by: rig.erin)
        #expect(check.checked == 4)
        #expect(check.findings.map(\.identity) == [Rig.id("DPK")])
        let records = try await rig.centre.auditRecords(from: 1, limit: 1_000, by: rig.erin)
        #expect(records.contains { $0.operation == "key.finding" && $0.object == "ICBC/PURSE/DPK/01" })
        #expect(one.block != other.block)
    }

    @Test func `each changed character of a stored block's header is refused`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        let key = try await rig.makeKey("DPK", Rig.purchase)
        let block = try Array(#require(key.block).utf8)
        let length = try KeyBlockHeader(parsing: block).headerLength
        for position in 0..<length {
            var changed = block
            changed[position] = changed[position] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
            try await rig.tamper(
                "UPDATE key_version SET key_block = \(String(decoding: changed, as: UTF8.self))")
            let check = try await rig.centre.verifyAllKeys(by: rig.erin)
            #expect(check.findings.map(\.identity) == [Rig.id("DPK")], "position \(position)")
        }
    }

    @Test func `a row that claims another use, or another check value, than its block is named`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("DPK", Rig.purchase)
        try await rig.makeKey("DLK", Rig.purchase)
        try await rig.tamper(
            "DROP TRIGGER application_key_fixed",
            "UPDATE application_key SET key_usage = '11' WHERE label = 'DPK'",
            "UPDATE key_version SET check_value = '000000' WHERE label = 'DLK'")
        let check = try await rig.centre.verifyAllKeys(by: rig.erin)
        #expect(Set(check.findings.map(\.identity)) == [Rig.id("DPK"), Rig.id("DLK")])
    }

    @Test func `a version whose row was renumbered is refused`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("DPK", Rig.purchase)
        try await rig.tamper("UPDATE key_version SET version = 7")
        let check = try await rig.centre.verifyAllKeys(by: rig.erin)
        #expect(check.findings.map(\.identity) == [Rig.id("DPK", 7)])
    }
}
