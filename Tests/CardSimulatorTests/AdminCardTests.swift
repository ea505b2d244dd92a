import Testing

@testable import CardSimulator

/// The admin card layout of the security module (CONTRACTS.md), which is an ordinary FMCOS card.
struct AdminCardTests {
    static func formatted() throws -> FMCOSCard {
        var card = FMCOSCard(serial: [0xA0, 0, 0, 1])
        #expect(try card.send("00A40000023F00") == "6A82")
        try card.good("80E03F000D38FFFFF0EF01FFFFFFFFFFFFFF")
        try card.good("80E00000073F005001F0FFFF")
        try card.good("80E0DF1012380200F0F095FFFF4B4D53442E41444D494E")
        try card.good("00A4000002DF1000")
        try card.good("80E00000073F003095F0FFFF")
        try card.good("80D401000B3AF0EF0133313233343536")
        try card.good("80E0000107280010F0F1FFFF")
        try card.good("80E0000207280020F1F1FFFF")
        return card
    }

    @Test func `the module's sequence formats a blank, and the component is there only after the PIN`() throws {
        var card = try Self.formatted()
        card.reset()
        try card.good("00A404000A4B4D53442E41444D494E")
        #expect(try card.send("00D6810010" + "01010102030405060708AABBCC112233") == "6982")
        #expect(try card.send("00B0820020") == "6982")
        try card.good("0020000006313233343536")
        try card.good("00D6810010" + "01010102030405060708AABBCC112233")
        let component = String(repeating: "5A", count: 32)
        try card.good("00D6820020" + component)
        #expect(try card.good("00B0820020").hex == component)
        card.reset()
        try card.good("00A4000002DF1000")
        #expect(try card.good("00B0810010").hex == "01010102030405060708AABBCC112233")
        #expect(try card.send("00B0820020") == "6982")
    }

    @Test func `three wrong PINs block the card, also over resets, and the counter is in the memory before the answer`()
        throws
    {
        var card = try Self.formatted()
        for left in [2, 1, 0] {
            card.reset()
            try card.good("00A4000002DF10")
            #expect(try card.send("0020000006313233343537") == "63C\(left)")
            #expect(card.core.key(try #require(card.place(0x3A, 0))).triesLeft == UInt8(left))
        }
        #expect(try card.send("0020000006313233343536") == "6983")
        #expect(try card.send("00B0820020") == "6982")
        #expect(try card.send("805E01000D" + "313233343536FF313233343538") == "6983")
    }

    @Test func `a right PIN restores the tries, and the state is gone after another selection`() throws {
        var card = try Self.formatted()
        #expect(try card.send("0020000006313233343537") == "63C2")
        try card.good("0020000006313233343536")
        #expect(try card.send("0020000006313233343537") == "63C2")
        try card.good("00B0820020")
        try card.good("00A40000023F00")
        try card.good("00A4000002DF10")
        #expect(try card.send("00B0820020") == "6982")
    }

    @Test func `an eight-digit PIN fits and a changed one counts`() throws {
        var card = try Self.formatted()
        try card.good("805E01000F" + "313233343536FF3132333435363738")
        #expect(try card.send("0020000006313233343536") == "63C2")
        try card.good("00200000083132333435363738")
        try card.good("00B0820020")
    }
}
