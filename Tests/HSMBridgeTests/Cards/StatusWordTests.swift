import HSMBridge
import Testing

@Suite struct StatusWordTests {
    @Test func `only 9000 is success`() {
        #expect(StatusWord.success.isSuccess)
        #expect(!StatusWord(rawValue: 0x9001).isSuccess)
        #expect(!StatusWord(rawValue: 0x6100).isSuccess)
    }

    @Test(arguments: zip([0x63C0, 0x63C1, 0x63CF] as [UInt16], [0, 1, 15]))
    func `tries left are read from 63Cx`(word: UInt16, tries: Int) {
        #expect(StatusWord(rawValue: word).triesLeft == tries)
    }

    @Test(arguments: [0x6300, 0x63B3, 0x6983, 0x9000] as [UInt16])
    func `other words tell no tries`(word: UInt16) {
        #expect(StatusWord(rawValue: word).triesLeft == nil)
    }

    @Test func `the description has four digits and a meaning`() {
        #expect("\(StatusWord(rawValue: 0x9302))" == "9302 (MAC wrong)")
        #expect("\(StatusWord(rawValue: 0x63C1))" == "63C1 (wrong, 1 try left)")
        #expect("\(StatusWord(rawValue: 0x63C2))" == "63C2 (wrong, 2 tries left)")
        #expect("\(StatusWord(rawValue: 0x6C08))" == "6C08 (wrong expected length, 8 is right)")
        #expect("\(StatusWord(rawValue: 0x00FF))" == "00FF (status not known to this program)")
    }

    /// The list of domain.md §1.7.
    @Test(
        arguments: [
            0x6283, 0x6400, 0x6581, 0x6700, 0x6901, 0x6981, 0x6982, 0x6983, 0x6984, 0x6985, 0x6987, 0x6988, 0x6A80,
            0x6A81,
            0x6A82, 0x6A83, 0x6A84, 0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6E00, 0x6F00, 0x9301, 0x9302, 0x9303, 0x9401,
            0x9402,
            0x9403, 0x9406, 0x9210, 0x9220, 0x9240, 0x9400, 0x9404, 0x9802, 0x9804, 0x9810, 0x9835, 0x9840,
        ] as [UInt16])
    func `every word of the manuals has a meaning of its own`(word: UInt16) {
        #expect(!StatusWord(rawValue: word).meaning.contains("not known"))
    }
}
