import Hummingbird
import KMS

/// Whether the program lives, and whether it can work.
struct HealthRoutes {
    let centre: KeyCentre

    private struct Health: Encodable {
        let status: String
    }

    var routes: [Route] {
        let centre = centre
        return [
            .open(.get, "/healthz") { _, _ in JSONAnswer.response(Health(status: "ok")) },
            .open(.get, "/readyz") { _, _ in
                // The directory is fresh only while the database answers.
                if centre.directory.isStale { throw KMSError.directoryStale }
                return JSONAnswer.response(Health(status: "ready"))
            },
        ]
    }
}
