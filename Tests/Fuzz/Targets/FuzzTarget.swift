/// One place where bytes come in that nobody has looked at yet.
///
/// The same function runs under libFuzzer (`make fuzz`) and, over the kept corpus, in every test run. Its contract: no input
/// makes it trap, and what it finds wrong without trapping it says.
struct FuzzTarget: Sendable {
    /// Also the name of its folder in the corpus.
    let name: String
    /// What is wrong, in one sentence; nil when all is well, whatever the input.
    let finding: @Sendable (_ input: [UInt8]) -> String?

    static let all = [
        hostFrames, hostReplies, keyBlocks, moduleMessages, moduleReplies, httpBodies,
    ]
}
