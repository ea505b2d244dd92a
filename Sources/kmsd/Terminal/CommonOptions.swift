import ArgumentParser
import Glibc
import HSMBridge

/// The options that every verb has.
struct CommonOptions: ParsableArguments {
    @Option(help: "Configuration file (default /etc/kmsd/kmsd.yaml if it exists).")
    var config: String?

    @Flag(help: "Print the result as JSON, for other programs.")
    var json = false

    func settings() async throws -> Settings {
        do { return try await Settings.read(config) } catch { throw CommandFailure("\(error)") }
    }

    func module() async throws -> ModuleBridge { ModuleBridge(path: try await settings().hsm.socket, lanes: 1) }
}

/// A verb's failure: one line for the person, exit status 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs a command at the module and turns its refusal into a line for the person.
func atModule<T>(_ body: () async throws(ModuleRefusal) -> T) async throws -> T {
    do throws(ModuleRefusal) { return try await body() } catch { throw CommandFailure(ModuleErrorText.message(error)) }
}

extension SecretPrompt {
    static func required(_ question: String, hexadecimal: Bool = false) throws -> SecretInput {
        do throws(SecretInput.Refusal) { return try read(question, hexadecimal: hexadecimal) } catch {
            switch error {
            case .empty: throw CommandFailure("Nothing was entered.")
            case .tooLong: throw CommandFailure("The input is too long.")
            case .notHexadecimal: throw CommandFailure("Only hexadecimal digits, two a byte, are allowed here.")
            case .unreadable: throw CommandFailure("Cannot read from the terminal.")
            }
        }
    }
}
