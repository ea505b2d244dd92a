// Finds the circuits of the bit-sliced DES and writes them into Sources/CBitslicedDES (or the folder that is named):
//
//     swift run -c release sbox-circuits [folder]
//
// Takes minutes. The same sources give the same circuits, whatever the machine and however many processors it has.
import Dispatch
import Foundation
import Synchronization

let folder = URL(filePath: CommandLine.arguments.dropFirst().first ?? "Sources/CBitslicedDES")

func circuits<Search: CircuitSearch>(_ search: Search.Type, _ effort: Effort, seed: UInt64) -> [BoxCircuit] {
    let found = Mutex([BoxCircuit?](repeating: nil, count: SubstitutionBox.count))
    DispatchQueue.concurrentPerform(iterations: SubstitutionBox.count) { box in
        let circuit = searched(box, by: search, effort, seed: seed)
        found.withLock { $0[box] = circuit }
        FileHandle.standardError.write(Data("S\(box + 1): \(circuit.circuit.gates)\n".utf8))
    }
    return found.withLock { $0.compactMap { $0 } }
}

func write(_ text: CircuitText, to name: String) throws {
    try Data(text.text.utf8).write(to: folder.appending(path: name))
    FileHandle.standardError.write(Data("\(name): \(text.average) on average\n".utf8))
}

try write(
    CircuitText(
        title: "AND, OR, XOR, AND-NOT, NOT",
        circuits: circuits(GateSearch.self, Effort(beam: 60, orders: 24), seed: 1)),
    to: "sbox_gates.h")
try write(
    CircuitText(
        title: "look-ups of three bits",
        circuits: circuits(LookUpSearch.self, Effort(beam: 16, orders: 8), seed: 2)),
    to: "sbox_lookups.h")
