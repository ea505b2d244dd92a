import Hummingbird

/// The login of people: the token typed once, then a session cookie. Also the style sheet, which everybody may have.
struct LoginRoutes {
    let settings: PlatformSettings
    let tokens: AccessTokens
    let sessions: Sessions
    let clock: @Sendable () -> Timestamp
    let pages: Pages

    private struct Form: Decodable {
        let token: String
    }

    func add(to door: Door) {
        door.get("/login", nil) { _, context in pages.login(isRefused: false, context) }
        door.post("/login", nil) { request, context in try await login(request, context) }
        door.post("/logout", .read) { request, _ in
            if let name = request.cookies[Authentication.cookie]?.value { sessions.close(name) }
            return redirect("/login", cookie: "", maxAge: 0)
        }
        door.get("/style.css", nil) { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/css; charset=utf-8", .cacheControl: "public, max-age=3600"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: Stylesheet.text)))
        }
    }

    private func login(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let body = String(buffer: try await request.body.collect(upTo: 4_096))
        guard let form = try? URLEncodedFormDecoder().decode(Form.self, from: body),
            let staff = tokens.staff(token: form.token.trimmed)
        else { return pages.login(isRefused: true, context) }
        guard let name = sessions.open(staff, now: clock()) else {
            throw Problem(.serviceUnavailable, "too many sessions are open")
        }
        return redirect("/", cookie: name, maxAge: settings.sessionHours * 3_600)
    }

    private func redirect(_ path: String, cookie: String, maxAge: Int) -> Response {
        var response = Response(status: .seeOther, headers: [.location: path])
        response.setCookie(
            Cookie(
                name: Authentication.cookie, value: cookie, maxAge: maxAge, path: "/", secure: settings.cookieSecure,
                httpOnly: true, sameSite: .strict))
        return response
    }
}

extension String {
    fileprivate var trimmed: Substring {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
