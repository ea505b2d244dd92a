/// How a T=0 card hands out data: 61xx first, the data with GET RESPONSE; 6Cxx for a wrong Le (ISO 7816-3 §10.3).
enum GetResponse {
    static func exchange(
        _ command: [UInt8], _ waiting: inout [UInt8],
        _ carryOut: ([UInt8]) throws(VirtualCardError) -> [UInt8]
    ) throws(VirtualCardError) -> [UInt8] {
        if command.count == 5, command[1] == 0xC0 {
            guard !waiting.isEmpty else { return Status.conditionsNotMet.code.bytes }
            let wanted = command[4] == 0 ? 256 : Int(command[4])
            guard wanted <= waiting.count || wanted == 256 else {
                return Status.expectedLength(waiting.count).code.bytes
            }
            let part = Array(waiting.prefix(wanted))
            waiting.removeFirst(part.count)
            let status = waiting.isEmpty ? Status.success : Status.moreData(waiting.count)
            return Answer(data: part, status: status).bytes
        }
        waiting = []
        let hasData = command.count > 5
        let answer = try carryOut(command)
        guard hasData, answer.count > 2, answer.suffix(2) == [0x90, 0x00] else { return answer }
        waiting = Array(answer.dropLast(2))
        return Status.moreData(waiting.count).code.bytes
    }

    /// The same historical bytes without TD1: T=0, and no check byte.
    static func answerToReset(_ original: [UInt8]) -> [UInt8] {
        let historical = Array(original.dropFirst(3).dropLast())
        return [0x3B, UInt8(historical.count)] + historical
    }
}
