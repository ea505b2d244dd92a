import Hummingbird
import KMS
import Personalization

/// Card profiles, jobs and stock.
struct CardRoutes {
    let issuing: CardIssuing

    var routes: [Route] { profiles + jobs + stock }

    private var profiles: [Route] {
        let issuing = issuing
        return [
            .session(.get, "/cards/profiles") { _, _, _ in
                JSONAnswer.response(issuing.profiles.map { CardProfileMessage($0) })
            },
            .session(.get, "/cards/readers") { _, _, _ in JSONAnswer.response(try issuing.readers()) },
        ]
    }

    private var jobs: [Route] {
        let issuing = issuing
        return [
            .session(.get, "/cards/jobs") { request, _, actor in
                JSONAnswer.response(try await issuing.jobs(limit: try request.number("limit", default: 100), by: actor))
            },
            // Answers as soon as the card work has begun; it goes on by itself, and the job says how far it is.
            .session(.post, "/cards/jobs") { request, _, actor in
                let new = try await request.json(NewCardJobMessage.self)
                let job = JobRequest(
                    profile: new.profile, issuer: new.issuer, reader: new.reader, batch: new.batch, data: new.data)
                return JSONAnswer.response(
                    CardJobNumberMessage(id: try await issuing.start(job, by: actor)), status: .accepted)
            },
            .session(.get, "/cards/jobs/{id}") { _, context, actor in
                JSONAnswer.response(try await issuing.job(try context.number("id"), by: actor))
            },
            .session(.post, "/cards/jobs/{id}/continue") { request, context, actor in
                let place = try await request.json(ContinueMessage.self)
                let job = try await issuing.continueJob(
                    try context.number("id"), reader: place.reader, data: place.data ?? [:], by: actor)
                return JSONAnswer.response(job)
            },
            .session(.post, "/cards/jobs/{id}/scrap") { request, context, actor in
                let reason = try await request.json(ScrapMessage.self).reason
                return JSONAnswer.response(try await issuing.scrap(try context.number("id"), reason: reason, by: actor))
            },
        ]
    }

    private var stock: [Route] {
        let issuing = issuing
        return [
            .session(.get, "/cards/stock") { _, _, actor in JSONAnswer.response(try await issuing.stock(by: actor)) },
            .session(.post, "/cards/stock") { request, _, actor in
                let delivery = try await request.json(DeliveryMessage.self)
                let line = try await issuing.receiveStock(
                    kind: delivery.kind, batch: delivery.batch ?? "1", count: delivery.count, by: actor)
                return JSONAnswer.response(line, status: .created)
            },
        ]
    }
}
