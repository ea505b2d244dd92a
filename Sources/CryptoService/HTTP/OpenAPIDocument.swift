/// The OpenAPI 3.1 document of the routes, made from the same table as the router.
enum OpenAPIDocument {
    static func document(_ routes: [ServiceRoute]) -> JSONValue {
        var paths: [String: JSONValue] = [
            "/v1/status": .object(["get": operation("status", "State of the module and of this service.", nil, [])])
        ]
        for route in routes {
            paths[route.path] = .object(["post": operation(route.name, route.about, route.request, route.answer)])
        }
        return .object([
            "openapi": .text("3.1.0"),
            "info": .object(["title": .text("kmsd crypto service"), "version": .text("1")]),
            "paths": .object(paths),
            "components": .object([
                "securitySchemes": .object([
                    "token": .object(["type": .text("http"), "scheme": .text("bearer")])
                ]),
                "schemas": .object(["Problem": problem]),
            ]),
            "security": .list([.object(["token": .list([])])]),
        ])
    }

    private static func operation(
        _ name: String, _ about: String, _ request: [JSONField]?, _ answer: [JSONField]
    ) -> JSONValue {
        var operation: [String: JSONValue] = [
            "operationId": .text(name), "summary": .text(about),
            "responses": .object([
                "200": .object([
                    "description": .text("Done."),
                    "content": .object(["application/json": .object(["schema": schema(answer)])]),
                ]),
                "default": .object([
                    "description": .text("Refused (RFC 9457), with the host error code in `code`."),
                    "content": .object([
                        "application/problem+json": .object([
                            "schema": .object(["$ref": .text("#/components/schemas/Problem")])
                        ])
                    ]),
                ]),
            ]),
        ]
        if let request {
            operation["requestBody"] = .object([
                "required": .bool(true),
                "content": .object(["application/json": .object(["schema": schema(request)])]),
            ])
        }
        return .object(operation)
    }

    private static let problem = JSONValue.object([
        "type": .text("object"),
        "properties": .object([
            "type": .object(["type": .text("string")]), "title": .object(["type": .text("string")]),
            "status": .object(["type": .text("integer")]), "detail": .object(["type": .text("string")]),
            "code": .object(["type": .text("string")]),
        ]),
    ])

    private static func schema(_ fields: [JSONField]) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for field in fields {
            var property = schema(field.kind)
            property["description"] = .text(field.about)
            properties[field.name] = .object(property)
        }
        return .object([
            "type": .text("object"), "properties": .object(properties),
            "required": .list(fields.filter(\.isRequired).map { .text($0.name) }),
        ])
    }

    private static func schema(_ kind: JSONField.Kind) -> [String: JSONValue] {
        switch kind {
        case .text(let range):
            ["type": .text("string"), "minLength": .integer(range.lowerBound), "maxLength": .integer(range.upperBound)]
        case .hexadecimal(let range):
            [
                "type": .text("string"), "pattern": .text("^([0-9A-Fa-f]{2})*$"),
                "minLength": .integer(2 * range.lowerBound), "maxLength": .integer(2 * range.upperBound),
            ]
        case .integer(let range):
            ["type": .text("integer"), "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        case .choice(let words): ["type": .text("string"), "enum": .list(words.map { .text($0) })]
        case .list(let range, let element):
            [
                "type": .text("array"), "items": .object(schema(element)), "minItems": .integer(range.lowerBound),
                "maxItems": .integer(range.upperBound),
            ]
        case .object(let fields): if case .object(let schema) = schema(fields) { schema } else { [:] }
        }
    }
}
