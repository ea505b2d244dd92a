import Testing

@testable import KMS
@testable import MariaDB

@Suite struct SignInTests {
    @Test func `the first administrators come with the one-time token, and only once`() async throws {
        let rig = try await Rig.make(withPeople: false)
        let hash = try await TestPasswords.hash.value
        let first = [
            NewAdministrator(name: "conf1", fullName: "C", roles: [.conf], password: hash),
            NewAdministrator(name: "key1", fullName: "K", roles: [.key, .mk], password: hash),
        ]
        await #expect(throws: KMSError.bootstrapClosed) {
            try await rig.centre.bootstrap(token: try TestPasswords.password("x"), first, origin: "test")
        }
        let token = try #require(try await rig.centre.offerBootstrap())
        await #expect(throws: KMSError.bootstrapTokenWrong) {
            try await rig.centre.bootstrap(
                token: try TestPasswords.password(String(token.reversed())), first, origin: "test")
        }
        await #expect(throws: KMSError.self) {
            try await rig.centre.bootstrap(token: try TestPasswords.password(token), [first[0]], origin: "test")
        }
        try await rig.centre.bootstrap(token: try TestPasswords.password(token), first, origin: "test")
        await #expect(throws: KMSError.bootstrapClosed) {
            try await rig.centre.bootstrap(token: try TestPasswords.password(token), first, origin: "test")
        }
        #expect(try await rig.centre.offerBootstrap() == nil)
        let signedIn = try await rig.centre.signIn(
            name: "conf1", password: try TestPasswords.right_(), origin: "test")
        #expect(signedIn.roles == [.conf])
    }

    @Test func `five wrong bootstrap tokens void the right one`() async throws {
        let rig = try await Rig.make(withPeople: false)
        let token = try #require(try await rig.centre.offerBootstrap())
        for _ in 0..<5 {
            await #expect(throws: KMSError.bootstrapTokenWrong) {
                try await rig.centre.bootstrap(token: try TestPasswords.password("wrong"), [], origin: "test")
            }
        }
        await #expect(throws: KMSError.bootstrapClosed) {
            try await rig.centre.bootstrap(token: try TestPasswords.password(token), [], origin: "test")
        }
    }

    @Test func `a session lives while it is used, and ends idle, at its limit, at sign-out and at a restart`()
        async throws
    {
        let rig = try await Rig.make()
        let token = try await newToken(rig, "alice")
        #expect(token.utf8.count == 64)
        for _ in 0..<40 {
            rig.clock.advance(seconds: 700)
            #expect(try rig.centre.actor(token: token, origin: "web").name == "alice")
        }
        // 28,000 s gone: the absolute limit comes whatever the use.
        rig.clock.advance(seconds: 800)
        #expect(throws: KMSError.sessionEnded) { try rig.centre.actor(token: token, origin: "web") }

        let idle = try await newToken(rig, "alice")
        // The wall clock does not count.
        rig.clock.setWall(bySeconds: -3_600)
        rig.clock.advance(seconds: 900)
        #expect(throws: KMSError.sessionEnded) { try rig.centre.actor(token: idle, origin: "web") }

        let left = try await newToken(rig, "alice")
        await rig.centre.signOut(token: left)
        #expect(throws: KMSError.notSignedIn) { try rig.centre.actor(token: left, origin: "web") }
        #expect(throws: KMSError.notSignedIn) {
            try rig.centre.actor(token: String(repeating: "0", count: 64), origin: "web")
        }
    }

    @Test func `wrong passwords are counted in the row, and from the fifth on cost time that doubles`() async throws {
        let rig = try await Rig.make()
        for _ in 1...5 {
            await #expect(throws: KMSError.signInRefused) { try await wrong(rig, "bob") }
        }
        #expect(try await rig.centre.administrators(by: rig.alice).first { $0.name == "bob" }?.tries == 5)
        await #expect(throws: KMSError.accountLocked(seconds: 60)) { try await right(rig, "bob") }
        // Setting the wall clock forward opens nothing; time does.
        rig.clock.setWall(bySeconds: 3_600)
        await #expect(throws: KMSError.accountLocked(seconds: 60)) { try await right(rig, "bob") }
        rig.clock.setWall(bySeconds: -3_600)
        rig.clock.advance(seconds: 60)
        await #expect(throws: KMSError.signInRefused) { try await wrong(rig, "bob") }
        await #expect(throws: KMSError.accountLocked(seconds: 120)) { try await right(rig, "bob") }
        try await rig.centre.unlockAdministrator("bob", by: rig.alice)
        try await right(rig, "bob")
        #expect(try await rig.centre.administrators(by: rig.alice).first { $0.name == "bob" }?.tries == 0)
    }

    @Test func `names that do not exist are refused and locked alike`() async throws {
        let rig = try await Rig.make()
        for _ in 1...5 {
            await #expect(throws: KMSError.signInRefused) { try await wrong(rig, "nobody") }
        }
        await #expect(throws: KMSError.accountLocked(seconds: 60)) { try await wrong(rig, "nobody") }
        #expect(PasswordHash.ofNobody.text.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        // The library can read it: an unreadable hash would cost no time.
        #expect(try await TestPasswords.hash.value.text.split(separator: "$").count == 5)
        let start = ContinuousClock.now
        _ = PasswordHash.ofNobody.matches(try TestPasswords.right_())
        let unknown = ContinuousClock.now - start
        _ = try await TestPasswords.hash.value.matches(TestPasswords.right_())
        let known = ContinuousClock.now - start - unknown
        #expect(unknown * 4 > known)
    }

    @Test func `the try is in the database before the answer, so a crash gives none away`() async throws {
        let rig = try await Rig.make()
        // The verifier never gets to answer: all its places are taken by nobody's checks, as when the process is killed.
        let credentials = try await rig.database.write { connection in
            try AdministratorTable.countTry("bob", &connection)
        }
        #expect(credentials?.tries == 1)
        let again = try await rig.reopenedOnNewFile()
        for _ in 2...5 {
            await #expect(throws: KMSError.signInRefused) {
                _ = try await again.signIn(
                    name: "bob", password: try TestPasswords.password("wrong password"), origin: "t")
            }
        }
        await #expect(throws: KMSError.accountLocked(seconds: 60)) {
            _ = try await again.signIn(name: "bob", password: try TestPasswords.right_(), origin: "t")
        }
        // Another node, or the same after its restart, reads the lock from the row.
        await #expect(throws: KMSError.accountLocked(seconds: 60)) { try await right(rig, "bob") }
    }

    @Test func `a disabled administrator has no session and no roles, on any node`() async throws {
        let rig = try await Rig.make()
        try await rig.centre.disableAdministrator("bob", by: rig.alice)
        await #expect(throws: KMSError.signInRefused) { try await right(rig, "bob") }
        await #expect(throws: KMSError.sessionEnded) { _ = try await rig.centre.keys(by: rig.bob) }
        try await rig.centre.disableAdministrator("gina", by: rig.alice)
        await #expect(throws: KMSError.inUse("the last enabled `conf` administrator")) {
            try await rig.centre.disableAdministrator("alice", by: rig.alice)
        }
    }

    @Test func `passwords are at least twelve bytes, not the name, and wiped where they came from`() async throws {
        let rig = try await Rig.make()
        await #expect(throws: KMSError.passwordTooShort) {
            _ = try await rig.centre.hash(TestPasswords.password("elevenbytes"))
        }
        await #expect(throws: KMSError.passwordUnacceptable) {
            _ = try await rig.centre.hash(TestPasswords.password("aaaaaaaaaaaaaaaa"))
        }
        var long = [UInt8](repeating: 0x61, count: 129)
        #expect(throws: KMSError.passwordUnacceptable) { _ = try Password(wiping: &long) }
        #expect(long.isEmpty)
        let one = try await rig.centre.hash(TestPasswords.right_())
        let other = try await rig.centre.hash(TestPasswords.right_())
        #expect(one != other)
        #expect(one.matches(try TestPasswords.right_()))
        #expect(!one.matches(try TestPasswords.password(TestPasswords.right + "!")))
    }

    @Test func `a changed password ends the sessions and the old one`() async throws {
        let rig = try await Rig.make()
        let token = try await rig.centre.signIn(
            name: "bob", password: try TestPasswords.right_(), origin: "t"
        ).token
        try await rig.centre.changePassword(
            of: rig.bob, current: try TestPasswords.right_(), new: try TestPasswords.password("another long one"))
        #expect(throws: KMSError.notSignedIn) { try rig.centre.actor(token: token, origin: "t") }
        await #expect(throws: KMSError.signInRefused) { try await right(rig, "bob") }
        _ = try await rig.centre.signIn(
            name: "bob", password: try TestPasswords.password("another long one"), origin: "t")
    }

    private func newToken(_ rig: Rig, _ name: String) async throws -> String {
        let signedIn = try await rig.centre.signIn(name: name, password: try TestPasswords.right_(), origin: "test")
        return signedIn.token
    }

    private func right(_ rig: Rig, _ name: String) async throws {
        _ = try await rig.centre.signIn(name: name, password: try TestPasswords.right_(), origin: "t")
    }

    private func wrong(_ rig: Rig, _ name: String) async throws {
        _ = try await rig.centre.signIn(
            name: name, password: try TestPasswords.password("wrong password"), origin: "t")
    }
}
