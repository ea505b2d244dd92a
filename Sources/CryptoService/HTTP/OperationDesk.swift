import CryptoClient
import NIOCore

/// Carries operations out: through the responder of the host commands, once for each idempotency key.
struct OperationDesk: Sendable {
    let responder: Responder
    let created: IdempotencyStore

    func carryOut(
        _ route: ServiceRoute, client: String, _ body: ByteBuffer, _ key: IdempotencyKey?
    ) async throws(HTTPProblem) -> ByteBuffer {
        guard let key else { return try await carryOut(route, client: client, body) }
        guard body.readableBytes <= IdempotencyStore.bodyLimit else {
            throw HTTPProblem(.bodyTooLong, "the body is longer than the limit", code: .dataLength)
        }
        if case .answered(let answer) = try created.begin(key, body) { return answer }
        do throws(HTTPProblem) {
            let answer = try await carryOut(route, client: client, body)
            created.finish(key, answer)
            return answer
        } catch {
            created.forget(key)
            throw error
        }
    }

    private func carryOut(
        _ route: ServiceRoute, client: String, _ body: ByteBuffer
    ) async throws(HTTPProblem) -> ByteBuffer {
        let call = try OperationCall(route, client: client, body)
        switch call.requests {
        case .one(let request):
            return try call.answer([await responder.answer(request, client: client, origin: "http")])
        case .many(let requests):
            return try call.answer(await responder.answer(requests, client: client, origin: "http"))
        }
    }
}
