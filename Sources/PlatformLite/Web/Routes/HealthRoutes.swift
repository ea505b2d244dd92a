import Hummingbird

/// For watchdogs: is the program alive, can it do its work. The only routes besides the login that anybody may ask.
struct HealthRoutes {
    let office: BackOffice

    private struct Health: Encodable {
        let status: String
    }

    func add(to door: Door) {
        door.get("/healthz", nil) { _, _ in JSONAnswer.response(Health(status: "ok")) }
        door.get("/readyz", nil) { [office] _, _ in
            do {
                _ = try await office.batch("-")
                return JSONAnswer.response(Health(status: "ready"))
            } catch {
                return JSONAnswer.response(Health(status: "database away"), status: .serviceUnavailable)
            }
        }
    }
}
