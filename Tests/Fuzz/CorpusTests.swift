import Foundation
import Testing

/// Everything the fuzzer ever found worth keeping goes through its target again, crashes of the past first of all.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpus")

    @Test(arguments: FuzzTarget.all.map(\.name)) func `no kept input finds anything`(target name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let place = Self.folder.appending(path: name)
        let files = try FileManager.default.contentsOfDirectory(atPath: place.path)
        #expect(!files.isEmpty)
        for file in files.sorted() {
            let input = try [UInt8](Data(contentsOf: place.appending(path: file)))
            #expect(target.finding(input) == nil, "\(name)/\(file)")
        }
    }

    @Test func `every folder of the corpus has a target`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names) == Set(FuzzTarget.all.map(\.name)))
    }
}
