import CryptoClient
import HSMBridge
import KMS

/// What the routes work with: the keys that a client may use, the module, and the counts.
struct ServiceDesk: Sendable {
    let module: any SecurityModule
    let directory: KeyDirectory
    let counts: RequestCounts
    let failedChecks: FailedChecks
    let clocks: Clocks

    func access(of client: String) -> KeyAccess {
        KeyAccess(
            snapshot: directory.snapshot, client: client, now: clocks.wall(), isStale: directory.isStale)
    }

    func execute<Command: ModuleCommand>(_ command: Command) async throws(Refusal) -> Command.Reply {
        do throws(ModuleRefusal) { return try await module.execute(command) } catch { throw .module(error.error) }
    }
}

/// One request of one client: finds its keys, carries it out, counts it.
struct ServiceCall: Sendable {
    let desk: ServiceDesk
    let client: String
    let body: JSONBody

    /// The key of the field, granted for the operation.
    func key(_ field: JSONField, for operation: ServiceOperation) throws(Refusal) -> GrantedKey {
        let access = desk.access(of: client)
        do throws(Refusal) { return try access.key(text: body.text(field), for: operation) } catch {
            note(KeyAccess.unnamed, operation, error.code)
            throw error
        }
    }

    /// Carries one command out and counts it; `isGood` says whether what was checked was right.
    func run<Command: ModuleCommand>(
        _ command: Command, key: GrantedKey?, _ operation: ServiceOperation,
        isGood: (Command.Reply) -> Bool = { _ in true }
    ) async throws(Refusal) -> Command.Reply {
        let name = key?.name ?? KeyAccess.unnamed
        do throws(Refusal) {
            let reply = try await desk.execute(command)
            let good = isGood(reply)
            desk.counts.count(
                client: client, key: name, operation: operation, succeeded: good ? 1 : 0, failed: good ? 0 : 1)
            if !good { note(name, operation, .verificationFailed) }
            return reply
        } catch {
            desk.counts.count(client: client, key: name, operation: operation, succeeded: 0, failed: 1)
            throw error
        }
    }

    func note(_ key: String, _ operation: ServiceOperation, _ code: HostErrorCode) {
        desk.failedChecks.record(client: client, key: key, operation: operation, code: code.rawValue, origin: "http")
    }
}
