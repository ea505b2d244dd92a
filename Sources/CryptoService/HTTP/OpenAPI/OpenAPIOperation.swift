import CryptoClient
import KMS

/// What the OpenAPI document says of one operation.
struct OpenAPIOperation: Sendable {
    let path: String
    let name: String
    let group: ServiceRoute.Group
    let about: String
    let words: String
    let request: [JSONField]
    let answer: [JSONField]
    let example: (request: String, answer: String)
    var isCreating = false
    /// Nil: that of the service.
    var security: JSONValue?
}

extension OpenAPIOperation {
    init(_ route: ServiceRoute) {
        let grant = route.grant.map { "Needs the grant \($0.rawValue)" } ?? "Needs no grant, only a client that exists"
        self.init(
            path: route.path, name: route.name, group: route.group, about: route.about,
            words: "Host command \(route.command). \(grant).", request: route.request, answer: route.answer,
            example: route.example, isCreating: route.isCreating)
    }
}
