/// A command APDU in short form (ISO 7816-3 §12.1, cases 1 to 4).
struct Command: Sendable {
    let cla: UInt8
    let ins: UInt8
    let p1: UInt8
    let p2: UInt8
    let data: [UInt8]
    /// Le: 1…256 (00 means 256), `nil` when the command has none.
    let expected: Int?

    /// `nil` when the lengths do not fit together.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        (cla, ins, p1, p2) = (bytes[0], bytes[1], bytes[2], bytes[3])
        switch bytes.count {
        case 4:
            (data, expected) = ([], nil)
        case 5:
            (data, expected) = ([], bytes[4] == 0 ? 256 : Int(bytes[4]))
        case 5 + Int(bytes[4]) where bytes[4] > 0:
            (data, expected) = (Array(bytes[5...]), nil)
        case 6 + Int(bytes[4]) where bytes[4] > 0:
            let last = bytes[bytes.count - 1]
            (data, expected) = (Array(bytes[5..<bytes.count - 1]), last == 0 ? 256 : Int(last))
        default:
            return nil
        }
    }

    /// CLA INS P1 P2 Lc, the part of the header that a line-protection MAC covers.
    var header: [UInt8] { [cla, ins, p1, p2, UInt8(truncatingIfNeeded: data.count)] }

    var isProtected: Bool { cla & 0x0F == 0x04 }

    /// Refuses a Le that is not the length of the answer (6Cxx), before anything is carried out.
    func expect(_ count: Int) throws(Status) {
        if let expected, expected != 256, expected != count { throw .expectedLength(count) }
    }

    func require(p1: UInt8? = nil, p2: UInt8? = nil) throws(Status) {
        if let p1, self.p1 != p1 { throw .wrongParameters }
        if let p2, self.p2 != p2 { throw .wrongParameters }
    }

    func require(length: Int) throws(Status) {
        if data.count != length { throw .wrongLength }
    }
}

/// Status word SW1 SW2. The meanings are those of domain.md §1.7.
struct Status: Error, Hashable, Sendable {
    let code: UInt16

    init(_ code: UInt16) { self.code = code }

    static let success = Status(0x9000)
    static let selectedFileBlocked = Status(0x6283)
    static let wrongLength = Status(0x6700)
    static let notExpectedNow = Status(0x6901)
    static let wrongFileKind = Status(0x6981)
    static let securityNotSatisfied = Status(0x6982)
    static let authenticationBlocked = Status(0x6983)
    static let challengeMissing = Status(0x6984)
    static let conditionsNotMet = Status(0x6985)
    static let protectionMissing = Status(0x6987)
    static let protectionWrong = Status(0x6988)
    static let protectionNotAllowed = Status(0x6900)
    static let wrongData = Status(0x6A80)
    static let notSupported = Status(0x6A81)
    static let fileNotFound = Status(0x6A82)
    static let recordNotFound = Status(0x6A83)
    static let noSpace = Status(0x6A84)
    static let wrongParameters = Status(0x6A86)
    static let keyNotFound = Status(0x6A88)
    static let wrongOffset = Status(0x6B00)
    static let instructionUnknown = Status(0x6D00)
    static let classUnknown = Status(0x6E00)
    static let memoryFailure = Status(0x6581)
    static let macWrong = Status(0x9302)
    static let permanentlyLocked = Status(0x9303)
    static let balanceTooSmall = Status(0x9401)
    static let counterAtMaximum = Status(0x9402)
    static let keyIndexNotSupported = Status(0x9403)
    static let proofNotAvailable = Status(0x9406)

    static func triesLeft(_ count: UInt8) -> Status { Status(0x63C0 | UInt16(count & 15)) }
    static func expectedLength(_ count: Int) -> Status { Status(0x6C00 | UInt16(count & 0xFF)) }
    static func moreData(_ count: Int) -> Status { Status(0x6100 | UInt16(count & 0xFF)) }
}

/// What a card says: data and status word.
struct Answer: Sendable {
    var data: [UInt8] = []
    var status: Status = .success

    var bytes: [UInt8] { data + status.code.bytes }
}
