import Hummingbird
import KMS

/// Issuers, key products, certification authorities.
struct HierarchyRoutes {
    let centre: KeyCentre

    var routes: [Route] { issuers + products + authorities }

    private var issuers: [Route] {
        let centre = centre
        return [
            .session(.get, "/issuers") { _, _, actor in
                JSONAnswer.response(try await centre.issuers(by: actor).map { IssuerMessage($0) })
            },
            .session(.post, "/issuers") { request, _, actor in
                let new = try await request.json(IssuerMessage.self)
                try await centre.createIssuer(new.code, name: new.name, description: new.description ?? "", by: actor)
                return JSONAnswer.response(new, status: .created)
            },
            .session(.put, "/issuers/{issuer}") { request, context, actor in
                let new = try await request.json(IssuerMessage.self)
                try await centre.changeIssuer(
                    try context.part("issuer"), name: new.name, description: new.description ?? "", by: actor)
                return JSONAnswer.response(new)
            },
            .session(.delete, "/issuers/{issuer}") { _, context, actor in
                try await centre.deleteIssuer(try context.part("issuer"), by: actor)
                return JSONAnswer.nothing
            },
        ]
    }

    private var products: [Route] {
        let centre = centre
        return [
            .session(.get, "/issuers/{issuer}/products") { _, context, actor in
                let products = try await centre.products(of: try context.part("issuer"), by: actor)
                return JSONAnswer.response(products.map { ProductMessage($0) })
            },
            .session(.post, "/issuers/{issuer}/products") { request, context, actor in
                var new = try await request.json(ProductMessage.self)
                let issuer = try context.part("issuer")
                try await centre.createProduct(
                    new.code, issuer: issuer, name: new.name, kind: new.kind, description: new.description ?? "",
                    by: actor)
                new.issuer = issuer
                return JSONAnswer.response(new, status: .created)
            },
            .session(.put, "/issuers/{issuer}/products/{product}") { request, context, actor in
                let new = try await request.json(ProductMessage.self)
                try await centre.changeProduct(
                    try context.part("product"), issuer: try context.part("issuer"), name: new.name, kind: new.kind,
                    description: new.description ?? "", by: actor)
                return JSONAnswer.response(new)
            },
            .session(.delete, "/issuers/{issuer}/products/{product}") { _, context, actor in
                try await centre.deleteProduct(
                    try context.part("product"), issuer: try context.part("issuer"), by: actor)
                return JSONAnswer.nothing
            },
        ]
    }

    private var authorities: [Route] {
        let centre = centre
        return [
            .session(.get, "/authorities") { _, _, actor in
                JSONAnswer.response(try await centre.authorities(by: actor).map { AuthorityMessage($0) })
            },
            .session(.post, "/authorities") { request, _, actor in
                let new = try await request.json(AuthorityMessage.self)
                try await centre.createAuthority(
                    new.code, name: new.name, kind: new.kind, description: new.description ?? "", by: actor)
                return JSONAnswer.response(new, status: .created)
            },
            .session(.put, "/authorities/{authority}") { request, context, actor in
                let new = try await request.json(AuthorityMessage.self)
                try await centre.changeAuthority(
                    try context.part("authority"), name: new.name, kind: new.kind, description: new.description ?? "",
                    by: actor)
                return JSONAnswer.response(new)
            },
            .session(.delete, "/authorities/{authority}") { _, context, actor in
                try await centre.deleteAuthority(try context.part("authority"), by: actor)
                return JSONAnswer.nothing
            },
        ]
    }
}
