import Testing

@testable import KMS

@Suite struct TimestampTests {
    /// From `date -u -d @N`.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"), (951_782_400, "2000-02-29T00:00:00.000000Z"),
        (1_795_410_000, "2026-11-23T05:00:00.000000Z"), (4_107_542_399, "2100-02-28T23:59:59.000000Z"),
        (-1, "1969-12-31T23:59:59.000000Z"),
    ])
    func `an instant reads as its date and back`(_ seconds: Int64, _ text: String) {
        let time = Timestamp(microseconds: seconds * 1_000_000)
        #expect(time.text == text)
        #expect(Timestamp(text) == time)
    }

    @Test(arguments: [
        "", "2026", "2026-02-29", "2026-13-01", "2026-11-23T24:00:00Z", "2026-11-23T05:00:00", "2026-11-23 05:00:00Z",
        "2026-11-23T05:00:00.1Z", "2026-11-23T05:00:00.000000Zx", "２026-11-23",
    ])
    func `what is no date is refused`(_ text: String) { #expect(Timestamp(text) == nil) }

    @Test func `every day of four hundred years comes back`() {
        for day in stride(from: Int64(-10_000), to: 146_097, by: 1) {
            let date = CivilDate(daysSince1970: day)
            #expect(CivilDate(year: date.year, month: date.month, day: date.day)?.daysSince1970 == day)
        }
    }
}
