/// Builds a circuit of look-ups of three bits (what AVX-512's vpternlog does) for one output after another: use a node that is
/// there, else one look-up, else two over five nodes, else choose by an input bit.
///
/// A look-up over three nodes can give the target where no two inputs that look the same to the three nodes need different
/// values. Two look-ups over five, where the values of the inner one can be coloured so; see `innerFunction`.
struct LookUpSearch {
    var order: [Int]

    func node(_ target: UInt64, _ mask: UInt64, in circuit: inout Circuit, depth: Int = 0, limit: Int) -> Int? {
        if let found = GateSearch.existing(target, mask, circuit) { return found }
        if circuit.count + 1 > limit { return nil }
        if let found = Self.oneLookUp(target, mask, &circuit) { return found }
        if circuit.count + 2 > limit { return nil }
        if let found = Self.twoLookUps(target, mask, &circuit) { return found }
        if circuit.count + 3 > limit { return nil }
        return choice(target, mask, &circuit, depth, limit)
    }

    private func choice(
        _ target: UInt64, _ mask: UInt64, _ circuit: inout Circuit, _ depth: Int, _ limit: Int
    ) -> Int? {
        guard depth < order.count else { return nil }
        let input = order[depth]
        let bit = circuit.tables[input]
        if mask & bit == 0 || mask & ~bit == 0 {
            return node(target, mask, in: &circuit, depth: depth + 1, limit: limit)
        }
        var best: (circuit: Circuit, node: Int)?
        for isHigh in [false, true] {
            let side = isHigh ? mask & bit : mask & ~bit
            let rest = mask & ~side
            var first = circuit
            let allowed = (best?.circuit.count ?? limit + 1) - 1
            guard let g = node(target, side, in: &first, depth: depth + 1, limit: allowed - 1) else { continue }
            // On the other side the last look-up may take h as it is or xored with g.
            for isXored in [false, true] {
                let allowed = (best?.circuit.count ?? limit + 1) - 1
                var trial = first
                let wanted = isXored ? target ^ trial.tables[g] : target
                guard let h = node(wanted, rest, in: &trial, depth: depth + 1, limit: allowed - 1) else { continue }
                let made = Self.lookUp(target, mask, input, g, h, &trial)
                if let made, trial.count <= allowed { best = (trial, made) }
            }
        }
        guard let best else { return nil }
        circuit = best.circuit
        return best.node
    }

    /// The look-up of three nodes that gives the target, if there is one.
    private static func lookUp(
        _ target: UInt64, _ mask: UInt64, _ a: Int, _ b: Int, _ c: Int, _ circuit: inout Circuit
    ) -> Int? {
        var table8: UInt8 = 0
        for row in 0..<8 {
            let cell =
                (row & 4 == 0 ? ~circuit.tables[a] : circuit.tables[a])
                & (row & 2 == 0 ? ~circuit.tables[b] : circuit.tables[b])
                & (row & 1 == 0 ? ~circuit.tables[c] : circuit.tables[c]) & mask
            if cell & target != 0 {
                if cell & ~target != 0 { return nil }
                table8 |= 1 << UInt8(row)
            }
        }
        return circuit.addLookUp(table8, a, b, c)
    }

    private static func oneLookUp(_ target: UInt64, _ mask: UInt64, _ circuit: inout Circuit) -> Int? {
        let count = circuit.count
        let ones = target & mask
        let zeros = ~target & mask
        for a in 0..<count {
            let x = circuit.tables[a]
            for b in a + 1..<max(count, a + 1) {
                let y = circuit.tables[b]
                let cells = (x & y, x & ~y, ~x & y, ~x & ~y)
                let one = (ones & cells.0, ones & cells.1, ones & cells.2, ones & cells.3)
                let zero = (zeros & cells.0, zeros & cells.1, zeros & cells.2, zeros & cells.3)
                for c in b + 1..<max(count, b + 1) {
                    let z = circuit.tables[c]
                    if one.0 & z != 0 && zero.0 & z != 0 || one.0 & ~z != 0 && zero.0 & ~z != 0 { continue }
                    if one.1 & z != 0 && zero.1 & z != 0 || one.1 & ~z != 0 && zero.1 & ~z != 0 { continue }
                    if one.2 & z != 0 && zero.2 & z != 0 || one.2 & ~z != 0 && zero.2 & ~z != 0 { continue }
                    if one.3 & z != 0 && zero.3 & z != 0 || one.3 & ~z != 0 && zero.3 & ~z != 0 { continue }
                    return lookUp(target, mask, a, b, c, &circuit)
                }
            }
        }
        return nil
    }

    // MARK: Two look-ups over five nodes

    /// The cells into which nodes divide the inputs, as far as they still hold inputs that need different values.
    private struct Cells {
        var cells = InlineArray<16, UInt64>(repeating: 0)
        var count = 0

        init(whole: UInt64) {
            cells[0] = whole
            count = 1
        }

        private init() {}

        @inline(__always)
        func divided(by table: UInt64, ones: UInt64, zeros: UInt64) -> Cells {
            var result = Cells()
            for index in 0..<count {
                let high = cells[index] & table
                let low = cells[index] & ~table
                if high & ones != 0 && high & zeros != 0 {
                    result.cells[result.count] = high
                    result.count += 1
                }
                if low & ones != 0 && low & zeros != 0 {
                    result.cells[result.count] = low
                    result.count += 1
                }
            }
            return result
        }

