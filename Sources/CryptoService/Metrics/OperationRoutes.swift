import CryptoClient
import FoundationEssentials
import Hummingbird
import KMS

/// What the service says about itself: `/healthz`, `/readyz`, `/statusz`, `/metrics`.
///
/// The first two are for anybody and say one word. The others tell names of keys and clients and how busy they are: they are
/// for loopback and the addresses of `crypto.metricsFrom`, and for a client with the grant `readMetrics`.
struct OperationRoutes: Sendable {
    let watch: ServiceWatch
    let admission: Admission

    func add(to router: Router<CryptoContext>) {
        router.get("/healthz") { [metrics = watch.metrics] _, _ in
            let turns = metrics.loopsTurn
            return try Self.answer(
                ["status": turns ? "ok" : "an event loop hangs"], status: turns ? .ok : .serviceUnavailable)
        }
        router.get("/readyz") { _, _ in try await readiness() }
        router.get("/statusz") { request, context in
            try admit(request, context)
            return try Self.answer(OperationStatus(await watch.picture()))
        }
        router.get("/metrics") { request, context in
            try admit(request, context)
            let text = await watch.picture().prometheusText()
            return Response(
                status: .ok, headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }

    private func readiness() async throws -> Response {
        let picture = await watch.picture()
        let status = picture.isReady ? "ready" : "not ready"
        return try Self.answer(
            Readiness(status: status, module: picture.moduleState, obstacles: picture.obstacles),
            status: picture.isReady ? .ok : .serviceUnavailable)
    }

    private struct Readiness: Encodable {
        let status: String
        let module: String
        let obstacles: [String]
    }

    /// What a proxy says of those behind it. Its own address then says nothing about who asks.
    private static let forwardingHeaders = ["Forwarded", "X-Forwarded-For", "X-Real-IP"].compactMap {
        HTTPFields.Element.Name($0)
    }

    /// Throws 401 or 403 where whoever asks may not see the figures.
    private func admit(_ request: Request, _ context: CryptoContext) throws {
        let isPassedOn = Self.forwardingHeaders.contains { request.headers[$0] != nil }
        if !isPassedOn, let address = context.address, watch.settings.mayReadMetrics(address) { return }
        guard let peer = ConnectedPeer.current ?? SourceAddress("0.0.0.0").map({ ConnectedPeer(.http, $0) }) else {
            throw AdmissionRefusal.noCredential
        }
        let client = try admission.admit(authorization: request.headers[.authorization], peer)
        let access = KeyAccess(
            snapshot: watch.directory.snapshot, client: client.id, now: Clocks.system.wall(),
            isStale: watch.directory.isStale)
        do throws(Refusal) { try access.requireGrant(.readMetrics) } catch { throw HTTPProblem(error) }
    }

    private static func answer(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }
}
