import CryptoService
import ServiceLifecycle
import UnixSignals

/// Reads the TLS files again on SIGHUP, and every few seconds if they changed: a renewed certificate needs no restart.
struct TLSReload: Service {
    let material: TLSMaterial
    /// 0: on the signal alone.
    let seconds: Int

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup { group in
                group.addTask { [self] in await onSignal() }
                if seconds > 0 { group.addTask { [self] in await watch() } }
            }
        }
    }

    private func onSignal() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { material.reload(always: true) }
    }

    private func watch() async {
        while (try? await Task.sleep(for: .seconds(seconds))) != nil { material.reload() }
    }
}