        @inline(__always)
        func isSettled(by table: UInt64, ones: UInt64, zeros: UInt64) -> Bool {
            for index in 0..<count {
                let high = cells[index] & table
                let low = cells[index] & ~table
                if high & ones != 0 && high & zeros != 0 || low & ones != 0 && low & zeros != 0 { return false }
            }
            return true
        }
    }

    private static func twoLookUps(_ target: UInt64, _ mask: UInt64, _ circuit: inout Circuit) -> Int? {
        let count = circuit.count
        let ones = target & mask
        let zeros = ~target & mask
        let whole = Cells(whole: mask)
        var chosen = InlineArray<5, Int>(repeating: 0)
        for a in 0..<count {
            let first = whole.divided(by: circuit.tables[a], ones: ones, zeros: zeros)
            for b in a + 1..<max(count, a + 1) {
                let second = first.divided(by: circuit.tables[b], ones: ones, zeros: zeros)
                for c in b + 1..<max(count, b + 1) {
                    let third = second.divided(by: circuit.tables[c], ones: ones, zeros: zeros)
                    for d in c + 1..<max(count, c + 1) {
                        let fourth = third.divided(by: circuit.tables[d], ones: ones, zeros: zeros)
                        for e in d + 1..<max(count, d + 1)
                        where fourth.isSettled(by: circuit.tables[e], ones: ones, zeros: zeros) {
                            chosen = [a, b, c, d, e]
                            if let found = decomposed(chosen, target, mask, &circuit) { return found }
                        }
                    }
                }
            }
        }
        return nil
    }

    /// The ten ways to give three of five nodes to an inner look-up and the other two with its value to an outer one.
    private static let inner: [SIMD8<Int>] = [
        [0, 1, 2, 3, 4, 0, 0, 0], [0, 1, 3, 2, 4, 0, 0, 0], [0, 1, 4, 2, 3, 0, 0, 0], [0, 2, 3, 1, 4, 0, 0, 0],
        [0, 2, 4, 1, 3, 0, 0, 0], [0, 3, 4, 1, 2, 0, 0, 0], [1, 2, 3, 0, 4, 0, 0, 0], [1, 2, 4, 0, 3, 0, 0, 0],
        [1, 3, 4, 0, 2, 0, 0, 0], [2, 3, 4, 0, 1, 0, 0, 0],
    ]

    private static func decomposed(
        _ nodes: InlineArray<5, Int>, _ target: UInt64, _ mask: UInt64, _ circuit: inout Circuit
    ) -> Int? {
        for split in inner {
            let (a, b, c) = (nodes[split[0]], nodes[split[1]], nodes[split[2]])
            let (d, e) = (nodes[split[3]], nodes[split[4]])
            var constraints = InlineArray<4, (ones: UInt8, zeros: UInt8)>(repeating: (0, 0))
            for row in 0..<8 {
                let cell =
                    (row & 4 == 0 ? ~circuit.tables[a] : circuit.tables[a])
                    & (row & 2 == 0 ? ~circuit.tables[b] : circuit.tables[b])
                    & (row & 1 == 0 ? ~circuit.tables[c] : circuit.tables[c]) & mask
                for outer in 0..<4 {
                    let part =
                        cell & (outer & 2 == 0 ? ~circuit.tables[d] : circuit.tables[d])
                        & (outer & 1 == 0 ? ~circuit.tables[e] : circuit.tables[e])
                    if part & target != 0 { constraints[outer].ones |= 1 << UInt8(row) }
                    if part & ~target != 0 { constraints[outer].zeros |= 1 << UInt8(row) }
                }
            }
            guard let table8 = innerFunction(constraints) else { continue }
            let middle = circuit.addLookUp(table8, a, b, c)
            if let made = lookUp(target, mask, middle, d, e, &circuit) { return made }
        }
        return nil
    }

    /// An inner function that lets the outer one tell apart what must be told apart. For each value of the outer nodes, rows
    /// that need 1 and rows that need 0 must get different inner values, so all the former one value and all the latter the
    /// other; which one is free until two such pairs share a row.
    private static func innerFunction(_ constraints: InlineArray<4, (ones: UInt8, zeros: UInt8)>) -> UInt8? {
        var pending = constraints
        var high: UInt8 = 0
        var low: UInt8 = 0
        var left = 4
        while left > 0 {
            // One that shares a row with what is settled, else any.
            var next = 0
            for index in 0..<left where (pending[index].ones | pending[index].zeros) & (high | low) != 0 {
                next = index
            }
            let (ones, zeros) = pending[next]
            pending[next] = pending[left - 1]
            left -= 1
            if ones == 0 || zeros == 0 { continue }
            let isStraight = ones & low == 0 && zeros & high == 0
            let isCrossed = ones & high == 0 && zeros & low == 0
            if isStraight {
                high |= ones
                low |= zeros
            } else if isCrossed {
                high |= zeros
                low |= ones
            } else {
                return nil
            }
        }
        return high
    }
}
