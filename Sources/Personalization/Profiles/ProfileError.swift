/// What is wrong with a card profile, with the place: nothing of a bad profile is ever used.
public struct ProfileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Path of the file, as it was given.
    public let file: String
    /// From 1; 0 where the whole file is meant.
    public let line: Int
    /// Keys and positions that lead to the place, such as `keys.purchase.version`.
    public let path: String
    /// What stands there and what is expected.
    public let problem: String

    public var description: String {
        let place = line > 0 ? "\(file):\(line)" : file
        return path.isEmpty ? "\(place): \(problem)" : "\(place): \(path): \(problem)"
    }
}
