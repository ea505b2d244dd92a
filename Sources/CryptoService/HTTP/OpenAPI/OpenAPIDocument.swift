import CryptoClient
import NIOCore

/// The OpenAPI 3.1 document of this service, made from the tables that the service itself answers by.
enum OpenAPIDocument {
    static let path = "/v1/openapi.json"

    /// The bytes, made once.
    static let bytes = document(
        ServiceRoute.all.map(OpenAPIOperation.init) + [MACExplainDesk.openAPI], ServiceResource.all
    ).encoded

    static func document(_ operations: [OpenAPIOperation], _ resources: [ServiceResource]) -> JSONValue {
        let paths =
            operations.map { (name: $0.path, value: JSONValue.object([("post", operation($0))])) }
            + resources.map { (name: $0.path, value: JSONValue.object([("get", operation($0))])) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "kmsd crypto service",
                "summary": "MACs, TACs, e-purse and key operations of a security module.",
                "description": """
                The operations of the host commands (docs/protocol.md) as HTTP/JSON. Bytes are hexadecimal digits, amounts are \
                in fen. A check that ran and said no is an answer; everything that was not done is a problem (RFC 9457).
                """,
                "version": "1.0.0",
            ],
            "servers": [["url": "/"]],
            "tags": .list(ServiceRoute.Group.allCases.map { ["name": .text($0.rawValue)] }),
            "paths": .object(paths),
            "components": [
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "The token of a service client: kmsd client add.",
                    ],
                    "session": [
                        "type": "http", "scheme": "bearer",
                        "description": "The token of an administrator's session: kmsd admin login.",
                    ],
                    "certificate": [
                        "type": "mutualTLS", "description": "The certificate of a service client, on the TLS port.",
                    ],
                ],
                "schemas": ["Problem": problem],
                "responses": .object(responses),
            ],
            "security": [["token": []], ["certificate": []]],
        ]
    }

    private static func operation(_ route: OpenAPIOperation) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [
            ("operationId", .text(route.name)), ("summary", .text(route.about)),
            ("description", .text(route.words)), ("tags", [.text(route.group.rawValue)]),
        ]
        if let security = route.security { members.append(("security", security)) }
        if route.isCreating { members.append(("parameters", [idempotencyKey])) }
        members += [
            (
                "requestBody",
                [
                    "required": true,
                    "content": [
                        "application/json": [
                            "schema": OpenAPISchema.object(route.request), "example": .written(route.example.request),
                        ]
                    ],
                ]
            ),
            ("responses", .object([("200", done(route.answer, route.example.answer))] + refusals(Self.ofOperations))),
        ]
        return .object(members)
    }

    private static func operation(_ resource: ServiceResource) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [
            ("operationId", .text(resource.name)), ("summary", .text(resource.about)),
            ("tags", [.text(ServiceRoute.Group.service.rawValue)]),
        ]
        if let words = resource.words { members.append(("description", .text(words))) }
        if resource.isOpen { members.append(("security", [])) }
        var answers = [(name: "200", value: resource.done)]
        if let notReady = resource.notReady { answers.append(("503", notReady)) }
        members.append(("responses", .object(answers + refusals(resource.isOpen ? [405, 406] : Self.ofQuestions))))
        return .object(members)
    }

    static func done(_ fields: [JSONField], _ example: String) -> JSONValue {
        json("Done.", "application/json", OpenAPISchema.object(fields), example)
    }

    static func json(_ about: String, _ type: String, _ schema: JSONValue, _ example: String?) -> JSONValue {
        var content: [(name: String, value: JSONValue)] = [("schema", schema)]
        if let example { content.append(("example", .written(example))) }
        return ["description": .text(about), "content": .object([(type, .object(content))])]
    }

    private static let idempotencyKey: JSONValue = [
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Makes a second try give the first one's answer; see docs/http.md.",
        "schema": ["type": "string", "pattern": .text(IdempotencyKey.pattern), "minLength": 1, "maxLength": 64],
    ]

    // MARK: Refusals

    private static let ofOperations = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 503]
    private static let ofQuestions = [401, 403, 405, 406, 429, 500, 503]

    private static func refusals(_ statuses: [Int]) -> [(name: String, value: JSONValue)] {
        statuses.map { (String($0), ["$ref": .text("#/components/responses/\($0)")]) }
    }

    /// By status: which problems there are, and the headers that come with them.
    private static let responses: [(name: String, value: JSONValue)] = {
        let kinds = Dictionary(grouping: ProblemKind.all, by: \.status)
        return kinds.sorted { $0.key < $1.key }.map { status, kinds in
            var members: [(name: String, value: JSONValue)] = [
                ("description", .text(kinds.map { "\($0.title) (\($0.name))" }.joined(separator: "; ") + "."))
            ]
            if let header = header(status) { members.append(("headers", header)) }
            members.append(
                (
                    "content",
                    [
                        "application/problem+json": [
                            "schema": ["$ref": "#/components/schemas/Problem"],
                            "examples": .object(
                                kinds.map { kind in
                                    (kind.name, ["value": example(kind)])
                                }),
                        ]
                    ]
                ))
            return (String(status), .object(members))
        }
    }()

    private static func header(_ status: Int) -> JSONValue? {
        switch status {
        case 401: ["WWW-Authenticate": ["schema": ["type": "string"], "required": true]]
        case 405: ["Allow": ["schema": ["type": "string"], "required": true]]
        case 429: ["Retry-After": ["schema": ["type": "integer", "minimum": 1], "required": true]]
        default: nil
        }
    }

    private static func example(_ kind: ProblemKind) -> JSONValue {
        [
            "type": .text(kind.type), "title": .text(kind.title), "status": .integer(kind.status), "detail": "…",
            "code": .text(ProblemKind.code(of: kind).rawValue), "next": .text(kind.next),
        ]
    }

    private static let problem: JSONValue = [
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "properties": [
            "type": [
                "type": "string", "format": "uri",
                "description": "What kind of problem it is: a URN of this project that does not change.",
            ],
            "title": ["type": "string", "description": "The kind in words."],
            "status": ["type": "integer", "minimum": 400, "maximum": 599],
            "detail": ["type": "string", "description": "This case, without data."],
            "code": [
                "type": "string", "pattern": "^[0-9A-F]{2}$",
                "description": "The error code of the host command (docs/protocol.md, section 8).",
            ],
            "next": ["type": "string", "description": "What to do next."],
        ],
        "required": ["type", "title", "status", "detail", "code", "next"],
    ]
}
