/// What can be read with GET, for the OpenAPI document; the answers themselves are made by the router.
struct ServiceResource: Sendable {
    let path: String
    let name: String
    let about: String
    /// More of it; nil: nothing.
    var words: String?
    /// Needs no client.
    let isOpen: Bool
    /// The answer that is not a problem.
    let done: JSONValue
    /// The same with status 503.
    var notReady: JSONValue?

    static let all = [status, health, readiness, document] + MonitorResource.all.map(\.resource)
    // /metrics and /statusz are for monitors, by address rather than by client: docs/operations.md.

    private static let status = ServiceResource(
        path: "/v1/status", name: "status", about: "State of the module and of this service, as the client sees it.",
        isOpen: false,
        done: OpenAPIDocument.done(
            [
                JSONField("client", .text(1...64), "who is asking"),
                JSONField(
                    "module", .choice(["uninitialised", "sealed", "ceremony", "operational", "failed"]), "state"),
                JSONField("firmware", .text(1...64), "of the module"),
                JSONField("lmk_check_value", .text(0...6), "empty until an LMK is loaded"),
                JSONField("directory", .choice(["current", "stale"]), "picture of keys and grants"),
            ],
            #"{"client":"pos-1","module":"operational","firmware":"0.1","lmk_check_value":"08D7B4","directory":"current"}"#
        ))
    private static let health = ServiceResource(
        path: "/healthz", name: "health", about: "The process answers.", isOpen: true,
        done: OpenAPIDocument.json("Alive.", "application/json", ["type": "object"], #"{"status":"ok"}"#))
    private static let readiness = ServiceResource(
        path: "/readyz", name: "readiness", about: "Requests would be carried out.", isOpen: true,
        done: OpenAPIDocument.json(
            "Ready.", "application/json", ["type": "object"],
            #"{"status":"ready","module":"operational","obstacles":[]}"#),
        notReady: OpenAPIDocument.json(
            "Not ready.", "application/json", ["type": "object"],
            #"{"status":"not ready","module":"sealed","obstacles":["module sealed"]}"#)
    )
    private static let document = ServiceResource(
        path: OpenAPIDocument.path, name: "openapi", about: "This document.", isOpen: true,
        done: OpenAPIDocument.json("OpenAPI 3.1.", "application/json", ["type": "object"], nil))
}
