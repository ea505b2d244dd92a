import CryptoClient
import NIOCore

/// One request of one client, between its bytes and those of its answer: what is the same whoever carries it.
struct OperationCall: Sendable {
    let route: ServiceRoute
    let client: String
    private let body: JSONBody
    let requests: HostRequests

    /// Reads and checks the body. Throws the problem that it has.
    init(_ route: ServiceRoute, client: String, _ text: ByteBuffer) throws(HTTPProblem) {
        do throws(JSONFault) { body = try JSONBody(text, route.request) } catch { throw HTTPProblem(error) }
        do throws(Refusal) { requests = try route.commands(body) } catch { throw HTTPProblem(error) }
        self.route = route
        self.client = client
    }

    /// The JSON answer, or the problem that the host commands were refused with.
    func outcome(_ answers: [HostAnswer]) -> OperationOutcome {
        var writer = JSONWriter()
        writer.beginObject()
        do throws(Refusal) { try route.reply(body, answers, &writer) } catch { return .problem(HTTPProblem(error)) }
        writer.endObject()
        return .done(writer.buffer)
    }
}
