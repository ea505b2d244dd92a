import ArgumentParser
import KMS
import Testing

@testable import kmsd

struct ClientHelpTests {
    @Test func `The help of a grant names every operation that can be granted`() {
        let words = Set(ClientCommandGroup.Grant.helpMessage(columns: 200).split { !$0.isLetter }.map(String.init))
        #expect(ServiceOperation.allCases.filter { !words.contains($0.rawValue) } == [])
    }
}
