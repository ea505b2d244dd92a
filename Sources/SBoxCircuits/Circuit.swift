/// A circuit of six inputs under construction: every node with its truth table over the 64 inputs.
///
/// Fixed in size, so that a branch of the search is a copy.
struct Circuit {
    static let capacity = 80
    static let inputs = 6

    /// What a node does with its operands.
    enum Function: UInt8 {
        case input, and, or, xor
        /// a & ~b.
        case andNot
        case not
        /// Any function of three operands: bit 4a + 2b + c of the node's `table8`.
        case lookUp

        /// Nodes that it takes.
        var operands: Int {
            switch self {
            case .input: 0
            case .not: 1
            case .and, .or, .xor, .andNot: 2
            case .lookUp: 3
            }
        }
    }

    private(set) var count = 0
    private(set) var tables = InlineArray<80, UInt64>(repeating: 0)
    private(set) var functions = InlineArray<80, Function>(repeating: .input)
    private(set) var operands = InlineArray<80, SIMD4<UInt8>>(repeating: SIMD4(repeating: 0))

    init() {
        for index in 0..<Self.inputs { _ = append(SubstitutionBox.inputTable(index), .input, SIMD4(repeating: 0)) }
    }

    var gates: Int { count - Self.inputs }

    mutating func append(_ table: UInt64, _ function: Function, _ operands: SIMD4<UInt8>) -> Int {
        // What is there already is not made twice.
        for index in 0..<count where tables[index] == table { return index }
        tables[count] = table
        functions[count] = function
        self.operands[count] = operands
        count += 1
        return count - 1
    }

    mutating func add(_ function: Function, _ a: Int, _ b: Int) -> Int {
        let left = tables[a]
        let right = tables[b]
        let table =
            switch function {
            case .and: left & right
            case .or: left | right
            case .xor: left ^ right
            case .andNot: left & ~right
            default: ~left
            }
        return append(table, function, SIMD4(UInt8(a), UInt8(b), 0, 0))
    }

    mutating func addLookUp(_ table8: UInt8, _ a: Int, _ b: Int, _ c: Int) -> Int {
        var table: UInt64 = 0
        for row in 0..<8 where table8 >> UInt8(row) & 1 == 1 {
            let first = row & 4 == 0 ? ~tables[a] : tables[a]
            let second = row & 2 == 0 ? ~tables[b] : tables[b]
            let third = row & 1 == 0 ? ~tables[c] : tables[c]
            table |= first & second & third
        }
        return append(table, .lookUp, SIMD4(UInt8(a), UInt8(b), UInt8(c), table8))
    }
}
