import HSMBridge
import Testing

@Suite struct APDUTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let command: CommandAPDU
        let bytes: [UInt8]
    }

    static let cases = [
        Case(
            testDescription: "case 1: nothing in, nothing out",
            command: CommandAPDU(cla: 0x80, ins: 0x0E, p1: 1, p2: 2), bytes: [0x80, 0x0E, 1, 2]),
        Case(
            testDescription: "case 2: eight bytes out",
            command: CommandAPDU(cla: 0, ins: 0x84, p1: 0, p2: 0, expectedLength: 8), bytes: [0, 0x84, 0, 0, 8]),
        Case(
            testDescription: "case 2: 256 bytes out",
            command: CommandAPDU(cla: 0, ins: 0xB0, p1: 0x95, p2: 0, expectedLength: 256),
            bytes: [0, 0xB0, 0x95, 0, 0]),
        Case(
            testDescription: "case 3: one byte in",
            command: CommandAPDU(cla: 0, ins: 0xD6, p1: 0, p2: 0, data: [7]), bytes: [0, 0xD6, 0, 0, 1, 7]),
        Case(
            testDescription: "case 3: 255 bytes in",
            command: CommandAPDU(cla: 0, ins: 0xD6, p1: 0, p2: 0, data: Array(repeating: 9, count: 255)),
            bytes: [0, 0xD6, 0, 0, 255] + Array(repeating: 9, count: 255)),
        Case(
            testDescription: "case 4: select, anything out",
            command: CommandAPDU(cla: 0, ins: 0xA4, p1: 0, p2: 0, data: [0x3F, 0], expectedLength: 256),
            bytes: [0, 0xA4, 0, 0, 2, 0x3F, 0, 0]),
        Case(
            testDescription: "case 4: 255 bytes in, 4 out",
            command: CommandAPDU(
                cla: 0x80, ins: 0xFA, p1: 0, p2: 0, data: Array(repeating: 1, count: 255), expectedLength: 4),
            bytes: [0x80, 0xFA, 0, 0, 255] + Array(repeating: 1, count: 255) + [4]),
    ]

    @Test(arguments: cases) func `a command becomes its bytes`(example: Case) {
        #expect(example.command.isWellFormed)
        #expect(example.command.bytes == example.bytes)
    }

    @Test(arguments: cases) func `bytes become the command again`(example: Case) {
        #expect(CommandAPDU(bytes: example.bytes) == example.command)
    }

    @Test(
        arguments: [
            [], [0], [0, 0xA4, 0],
            [0, 0xA4, 0, 0, 0, 1],  // Lc 00 would begin an extended command
            [0, 0xA4, 0, 0, 2, 1],  // a byte too few
            [0, 0xA4, 0, 0, 1, 1, 2, 3],  // a byte too many
        ] as [[UInt8]])
    func `contradictory lengths are no command`(bytes: [UInt8]) {
        #expect(CommandAPDU(bytes: bytes) == nil)
    }

    @Test func `a cut command never reads as the whole one`() {
        for example in Self.cases {
            for length in example.bytes.indices {
                #expect(CommandAPDU(bytes: Array(example.bytes.prefix(length))) != example.command)
            }
        }
    }

    @Test(arguments: [0, 257, -1]) func `an Le out of range is not well formed`(length: Int) {
        #expect(!CommandAPDU(cla: 0, ins: 0xB0, p1: 0, p2: 0, expectedLength: length).isWellFormed)
    }

    @Test func `more than 255 bytes of data are not well formed`() {
        #expect(!CommandAPDU(cla: 0, ins: 0xD6, p1: 0, p2: 0, data: Array(repeating: 0, count: 256)).isWellFormed)
    }

    @Test func `an answer is data and status`() throws {
        let response = try ResponseAPDU(bytes: [1, 2, 3, 0x61, 0x05])
        #expect(response.data == [1, 2, 3])
        #expect(response.status == 0x6105)
        #expect(response.bytes == [1, 2, 3, 0x61, 0x05])
        #expect(try ResponseAPDU(bytes: [0x90, 0]).isSuccess)
    }

    @Test(arguments: [[], [0x90]] as [[UInt8]]) func `an answer shorter than a status is a card gone`(bytes: [UInt8]) {
        #expect(throws: CardError.cardGone) { try ResponseAPDU(bytes: bytes) }
    }

    @Test func `descriptions never show data`() {
        let pin: [UInt8] = [0x31, 0x32, 0x33, 0x34]
        let command = CommandAPDU(cla: 0, ins: 0x20, p1: 0, p2: 0, data: pin)
        #expect("\(command)" == "00 20 00 00, 4 bytes of data")
        #expect("\(ResponseAPDU(data: pin, status: .success))" == "4 bytes, 9000 (done)")
    }
}
