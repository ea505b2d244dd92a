import CryptoClient
import HSMBridge
import KMS

/// YD for many cards of one master under one key.
struct DiversificationBatch: Sendable {
    let master: HostKeyReference
    let paths: [DiversificationPath]
    let transportKey: HostKeyReference?

    /// The command that one of the cards would be alone.
    func request(_ index: Int) -> DiversifyKeyRequest {
        DiversifyKeyRequest(key: CardKey(master: master, path: paths[index]), transportKey: transportKey)
    }

    /// Runs of cards with as many levels, each as long as one command of the module may be.
    var runs: [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in paths.indices {
            let levels = max(1, paths[index].count)
            if let last = runs.last, paths[last.lowerBound].count == paths[index].count,
                (last.count + 1) * levels <= DiversifyKeyBatch.maximumFactors
            {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }
}

extension SlowCommands {
    /// Answers each card; where one cannot be answered none is, and all have its code.
    func answer(_ batch: DiversificationBatch, _ access: KeyAccess) async -> [HostAnswer] {
        var used = KeyAccess.unnamed
        var answers: [HostAnswer] = []
        do throws(Refusal) {
            for reply in try await diversify(batch, access, &used) { answers.append(.key(reply)) }
        } catch {
            answers = Array(repeating: .refused(error.code), count: batch.paths.count)
        }
        let succeeded = answers.count { $0.isSuccess }
        counts.count(
            client: access.client, key: used, operation: .diversify, succeeded: succeeded,
            failed: answers.count - succeeded)
        return answers
    }

    private func diversify(
        _ batch: DiversificationBatch, _ access: KeyAccess, _ used: inout String
    ) async throws(Refusal) -> [KeyReply] {
        let (master, transport) = try diversificationKeys(batch.master, batch.transportKey, access, &used)
        var replies: [KeyReply] = []
        for run in batch.runs {
            let command = DiversifyKeyBatch(
                key: master.reference, levels: UInt8(batch.paths[run.lowerBound].count),
                factors: batch.paths[run].flatMap { $0.factors.map(\.rawValue) }, transportKey: transport?.reference)
            let keys = try await execute(command).keys
            guard keys.count == run.count else { throw .host(.internalError) }
            for key in keys { replies.append(transport == nil ? try reply(key) : try transportReply(key)) }
        }
        return replies
    }
}
