/// A way to add an output to a circuit.
protocol CircuitSearch: SendableMetatype {
    /// `order`: the inputs in the order in which they are used to choose between two sides.
    init(order: [Int])
    func node(_ target: UInt64, _ mask: UInt64, in circuit: inout Circuit, depth: Int, limit: Int) -> Int?
}

extension GateSearch: CircuitSearch {}
extension LookUpSearch: CircuitSearch {}

/// SplitMix64: the same seed gives the same circuits on every machine.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// A circuit with the nodes of its four outputs (-1: not built yet).
struct BoxCircuit {
    var circuit = Circuit()
    var outputs = SIMD4<Int>(repeating: -1)

    /// Without the nodes that no output needs: a node that was made for one may have been found again by another way.
    func pruned() -> BoxCircuit {
        var isNeeded = [Bool](repeating: false, count: circuit.count)
        for output in 0..<4 { isNeeded[outputs[output]] = true }
        for node in stride(from: circuit.count - 1, through: Circuit.inputs, by: -1) where isNeeded[node] {
            for operand in 0..<circuit.functions[node].operands {
                isNeeded[Int(circuit.operands[node][operand])] = true
            }
        }
        var result = BoxCircuit()
        var places = Array(0..<circuit.count)
        for node in Circuit.inputs..<circuit.count where isNeeded[node] {
            var operands = circuit.operands[node]
            for operand in 0..<circuit.functions[node].operands {
                operands[operand] = UInt8(places[Int(operands[operand])])
            }
            places[node] = result.circuit.append(circuit.tables[node], circuit.functions[node], operands)
        }
        for output in 0..<4 { result.outputs[output] = places[outputs[output]] }
        return result
    }
}

/// How much is tried for each box.
struct Effort {
    /// Partial circuits that go on to the next output.
    let beam: Int
    /// Orders of the inputs that each partial circuit and each missing output is tried with.
    let orders: Int
}

/// Four outputs one after another. The order of outputs and, for each, of the inputs decides how much is shared, and nobody
/// knows which is good: many are tried at random, and the smallest partial circuits go on.
func searched<Search: CircuitSearch>(_ box: Int, by search: Search.Type, _ effort: Effort, seed: UInt64) -> BoxCircuit {
    var dice = Dice(state: seed &+ UInt64(box) << 32)
    var beam = [BoxCircuit()]
    for stage in 0..<4 {
        var next: [BoxCircuit] = []
        var seen: Set<[UInt64]> = []
        // As many attempts at every stage, whatever the number of partial circuits.
        let orders = max(effort.orders, effort.beam * effort.orders / beam.count / (4 - stage))
        for partial in beam {
            for output in 0..<4 where partial.outputs[output] < 0 {
                for _ in 0..<orders {
                    let order = Array(0..<Circuit.inputs).shuffled(using: &dice)
                    let limit = next.count < effort.beam ? Circuit.capacity - 4 : next[next.count - 1].circuit.count
                    var trial = partial
                    let target = SubstitutionBox.outputTable(box, output)
                    guard
                        let node = Search(order: order).node(
                            target, .max, in: &trial.circuit, depth: 0, limit: limit)
                    else { continue }
                    trial.outputs[output] = node
                    let key = (0..<trial.circuit.count).map { trial.circuit.tables[$0] }.sorted()
                    guard seen.insert(key).inserted else { continue }
                    let place = next.firstIndex { $0.circuit.count > trial.circuit.count } ?? next.count
                    next.insert(trial, at: place)
                    if next.count > effort.beam { next.removeLast() }
                }
            }
        }
        beam = next
    }
    return beam.map { $0.pruned() }.min { $0.circuit.count < $1.circuit.count } ?? BoxCircuit()
}
