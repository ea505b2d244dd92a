import Foundation
import Testing

@testable import PlatformLite

struct AccessTests {
    private func file(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        let path = "/tmp/kmsd-access-\(UInt32.random(in: 0 ... .max))-\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func failure(_ path: String) -> AccessTokens.Failure? {
        defer { try? FileManager.default.removeItem(atPath: path) }
        do throws(AccessTokens.Failure) {
            _ = try AccessTokens(path: path)
            return nil
        } catch {
            return error
        }
    }

    @Test func `Tokens made are 32 bytes, in a file that only its owner reads, and open the door`() throws {
        let path = "/tmp/kmsd-access-\(UInt32.random(in: 0 ... .max))-made"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try AccessTokens.make(path: path, staff: [("a", .clerk), ("b", .auditor)])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let token = try #require(try AccessTokens.token(of: "b", in: path))
        #expect(token.count == 64)
        let tokens = try AccessTokens(path: path)
        #expect(tokens.staff(token: token) == Staff(name: "b", role: .auditor))
        #expect(tokens.staff(token: String(token.dropLast(2))) == nil)
        let flipped = (token.hasPrefix("0") ? "1" : "0") + token.dropFirst()
        #expect(tokens.staff(token: flipped) == nil)
        #expect(throws: AccessTokens.Failure.notWritable) { try AccessTokens.make(path: path, staff: []) }
    }

    @Test func `A file that is open to others, missing or malformed is refused`() throws {
        let token = String(repeating: "ab", count: 32)
        #expect(failure("/tmp/kmsd-access-none") == .missing)
        #expect(failure(try file("open", "a clerk \(token)\n", mode: 0o640)) == .tooOpen)
        #expect(failure(try file("role", "# staff\na boss \(token)\n")) == .malformed(2))
        #expect(failure(try file("short", "a clerk abcd\n")) == .malformed(1))
        #expect(failure(try file("empty", "\n")) == .malformed(0))
        #expect(failure(try file("good", "a clerk \(token)\n")) == nil)
    }

    @Test func `A session ends when its time is up, and there are not too many`() throws {
        let sessions = Sessions(hours: 1)
        let staff = Staff(name: "a", role: .clerk)
        let name = try #require(sessions.open(staff, now: Scenario.now))
        let later = Timestamp(microseconds: Scenario.now.microseconds + 3_600_000_000)
        #expect(sessions.staff(name, now: Scenario.now) == staff)
        #expect(sessions.staff(name, now: later) == nil)
        for _ in 1..<Sessions.limit { #expect(sessions.open(staff, now: Scenario.now) != nil) }
        #expect(sessions.open(staff, now: Scenario.now) == nil)
        #expect(sessions.open(staff, now: later) != nil)
    }
}
