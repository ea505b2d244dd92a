/// A security module: takes a message of commands, answers each.
///
/// Two conformers: `ModuleBridge` (the module's own process, over its socket) and `HSMEngine.SoftwareModule` (in this process:
/// in `kmsd hsm` itself and in tests).
public protocol SecurityModule: Sendable {
    func exchange(_ request: consuming ModuleRequest) async throws(ModuleError) -> ModuleReply
}

extension SecurityModule {
    /// Carries out one command.
    public func execute<Command: ModuleCommand & ~Copyable>(
        _ command: borrowing Command
    ) async throws(ModuleRefusal) -> Command.Reply {
        var request = ModuleRequest()
        request.append(command)
        do {
            return try await exchange(request).reply(0, to: Command.self)
        } catch let error as ModuleError {
            throw ModuleRefusal(error)
        } catch let refusal as ModuleRefusal {
            throw refusal
        } catch {
            throw ModuleRefusal(.internalFault)
        }
    }

    /// Carries out many commands of one kind in one message; the results stand in the same order.
    public func execute<Command: ModuleCommand>(
        all commands: [Command]
    ) async throws(ModuleError) -> [Result<Command.Reply, ModuleRefusal>] {
        var request = ModuleRequest(capacity: 256 * commands.count + 64)
        for command in commands { request.append(command) }
        let reply = try await exchange(request)
        return commands.indices.map { index in
            do throws(ModuleRefusal) { return .success(try reply.reply(index, to: Command.self)) } catch {
                return .failure(error)
            }
        }
    }
}
