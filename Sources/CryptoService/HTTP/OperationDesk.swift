import CryptoClient
import NIOCore

/// Carries operations out on an event loop of the host commands, once for each idempotency key.
struct OperationDesk: Sendable {
    let responder: Responder
    let created: IdempotencyStore
    let admission: Admission

    /// `done` hears the outcome once, on the loop; perhaps before this returns.
    func carryOut(
        _ intake: OperationIntake, on eventLoop: any EventLoop, _ done: @escaping (OperationOutcome) -> Void
    ) {
        if let problem = intake.problem { return done(.problem(problem)) }
        guard let loop = responder.loop(of: eventLoop) else {
            return done(.problem(HTTPProblem(Refusal.host(.internalError))))
        }
        do throws(HTTPProblem) {
            if let key = intake.key {
                guard intake.body.readableBytes <= IdempotencyStore.bodyLimit else {
                    throw HTTPProblem(.bodyTooLong, "the body is longer than the limit", code: .dataLength)
                }
                try checkGrant(intake, loop)
                if case .answered(let answer) = try created.begin(key, intake.body) { return done(.done(answer)) }
                return try ask(intake, loop) { outcome in
                    if case .done(let answer) = outcome { created.finish(key, answer) } else { created.forget(key) }
                    done(outcome)
                } refused: {
                    created.forget(key)
                }
            }
            try ask(intake, loop, done)
        } catch {
            done(.problem(error))
        }
    }

    /// What was granted when the first answer was given may have been taken away since.
    private func checkGrant(_ intake: OperationIntake, _ loop: HostLoop) throws(HTTPProblem) {
        guard let grant = intake.route.grant else { return }
        do throws(Refusal) { try loop.access(of: intake.client.id).requireGrant(grant) } catch {
            throw HTTPProblem(error)
        }
    }

    /// Runs `work` when all answers of the module's message are in.
    func atEndOfTurn(_ eventLoop: any EventLoop, _ work: @escaping () -> Void) {
        guard let loop = responder.loop(of: eventLoop) else { return work() }
        loop.atEndOfTurn(work)
    }

    private func ask(
        _ intake: OperationIntake, _ loop: HostLoop, _ done: @escaping (OperationOutcome) -> Void,
        refused: () -> Void = {}
    ) throws(HTTPProblem) {
        let call: OperationCall
        do throws(HTTPProblem) {
            call = try OperationCall(intake.route, client: intake.client.id, intake.body)
            do throws(AdmissionRefusal) {
                try admission.admit(batch: call.requests.places, of: intake.client, intake.peer)
            } catch { throw HTTPProblem(error) }
        } catch {
            refused()
            throw error
        }
        let identity = HostConnection.Identity(
            client: intake.client.id, origin: intake.peer.origin, door: intake.peer.door)
        if let command = call.requests.batchCommand { loop.meter.batch(command, records: call.requests.places) }
        switch call.requests {
        case .one(let request): loop.answer(request, identity) { done(call.outcome([$0])) }
        case .many(let requests):
            let answers = OperationAnswers(requests.count) { done(call.outcome($0)) }
            for (index, request) in requests.enumerated() {
                loop.answer(request, identity) { answers.take($0, index) }
            }
        case .diversify(let batch):
            let answers = OperationAnswers(batch.paths.count) { done(call.outcome($0)) }
            loop.answer(batch, identity) { answers.take($1, $0) }
        }
    }
}

/// The answers to the host commands of one operation as they come in. Confined to one event loop.
private final class OperationAnswers {
    private var answers: [HostAnswer]
    private var missing: Int
    private let done: ([HostAnswer]) -> Void

    init(_ count: Int, _ done: @escaping ([HostAnswer]) -> Void) {
        answers = Array(repeating: .refused(.internalError), count: count)
        missing = count
        self.done = done
    }

    func take(_ answer: HostAnswer, _ index: Int) {
        answers[index] = answer
        missing -= 1
        if missing == 0 { done(answers) }
    }
}
