import CryptoClient
import Foundation
import HSMBridge
import Testing

@testable import CryptoService

/// Key pairs and signatures over HTTP, with openssl(1) as the other side.
struct RSARouteTests {
    private static let data = "5041594D454E54"

    private static func ask(_ path: String, _ fields: [String: String]) async throws -> HTTPAnswer {
        let body = try JSONSerialization.data(withJSONObject: fields)
        return try await HTTPDoor.open.value.ask(path, String(decoding: body, as: UTF8.self))
    }

    private static func method(_ key: String, _ padding: String, _ hash: String = "sha256") -> [String: String] {
        ["key": key, "hash": hash, "padding": padding, "data": data]
    }

    @Test func `A pair made here signs, its public key comes back in and checks, and openssl agrees`() async throws {
        let pair = try await HTTPDoor.open.value.ask("/v1/rsa/generate", #"{"bits":2048,"exponent":3}"#)
        let block = try #require(pair.text("block"), "\(pair.words)")
        let publicKey = try #require(pair.text("public_key"))
        let imported = try await Self.ask("/v1/rsa/import", ["public_key": publicKey])
        let publicBlock = try #require(imported.text("block"), "\(imported.words)")
        for (padding, options) in [("pkcs1", []), ("pss", ["-sigopt", "rsa_padding_mode:pss"])] {
            let made = try await Self.ask("/v1/rsa/sign", Self.method(block, padding))
            let signature = try #require(made.text("signature"), "\(made.words)")
            for key in [block, publicBlock] {
                var fields = Self.method(key, padding)
                fields["signature"] = signature
                #expect(try await Self.ask("/v1/rsa/verify", fields).text("result") == "verified")
                fields["data"] = "5041594D454E55"
                let wrong = try await Self.ask("/v1/rsa/verify", fields)
                #expect(wrong.status == 200 && wrong.text("result") == "verification failed")
            }
            #expect(try await Self.opensslVerifies(publicKey, signature, options))
        }
        // A private key is for signing, and a public one for checking.
        #expect(try await Self.ask("/v1/rsa/sign", Self.method(publicBlock, "pkcs1")).text("code") == "A8")
    }

    private static func opensslVerifies(
        _ publicKey: String, _ signature: String, _ options: [String]
    ) async throws -> Bool {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "kmsd-rsa-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in [("key.der", publicKey), ("signature", signature), ("data", data)] {
            try Data(Hex.decode(text) ?? []).write(to: folder.appending(path: name))
        }
        var openssl = Program(
            "/usr/bin/openssl",
            ["dgst", "-sha256", "-verify", "key.der", "-keyform", "DER", "-signature", "signature"] + options + ["data"]
        )
        openssl.folder = folder.path
        return try await openssl.run().status == 0
    }

    @Test(arguments: [
        ("pss", "none", "07"), ("pkcs1", "none", "74"), ("pkcs1", "sha1", "05"), ("pss", "sha1", "05"),
    ])
    func `What is not signed is refused by its own code`(padding: String, hash: String, code: String) async throws {
        let answer = try await Self.ask("/v1/rsa/sign", Self.method("canteen/sign/report", padding, hash))
        #expect(answer.status == 422 && answer.text("code") == code, "\(answer.words)")
    }

    @Test(arguments: [
        ("md5", "B842122B631D8B7013D43ED4A643A3D7"),
        ("sm3", "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0"),
    ])
    func `Hashes are those of others`(hash: String, digest: String) async throws {
        // "abc": GB/T 32905 A.1, and md5sum(1) for the first.
        let data = hash == "sm3" ? "616263" : Self.data
        let answer = try await Self.ask("/v1/hash", ["hash": hash, "data": data])
        #expect(answer.text("digest") == digest, "\(answer.words)")
    }
}
