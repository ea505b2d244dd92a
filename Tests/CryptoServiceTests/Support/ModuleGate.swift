import NIOCore
import NIOPosix
import Synchronization

/// Stands between a service and its module's socket and keeps the module's answers back until it is opened: what has been asked by
/// then is certainly under way.
final class ModuleGate: Sendable {
    /// Where the service finds its module.
    let path: String
    private let state = Mutex(State())
    private let listening: Task<Void, any Error>

    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var asked = 0
    }

    init(before module: String, at path: String) async throws {
        self.path = path
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let (gates, gate) = AsyncStream.makeStream(of: ModuleGate.self)
        listening = Task {
            var iterator = gates.makeAsyncIterator()
            guard let gate = await iterator.next() else { return }
            try await server.executeThenClose { callers in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await caller in callers {
                        // A connection that breaks is the service's business.
                        group.addTask { try? await gate.relay(caller, module) }
                    }
                }
            }
        }
        gate.yield(self)
    }

    /// Reads of questions so far.
    var asked: Int { state.withLock { $0.asked } }

    /// Lets the answers through, those that are kept and all later ones.
    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func close() { listening.cancel() }

    private func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    private func relay(_ caller: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ module: String) async throws {
        let callee = try await World.clients
            .connect(unixDomainSocketPath: module) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await caller.executeThenClose { questions, toCaller in
            try await callee.executeThenClose { answers, toCallee in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await bytes in questions {
                            self.state.withLock { $0.asked += 1 }
                            try await toCallee.write(bytes)
                        }
                    }
                    group.addTask {
                        for try await bytes in answers {
                            await self.pass()
                            try await toCaller.write(bytes)
                        }
                    }
                    // The end of either is the end of both.
                    try await group.next()
                    group.cancelAll()
                }
            }
        }
    }
}
