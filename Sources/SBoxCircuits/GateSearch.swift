/// Builds a circuit of AND, OR, XOR, AND-NOT and NOT for one output after another, in the manner of Matthew Kwan ("Reducing
/// the gate count of bitslice DES", 2000): use a node that is there, else one new gate, else two, else choose by an input bit
/// and build for both sides, each free to be anything on the other.
struct GateSearch {
    /// The inputs in the order in which they are used to choose.
    var order: [Int]

    /// A node equal to `target` where `mask` is 1; nil where it needs more than `limit` nodes in all.
    func node(_ target: UInt64, _ mask: UInt64, in circuit: inout Circuit, depth: Int = 0, limit: Int) -> Int? {
        if let found = Self.existing(target, mask, circuit) { return found }
        if circuit.count + 1 > limit { return nil }
        if let found = Self.existing(~target, mask, circuit) { return circuit.add(.not, found, found) }
        if let pair = Self.oneGate(target, mask, circuit) { return circuit.add(pair.function, pair.a, pair.b) }
        if circuit.count + 2 > limit { return nil }
        if let found = Self.twoGates(target, mask, &circuit) { return found }
        if circuit.count + 3 > limit { return nil }
        return choice(target, mask, &circuit, depth, limit)
    }

    /// g ^ (x & h) or g ^ (h & ~x), whichever is smaller.
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
            let allowed = (best?.circuit.count ?? limit + 1) - 1
            let side = isHigh ? mask & bit : mask & ~bit
            var trial = circuit
            guard let g = node(target, side, in: &trial, depth: depth + 1, limit: allowed - 2) else { continue }
            let rest = mask & ~side
            guard let h = node(target ^ trial.tables[g], rest, in: &trial, depth: depth + 1, limit: allowed - 2)
            else { continue }
            let chosen = isHigh ? trial.add(.andNot, h, input) : trial.add(.and, h, input)
            let made = trial.add(.xor, g, chosen)
            if trial.count <= allowed { best = (trial, made) }
        }
        guard let best else { return nil }
        circuit = best.circuit
        return best.node
    }

    // MARK: Matches

    @inline(__always)
    static func existing(_ target: UInt64, _ mask: UInt64, _ circuit: borrowing Circuit) -> Int? {
        for index in 0..<circuit.count where (circuit.tables[index] ^ target) & mask == 0 { return index }
        return nil
    }

    private struct Pair {
        let function: Circuit.Function
        let a: Int
        let b: Int
    }

    private static func oneGate(_ target: UInt64, _ mask: UInt64, _ circuit: borrowing Circuit) -> Pair? {
        let want = target & mask
        let count = circuit.count
        for a in 0..<count {
            let x = circuit.tables[a] & mask
            if x & want == want {
                // x covers the target: cut it down.
                for b in 0..<count {
                    let y = circuit.tables[b] & mask
                    if x & y == want { return Pair(function: .and, a: a, b: b) }
                    if x & ~y == want { return Pair(function: .andNot, a: a, b: b) }
                }
            } else if x & ~want == 0 {
                for b in a + 1..<max(count, a + 1) {
                    let y = circuit.tables[b] & mask
                    if x | y == want { return Pair(function: .or, a: a, b: b) }
                }
            }
            let other = x ^ want
            for b in a + 1..<max(count, a + 1) where circuit.tables[b] & mask == other {
                return Pair(function: .xor, a: a, b: b)
            }
        }
        return nil
    }

    /// An outer gate of one node that is there and one that a single new gate makes.
    private static func twoGates(_ target: UInt64, _ mask: UInt64, _ circuit: inout Circuit) -> Int? {
        for c in 0..<circuit.count {
            let table = circuit.tables[c]
            if target & ~table & mask == 0, let inner = oneGate(target, mask & table, circuit) {
                return circuit.add(.and, circuit.add(inner.function, inner.a, inner.b), c)
            }
            if target & table & mask == 0, let inner = oneGate(target, mask & ~table, circuit) {
                return circuit.add(.andNot, circuit.add(inner.function, inner.a, inner.b), c)
            }
            if ~target & table & mask == 0, let inner = oneGate(target, mask & ~table, circuit) {
                return circuit.add(.or, circuit.add(inner.function, inner.a, inner.b), c)
            }
            if target & ~table & mask == 0, let inner = oneGate(~target, mask & table, circuit) {
                return circuit.add(.andNot, c, circuit.add(inner.function, inner.a, inner.b))
            }
            if let inner = oneGate(target ^ table, mask, circuit) {
                return circuit.add(.xor, circuit.add(inner.function, inner.a, inner.b), c)
            }
        }
        return nil
    }
}
