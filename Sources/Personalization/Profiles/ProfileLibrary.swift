internal import Foundation

/// All card profiles of a folder, each checked when it is read.
public struct ProfileLibrary: Sendable {
    public let profiles: [CardProfile]

    /// Reads every `*.yaml`; a profile's name is its file's name.
    public init(folder: String) throws(ProfileError) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
                .sorted()
        } catch {
            throw ProfileError(file: folder, line: 0, path: "", problem: "the folder of card profiles cannot be read")
        }
        var profiles: [CardProfile] = []
        for name in names {
            let path = "\(folder)/\(name)"
            guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= 262_144,
                let text = String(data: bytes, encoding: .utf8)
            else {
                throw ProfileError(file: path, line: 0, path: "", problem: "not readable UTF-8 text of at most 256 KiB")
            }
            let profile = try CardProfile(yaml: text, file: path)
            guard "\(profile.name).yaml" == name else {
                throw ProfileError(
                    file: path, line: 0, path: "profile",
                    problem: "the file of profile `\(profile.name)` must be \(profile.name).yaml")
            }
            profiles.append(profile)
        }
        self.profiles = profiles
    }

    public init(_ profiles: [CardProfile]) { self.profiles = profiles }

    public func profile(_ name: String) -> CardProfile? { profiles.first { $0.name == name } }
}
