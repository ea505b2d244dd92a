import Testing

@testable import HSMEngine

@Suite struct SelfTestTests {
    @Test func `all self-tests pass`() { #expect(SelfTests.firstFailure() == nil) }

    @Test(arguments: SelfTests.all.map(\.name)) func `each self-test can fail, and is the one named`(name: String) {
        #expect(SelfTests.firstFailure(breaking: name) == name)
    }

    @Test func `names are unique`() {
        #expect(Set(SelfTests.all.map(\.name)).count == SelfTests.all.count)
        #expect(SelfTests.all.count >= 36)
    }
}
