import Foundation
import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct SignatureCommandTests {
    private static let signing: [HashAlgorithm] = [.sha224, .sha256, .sha384, .sha512]

    private static func pair(
        _ module: SoftwareModule, _ label: String = "SIGN", mode: ModeOfUse = .sign, exponent: UInt32 = 65_537
    ) async throws -> KeyPair {
        try await module.execute(
            GenerateKeyPair(
                attributes: TestKeys.attributes(.signature, mode, .rsa(bits: 2_048)),
                identity: TestKeys.identity(label), exponent: exponent))
    }

    /// The public key as a block of its own.
    private static func publicKey(_ pair: KeyPair, in module: SoftwareModule) async throws -> WrappedKey {
        let (modulus, exponent) = try RSA.components(ofPublicKey: pair.publicKey)
        return try await module.execute(
            ProtectPublicKey(
                modulus: modulus, exponent: exponent, exportability: .nonExportable,
                identity: TestKeys.identity("PUBLIC")))
    }

    @Test func `hashes agree with the command line`() async throws {
        let home = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: home.path)
        let folder = try OpenSSLCommand.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        for algorithm in HashAlgorithm.allCases {
            for length in [0, 1, 63, 64, 1_000] {
                let data = try SecureRandom.bytes(count: length)
                let digest = try await module.execute(HSMBridge.Hash(algorithm: algorithm, data: data)).bytes
                let expected = try OpenSSLCommand.run(["dgst", "-\(algorithm)", "-binary"], data, in: folder)
                #expect(digest == expected, "\(algorithm) \(length)")
            }
        }
    }

    @Test(arguments: [SignaturePadding.pkcs1, .pss]) func `what we sign, openssl verifies, and what it signs, we do`(
        padding: SignaturePadding
    ) async throws {
        let home = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: home.path)
        let pair = try await Self.pair(module)
        let key = KeyReference.block(pair.privateKey.block, expected: nil)
        let publicKey = KeyReference.block(try await Self.publicKey(pair, in: module).block, expected: nil)
        let folder = try OpenSSLCommand.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let message = try SecureRandom.bytes(count: 500)
        try Data(message).write(to: folder.appending(path: "m"))
        try Data(pair.publicKey).write(to: folder.appending(path: "p"))
        // -1: the salt is as long as the digest, and openssl is told to insist on it.
        let options = padding == .pss ? ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"] : []
        for hash in Self.signing {
            let input = SignatureInput(hash: hash, padding: padding, message: message)
            let signature = try await module.execute(CreateSignature(key: key, input: input)).bytes
            #expect(signature.count == 256)
            try Data(signature).write(to: folder.appending(path: "s"))
            let output = try OpenSSLCommand.run(
                ["dgst", "-\(hash)", "-keyform", "DER", "-verify", "p", "-signature", "s"] + options + ["m"], [],
                in: folder)
            #expect(String(decoding: output, as: UTF8.self).contains("Verified OK"), "\(hash)")
            for verifier in [key, publicKey] {
                #expect(
                    try await module.execute(VerifySignature(key: verifier, input: input, signature: signature))
                        == .match)
            }
            var wrong = signature
            wrong[100] ^= 1
            let other = SignatureInput(hash: hash, padding: padding, message: message + [0])
            for (input, signature) in [(input, wrong), (other, signature), (input, Array(signature.dropLast()))] {
                let verdict = try await module.execute(
                    VerifySignature(key: publicKey, input: input, signature: signature))
                #expect(verdict == .mismatch)
            }
        }
        let old = SignatureInput(hash: .sha1, padding: padding, message: message)
        #expect(await module.refusal(of: CreateSignature(key: key, input: old)) == .algorithmNotPermitted)
    }

    @Test func `a foreign PSS signature with the longest salt is right, and SHA-1 of old is still checked`()
        async throws
    {
        let home = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: home.path)
        let folder = try OpenSSLCommand.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try OpenSSLCommand.run(["genrsa", "-out", "k", "1024"], [], in: folder)
        let info = try OpenSSLCommand.run(["rsa", "-in", "k", "-pubout", "-outform", "DER"], [], in: folder)
        let (modulus, exponent) = try RSA.components(ofPublicKey: info)
        let block = try await module.execute(
            ProtectPublicKey(
                modulus: modulus, exponent: exponent, exportability: .exportable, identity: TestKeys.identity("OLD")))
        let key = KeyReference.block(block.block, expected: nil)
        try Data("abc".utf8).write(to: folder.appending(path: "m"))
        for (hash, padding, options) in [
            (HashAlgorithm.sha1, SignaturePadding.pkcs1, [String]()),
            (.sha256, .pss, ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:max"]),
        ] {
            let signature = try OpenSSLCommand.run(
                ["dgst", "-\(hash)", "-sign", "k"] + options + ["m"], [], in: folder)
            let input = SignatureInput(hash: hash, padding: padding, message: Array("abc".utf8))
            #expect(try await module.execute(VerifySignature(key: key, input: input, signature: signature)) == .match)
        }
        let description = try await module.execute(InspectKey(key: key))
        #expect(description.attributes.algorithm == .rsa(bits: 1_024) && description.attributes.mode == .verify)
        #expect(description.checkValue == block.checkValue)
    }

    @Test func `a caller who hashes for himself gets a signature over a DigestInfo and nothing else`() async throws {
        let home = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: home.path)
        let key = KeyReference.block(try await Self.pair(module).privateKey.block, expected: nil)
        let message = Array("settlement".utf8)
        let digest = try DigestAlgorithm.sha256.hash(message)
        let prefix: [UInt8] = [
            0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20,
        ]
        func input(_ info: [UInt8], _ padding: SignaturePadding = .pkcs1) -> SignatureInput {
            SignatureInput(hash: nil, padding: padding, message: info)
        }
        let own = try await module.execute(CreateSignature(key: key, input: input(prefix + digest))).bytes
        let ours = SignatureInput(hash: .sha256, padding: .pkcs1, message: message)
        let other = try await module.execute(CreateSignature(key: key, input: ours)).bytes
        #expect(own == other)
        for wrong in [[], prefix, digest, prefix + digest + [0], prefix + digest.dropLast(), [0] + prefix + digest] {
            #expect(await module.refusal(of: CreateSignature(key: key, input: input(wrong))) == .parameterInvalid)
        }
        #expect(
            await module.refusal(of: CreateSignature(key: key, input: input(prefix + digest, .pss)))
                == .parameterInvalid)
    }

    @Test func `a public key signs nothing, and a private one never stands in its place`() async throws {
        let home = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: home.path)
        let pair = try await Self.pair(module, mode: .signAndDecrypt)
        let publicBlock = try await Self.publicKey(pair, in: module).block
        let input = SignatureInput(hash: .sha256, padding: .pkcs1, message: [1])
        let publicKey = KeyReference.block(publicBlock, expected: nil)
        #expect(await module.refusal(of: CreateSignature(key: publicKey, input: input)) == .modeNotPermitted)
        #expect(await module.refusal(of: ExportKeyBlock(transportKey: publicKey, key: publicKey)) == .usageNotPermitted)
        #expect(
            try await module.execute(CreateSignature(key: .block(pair.privateKey.block, expected: nil), input: input))
                .bytes.count == 256)
        // The mode is under the MAC: V does not become S.
        let changed = publicBlock.prefix(8) + "S" + publicBlock.dropFirst(9)
        #expect(
            await module.refusal(of: OpenKey(key: .block(String(changed), expected: nil))) == .keyBlockAuthentication)
        let verifying = GenerateKeyPair(
            attributes: TestKeys.attributes(.signature, .verify, .rsa(bits: 2_048)),
            identity: try TestKeys.identity("V"))
        #expect(await module.refusal(of: verifying) == .algorithmNotPermitted)
    }

    @Test(arguments: [1_024, 1_536, 2_040]) func `a new pair is not shorter than 2,048 bits`(bits: Int) async throws {
        let home = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: home.path)
        let command = GenerateKeyPair(
            attributes: TestKeys.attributes(.signature, .sign, .rsa(bits: bits)), identity: try TestKeys.identity("S"))
        #expect(await module.refusal(of: command) == .keyLengthInvalid)
    }

    @Test func `numbers that are no public key are refused`() async throws {
        let home = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: home.path)
        let modulus: [UInt8] = [0xC1] + [UInt8](repeating: 0x5B, count: 255)
        let even: [UInt8] = modulus.dropLast() + [0x5A]
        for (n, e, expected) in [
            (even, [1, 0, 1], ModuleError.parameterInvalid), (modulus, [2], .parameterInvalid),
            (modulus, [1], .parameterInvalid), (modulus, [UInt8](repeating: 1, count: 9), .parameterInvalid),
            (Array(modulus.prefix(100)), [3], .keyLengthInvalid), (modulus + modulus + modulus, [3], .keyLengthInvalid),
        ] as [([UInt8], [UInt8], ModuleError)] {
            let command = ProtectPublicKey(
                modulus: n, exponent: e, exportability: .nonExportable, identity: try TestKeys.identity("P"))
            #expect(await module.refusal(of: command) == expected)
        }
    }

    @Test func `a pair with exponent 3 signs, another exponent is refused`() async throws {
        let home = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: home.path)
        let pair = try await Self.pair(module, exponent: 3)
        #expect(try RSA.components(ofPublicKey: pair.publicKey).exponent == [3])
        let key = KeyReference.block(pair.privateKey.block, expected: nil)
        let input = SignatureInput(hash: .sha512, padding: .pss, message: [])
        let signature = try await module.execute(CreateSignature(key: key, input: input)).bytes
        #expect(try await module.execute(VerifySignature(key: key, input: input, signature: signature)) == .match)
        await #expect(throws: ModuleRefusal(.parameterInvalid)) { try await Self.pair(module, exponent: 17) }
    }

    @Test func `more RSA keys than may be open push out the oldest, and symmetric keys stay`() throws {
        let cache = OpenKeyCache(epoch: 1, limit: 1_000)
        let der = try #require(Hex.decode(RSAKnownAnswer.privateKey))
        let secret = SecretBox(try SecretBytes(copying: der.span))
        let rsa = try OpenRSAKey(secret.bytes)
        func entry(_ rsa: OpenRSAKey?) throws -> OpenKeyEntry {
            OpenKeyEntry(
                description: KeyDescription(
                    attributes: TestKeys.attributes(.signature, .sign, .rsa(bits: 1_024)), identity: nil, term: 1,
                    checkValue: KeyCheckValue(0, 0, 0)), secret: secret, rsa: rsa)
        }
        let other = try cache.insert(try entry(nil), block: "symmetric")
        let handles = try (0..<OpenKeyCache.asymmetricLimit + 3).map { number in
            try cache.insert(try entry(rsa), block: "rsa \(number)").handle
        }
        #expect(cache.count == OpenKeyCache.asymmetricLimit + 1)
        for handle in handles.prefix(3) { #expect(throws: ModuleRefusal(.unknownHandle)) { try cache.entry(handle) } }
        for handle in handles.dropFirst(3) + [other.handle] { _ = try cache.entry(handle) }
        try cache.close(handles[10])
        _ = try cache.insert(try entry(rsa), block: "one more")
        _ = try cache.entry(handles[3])
    }

    /// The numbers of RSAPrivateKey in their order, without the version.
    enum PrivateNumber: Int, CaseIterable { case n = 1, e, d, p, q, dP, dQ, qInv }

    /// The known key with the last byte of these numbers changed: what a disturbance in memory comes to.
    private static func spoilt(_ numbers: [PrivateNumber]) throws -> SecretBytes {
        var der = try #require(Hex.decode(RSAKnownAnswer.privateKey))
        func length(_ at: Int) -> (value: Int, next: Int) {
            guard der[at] & 0x80 != 0 else { return (Int(der[at]), at + 1) }
            let count = Int(der[at] & 0x7F)
            return (der[at + 1...at + count].reduce(0) { $0 << 8 | Int($1) }, at + 1 + count)
        }
        for number in numbers {
            var place = length(1).next
            for _ in 0..<number.rawValue {
                let (count, next) = length(place + 1)
                place = next + count
            }
            let (count, next) = length(place + 1)
            der[next + count - 1] ^= 2
        }
        return try SecretBytes(copying: der.span)
    }

    private static func signature(_ numbers: [PrivateNumber]) throws -> [UInt8] {
        let key = try OpenRSAKey(try spoilt(numbers))
        let digest = try DigestAlgorithm.sha256.hash(Array("abc".utf8))
        return try key.sign(digest: digest, RSASignatureScheme(.pkcs1, .sha256))
    }

    /// A wrong CRT result, given away, would factor the modulus; so the right signature has to come, by the way without the halves.
    @Test(arguments: [PrivateNumber.d, .p, .q, .dP, .dQ, .qInv])
    func `an open key with one number spoilt of those beside the modulus signs right all the same`(
        number: PrivateNumber
    ) throws {
        #expect(try Self.signature([number]) == Hex.decode(RSAKnownAnswer.signature))
    }

    /// What `OpenRSAKey.sign` says is left: nothing looks at these signatures again. Should that ever change, so does this test.
    @Test(arguments: [[PrivateNumber.n], [.d, .p], [.d, .q], [.d, .dP], [.d, .dQ], [.d, .qInv]])
    func `an open key with a spoilt modulus, or d and a number of its CRT half, signs wrong`(
        numbers: [PrivateNumber]
    ) throws {
        #expect(try Self.signature(numbers) != Hex.decode(RSAKnownAnswer.signature))
        // The first signature of each key is verified when it is opened.
        let key = try OpenRSAKey(try Self.spoilt(numbers))
        #expect(throws: PrimitiveError.self) { try key.warmUp() }
    }

    @Test(arguments: PrivateNumber.allCases) func `no key with a spoilt number is opened`(number: PrivateNumber) throws
    {
        let der = try Self.spoilt([number])
        #expect(throws: PrimitiveError.resultInconsistent) { _ = try RSA.load(der) }
        let attributes = TestKeys.attributes(.signature, .sign, .rsa(bits: 2_048))
        #expect(throws: PrimitiveError.resultInconsistent) {
            _ = try OpenKeyValue.checkValue(der, attributes: attributes)
        }
    }

    @Test func `many threads sign with one key at the same time`() throws {
        let der = try #require(Hex.decode(RSAKnownAnswer.privateKey))
        let key = try OpenRSAKey(try SecretBytes(copying: der.span))
        try key.warmUp()
        let expected = try #require(Hex.decode(RSAKnownAnswer.signature))
        let digest = try DigestAlgorithm.sha256.hash(Array("abc".utf8))
        let wrong = OutcomeCount()
        DispatchQueue.concurrentPerform(iterations: 400) { _ in
            let signature = try? key.sign(digest: digest, RSASignatureScheme(.pkcs1, .sha256))
            if signature != expected { wrong.add() }
        }
        #expect(wrong.count == 0)
    }

    /// The contexts are prepared with the first use, and the Montgomery forms of a key's primes as well.
    @Test func `many threads race for the first use of a key, and every result is right`() throws {
        let der = try #require(Hex.decode(RSAKnownAnswer.privateKey))
        let digest = try DigestAlgorithm.sha256.hash(Array("abc".utf8))
        let schemes = [RSASignatureScheme(.pkcs1, .sha256), RSASignatureScheme(.pss, .sha256)]
        let witness = try OpenRSAKey(try SecretBytes(copying: der.span))
        let known = try schemes.map { try witness.sign(digest: digest, $0) }
        #expect(known[0] == Hex.decode(RSAKnownAnswer.signature))
        let right = OutcomeCount()
        let (rounds, threads) = (25, 32)
        for _ in 0..<rounds {
            let key = try OpenRSAKey(try SecretBytes(copying: der.span))
            Race.run(threads) { number in
                let scheme = schemes[number % 2]
                if number / 2 % 2 == 0 {
                    guard let signature = try? key.sign(digest: digest, scheme) else { return }
                    if (try? witness.verify(signature.span, of: digest, scheme)) == true { right.add() }
                } else {
                    let genuine = known[number % 2]
                    var wrong = genuine
                    wrong[9] ^= 1
                    let isTaken = try? key.verify(genuine.span, of: digest, scheme)
                    let isWrongTaken = try? key.verify(wrong.span, of: digest, scheme)
                    if isTaken == true, isWrongTaken == false { right.add() }
                }
            }
        }
        #expect(right.count == rounds * threads)
    }
}

/// Threads that begin at the same moment.
private enum Race {
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let gate = NSCondition()
        let waiting = OutcomeCount()
        let finished = DispatchGroup()
        for number in 0..<count {
            finished.enter()
            let thread = Thread {
                gate.lock()
                waiting.add()
                if waiting.count == count { gate.broadcast() }
                while waiting.count < count { gate.wait() }
                gate.unlock()
                body(number)
                finished.leave()
            }
            thread.start()
        }
        finished.wait()
    }
}

/// Counts from several threads.
private final class OutcomeCount: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0
    func add() { lock.withLock { value += 1 } }
    var count: Int { lock.withLock { value } }
}
