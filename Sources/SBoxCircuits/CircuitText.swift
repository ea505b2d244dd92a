/// A set of eight circuits as a C header.
///
/// The text uses AND, OR, XOR, ANDNOT, NOT and LOOKUP, which the file that includes it defines for its kind of vector.
struct CircuitText {
    let title: String
    let circuits: [BoxCircuit]

    var average: Double { Double(circuits.reduce(0) { $0 + $1.circuit.gates }) / Double(circuits.count) }

    var text: String {
        let counts = circuits.map { "\($0.circuit.gates)" }.joined(separator: " ")
        var lines = [
            "// Made by `swift run -c release sbox-circuits`; do not edit. S-boxes of DES: \(title).",
            "// S1 to S8: \(counts); on average \(average).",
            "// x0 is the first input bit (the row's high bit), y0 the first output bit; all are planes of one bit a lane.",
        ]
        for (box, circuit) in circuits.enumerated() { lines += function(box, circuit) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func function(_ box: Int, _ circuit: BoxCircuit) -> [String] {
        var lines = [
            "",
            "SBOX void sbox\(box + 1)(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {",
        ]
        for node in Circuit.inputs..<circuit.circuit.count {
            lines.append("    const V \(name(node)) = \(expression(node, circuit.circuit));")
        }
        for output in 0..<4 { lines.append("    *y\(output) = \(name(circuit.outputs[output]));") }
        return lines + ["}"]
    }

    private func name(_ node: Int) -> String { node < Circuit.inputs ? "x\(node)" : "t\(node - Circuit.inputs)" }

    private func expression(_ node: Int, _ circuit: Circuit) -> String {
        let operands = circuit.operands[node]
        let a = name(Int(operands[0]))
        let b = name(Int(operands[1]))
        switch circuit.functions[node] {
        case .input: return a
        case .and: return "AND(\(a), \(b))"
        case .or: return "OR(\(a), \(b))"
        case .xor: return "XOR(\(a), \(b))"
        case .andNot: return "ANDNOT(\(a), \(b))"
        case .not: return "NOT(\(a))"
        case .lookUp:
            let digits = String(operands[3], radix: 16, uppercase: true)
            return "LOOKUP(0x\(digits.count < 2 ? "0" : "")\(digits), \(a), \(b), \(name(Int(operands[2]))))"
        }
    }
}
