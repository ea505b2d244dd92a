import CryptoClient
import NIOCore
import Testing

@testable import PlatformLite

struct CryptoServiceVerifierTests {
    /// Written out by hand from the card's layout (domain facts §1.4): amount 4 | type | terminal 6 | transaction 4 | date 4 | time 3.
    @Test func `A record reaches the crypto service as the bytes that the card signed`() throws {
        let line =
            "r-1,003301000102,33010301000000000102,66051,00013301100000000042,7,1250,900,06,20261120,073005,1,DEADBEEF"
        let record = try RecordCSV.line(number: 1, line).content.get()
        let check = try #require(CryptoServiceVerifier.check(record))
        let request = try VerifyTACBatchRequest(key: try .label("a/b/c"), checks: [check])
        let expected: [UInt8] =
            [0x33, 0x01, 0x10, 0x00, 0x00, 0x00, 0x00, 0x42] + [0x00, 0x00, 0x04, 0xE2] + [0x06]
            + [0x00, 0x33, 0x01, 0x00, 0x01, 0x02] + [0x00, 0x01, 0x02, 0x03] + [0x20, 0x26, 0x11, 0x20] + [
                0x07, 0x30, 0x05,
            ]
            + [0xDE, 0xAD, 0xBE, 0xEF]
        #expect(Array(request.entries.readableBytesView) == expected)
    }

    @Test func `Nobody at the address means away, and a label that cannot be one is told`() async throws {
        let line =
            "r-1,003301000102,33010301000000000102,1,00013301100000000042,7,1250,900,06,20261120,073005,1,DEADBEEF"
        let record = try RecordCSV.line(number: 1, line).content.get()
        // Port 1 of loopback: nothing listens there.
        let away = CryptoServiceVerifier(.init(host: "127.0.0.1", port: 1, keyLabel: "a/b/c"))
        await #expect(throws: VerificationFailure.away) { try await away.verify([record]) }
        let unnamed = CryptoServiceVerifier(.init(host: "127.0.0.1", port: 1, keyLabel: "no label"))
        await #expect(throws: VerificationFailure.keyUnknown("no label")) { try await unnamed.verify([record]) }
    }
}
