import Testing

@testable import PlatformLite

struct MoneyTests {
    @Test(arguments: [
        (Int64(1_250), Int64(60), Int64(8)), (1_250, 0, 0), (1, 60, 0), (83, 60, 0), (84, 60, 1), (10_000, 38, 38),
        (4_294_967_295, 10_000, 4_294_967_295), (50, 100, 1), (49, 100, 0),
    ])
    func `A fee is rounded half up to the fen`(amount: Int64, basisPoints: Int64, fee: Int64) throws {
        let rate = try #require(FeeRate(basisPoints: basisPoints))
        #expect(rate.fee(of: Amount(fen: amount)).fen == fee)
    }

    @Test(arguments: [Int64(-1), 10_001])
    func `A rate outside nothing and everything does not exist`(basisPoints: Int64) {
        #expect(FeeRate(basisPoints: basisPoints) == nil)
    }

    @Test(arguments: [
        (Int64(0), "0.00", "0.00"), (5, "0.05", "0.05"), (-5, "-0.05", "-0.05"),
        (123_456_789, "1234567.89", "1,234,567.89"),
        (-100_000, "-1000.00", "-1,000.00"), (99_999, "999.99", "999.99"),
        (Int64.min, "-92233720368547758.08", "-92,233,720,368,547,758.08"),
    ])
    func `Money is printed in yuan`(fen: Int64, plain: String, grouped: String) {
        #expect(Amount(fen: fen).description == plain)
        #expect(Amount(fen: fen).grouped == grouped)
    }

    @Test func `A sum that overflows stops the program`() async {
        await #expect(processExitsWith: .failure) { _ = Amount(fen: .max) + Amount(fen: 1) }
    }

    @Test(arguments: ["2026-02-29", "20261301", "2026-1-01", "20260100", "19991231", "2026-11-2x", ""])
    func `A day that is not in the calendar is no date`(text: String) {
        #expect(BusinessDate(text) == nil)
    }

    @Test(arguments: [
        (Int64(1_795_000_000), "2026-11-18", "2026-11-18 19:06:40"), (951_782_399, "2000-02-29", "2000-02-29 07:59:59"),
        (951_840_000, "2000-03-01", "2000-03-01 00:00:00"), (1_735_660_800, "2025-01-01", "2025-01-01 00:00:00"),
    ])
    func `An instant has its day in China`(seconds: Int64, day: String, text: String) {
        let instant = Timestamp(microseconds: seconds * 1_000_000)
        #expect(BusinessDate(instant, offsetMinutes: 480)?.description == day)
        #expect(instant.text(offsetMinutes: 480) == text)
    }

    @Test func `Days follow each other through leap years`() throws {
        var day = try #require(BusinessDate("2027-12-30"))
        var count = 0
        while day.number != 20_290_101 {
            day = try #require(day.next)
            count += 1
        }
        #expect(count == 368)
    }

    @Test func `Meals cover the day without overlap`() throws {
        let expected: [(Int, Meal)] = [
            (45_959, .night), (50_000, .breakfast), (95_959, .breakfast), (100_000, .lunch), (145_959, .lunch),
            (150_000, .dinner), (205_959, .dinner), (210_000, .night), (235_959, .night), (0, .night),
        ]
        for (number, meal) in expected {
            let time = try #require(TimeOfDay(number: number))
            #expect(Meal(at: time) == meal)
        }
        #expect(TimeOfDay(number: 240_000) == nil)
        #expect(TimeOfDay(number: 126_000) == nil)
    }
}
