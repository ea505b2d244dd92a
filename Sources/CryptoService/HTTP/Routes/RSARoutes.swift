import CryptoClient
import KMS
import NIOCore

extension JSONField {
    static let hashes = ["sha1", "md5", "sha224", "sha256", "sha384", "sha512", "sm3"]
    static let hash = JSONField("hash", .choice(hashes), "hash function")
    static let hashedData = JSONField("data", .hexadecimal(.init(0...65_534)), "any bytes")
    static let digest = JSONField(
        "digest", .hexadecimal(.init(16...16, 20...20, 28...28, 32...32, 48...48, 64...64)), "of the data")

    static let modulusBits = JSONField(
        "bits", .integer(2_048...4_096), "of the modulus, a multiple of 8; 2048 where it is missing"
    ).optional
    static let exponent = JSONField("exponent", .number([3, 65_537]), "public; 65537 where it is missing").optional
    static let publicKey = JSONField(
        "public_key", .hexadecimal(.init(64...2_048)), "SubjectPublicKeyInfo (RFC 5280), DER")
    static let privateBlock = JSONField("block", .text(16...9_999), "private key: key block under the LMK")
    static let publicBlock = JSONField("block", .text(16...9_999), "public key: key block under the LMK")

    static let signatureHash = JSONField(
        "hash", .choice(["sha224", "sha256", "sha384", "sha512", "sha1", "none"]),
        "sha1 is checked and not made; none: the data is a DigestInfo (pkcs1 only)")
    static let signaturePadding = JSONField(
        "padding", .choice(["pkcs1", "pss"]), "RSASSA-PKCS1-v1_5 or RSASSA-PSS (RFC 8017)")
    static let signatureData = JSONField("data", .hexadecimal(.init(0...9_999)), "what is signed")
    static let signature = JSONField("signature", .hexadecimal(.init(1...1_024)), "as long as the modulus")
}

extension ServiceRoute {
    private static let madePublic =
        "30820122300D06092A864886F70D01010105000382010F003082010A0282010100B6AB30E3417E009850BB5DB0C1587E45D90EE5A30B7F9261DC47E9B1A1D384C3D071C245168C2C81528ABE07C9CAD7912A957360C376EFC4F2181BA9FA9972BA6CFF538ACEF0877D154981C0FE1C61C155A9FAB89E38E491745F35E9117C175FF8DE234CF5C0CA4F9269693D42F6EFA7F7109F23C0754AFC90E8219EFAF89810FA13B6CD0417498366396FE300E1E1A9221CF9CB5F8DBD16995680A9766ED14B6A359A5704E2DDBDAC69994E2470E0DFCA26DFE6299B8549CFF2F928D986FA0DEE9AB63743FED6794A34EDCE65B4906E33D81722DEB128C949AC33EE4B7EE5DC3C7E48DEDB45603461A0CA838866AC868A0B4E10A9DFF2F35BEA8856E1A130490203010001"
    private static let signedExample =
        "5CB3C1DFC839F0CB76D2393B18ED87B3CC6765970023F8511C5D73CB6529E2D10B711B0CD1946B9CFA9522F24FBE324DB3CA5C9F9B98AE1E643FEA33226110E45B085770EF47D9726C8857B8F7338CB9447F36D3280BB8E762080253CDEA3250CF9396E738A8B0844EEB7EDD373884F1A94B62CC5A1E0AA27E20333B119BA8AB31FD56DDA4466AD249D560746ACA3820D108DD1597FB4AF3BB4151061A36C80685671F20846802605FC78C32741024BBF6ACACFFFAF15F462D3EC25FBF70E698DE47106E1CE6EBFC189498FF05517692EE30D8D73265F1CBA3EBAB09BA1E048308B8C3DB8BCCC16930DF57963B175CA50D323F849F99234ABA6F44AFC6D04FEE"

    static let rsa = [
        ServiceRoute(
            "/v1/hash", "hash", .rsa, "The digest of data.", command: "GM", grant: .hash,
            request: [.hash, .hashedData], answer: [.digest],
            example: (
                #"{"hash":"sha256","data":"50494E47"}"#,
                #"{"digest":"906055E56391A9362FF2E354E21A9E0DED69135ECADBEA28EABCDF931686ACBD"}"#
            )
        ) { body throws(Refusal) in
            let functions: [HostHash] = [.sha1, .md5, .sha224, .sha256, .sha384, .sha512, .sm3]
            let function = functions[body.choice(.hash) ?? 0]
            let data = Array(body.bytes(.hashedData).readableBytesView)
            return .one(.hash(try host { () throws(FieldError) in try HashRequest(function, data: data) }))
        } reply: { _, answers, writer throws(Refusal) in
            try writeBytes(.digest, answers, &writer)
        },
        ServiceRoute(
            "/v1/rsa/generate", "generateKeyPair", .rsa,
            "Make an RSA key pair that signs; the private key is given back under the LMK and kept nowhere.",
            command: "EI", grant: .generateKeyPair, request: [.modulusBits, .exponent, .keyVersion],
            answer: [.publicKey, .privateBlock],
            example: (#"{"bits":2048}"#, #"{"public_key":"\#(madePublic)","block":"\#(exampleBlock)"}"#),
            isCreating: true
        ) { body throws(Refusal) in
            .one(
                .generateKeyPair(
                    GenerateKeyPairRequest(
                        bits: body.has(.modulusBits) ? body.integer(.modulusBits) : 2_048,
                        exponent: body.integer(.exponent) == 3 ? [3] : nil,
                        options: PublicKeyOptions(version: body.versionText(.keyVersion), exportability: "N"))))
        } reply: { _, answers, writer throws(Refusal) in
            let pair: KeyPairReply = try reply(first(answers))
            guard case .block(let block) = pair.privateKey else { throw .host(.internalError) }
            writer.field(.publicKey, hexadecimal: .init(bytes: pair.publicKey.subjectPublicKeyInfo))
            writer.field(.privateBlock, String(buffer: block.text))
        },
        ServiceRoute(
            "/v1/rsa/import", "importPublicKey", .rsa,
            "Take a public key from outside; it is given back as a key block under the LMK, which checks signatures.",
            command: "EO", grant: .importPublicKey, request: [.publicKey, .exportability, .keyVersion],
            answer: [.publicBlock],
            example: (#"{"public_key":"\#(madePublic)"}"#, #"{"block":"\#(exampleBlock)"}"#), isCreating: true
        ) { body throws(Refusal) in
            let info = Array(body.bytes(.publicKey).readableBytesView)
            let key = try host { () throws(FieldError) in try HostPublicKey(subjectPublicKeyInfo: info) }
            return .one(
                .importPublicKey(
                    ImportPublicKeyRequest(
                        key,
                        attributes: ImportPublicKeyRequest.Attributes(
                            version: body.versionText(.keyVersion),
                            exportability: body.word(of: .exportability) ?? "N"))))
        } reply: { _, answers, writer throws(Refusal) in
            let key: PublicKeyReply = try reply(first(answers))
            writer.field(.publicBlock, String(buffer: key.key.text))
        },
        ServiceRoute(
            "/v1/rsa/sign", "sign", .rsa, "Sign with an RSA private key.", command: "EW", grant: .sign,
            request: [.key, .signatureHash, .signaturePadding, .signatureData], answer: [.signature],
            example: (
                #"{"key":"canteen/sign/report","hash":"sha256","padding":"pkcs1","data":"736574746C656D656E74206F6620323032362D31312D3233"}"#,
                #"{"signature":"\#(signedExample)"}"#
            )
        ) { body throws(Refusal) in
            let key = try body.reference()
            let data = Array(body.bytes(.signatureData).readableBytesView)
            return .one(
                .sign(
                    try host { () throws(FieldError) in try SignRequest(signatureMethod(body), data: data, key: key) }))
        } reply: { _, answers, writer throws(Refusal) in
            let reply: SignatureReply = try reply(first(answers))
            writer.field(.signature, hexadecimal: reply.signature)
        },
        ServiceRoute(
            "/v1/rsa/verify", "verifySignature", .rsa,
            "Check an RSA signature, with a block of /v1/rsa/import or with the public half of a private key.",
            command: "EY", grant: .verifySignature,
            request: [.key, .signatureHash, .signaturePadding, .signatureData, .signature], answer: [.result],
            example: (
                #"{"key":"canteen/sign/report","hash":"sha256","padding":"pkcs1","data":"736574746C656D656E74206F6620323032362D31312D3233","signature":"\#(signedExample)"}"#,
                #"{"result":"verified"}"#
            )
        ) { body throws(Refusal) in
            let key = try body.reference()
            let data = Array(body.bytes(.signatureData).readableBytesView)
            let signature = Array(body.bytes(.signature).readableBytesView)
            return .one(
                .verifySignature(
                    try host { () throws(FieldError) in
                        try VerifySignatureRequest(signatureMethod(body), signature: signature, data: data, key: key)
                    }))
        } reply: { _, answers, writer throws(Refusal) in
            if case .refused(.signatureInvalid) = try first(answers) {
                return writer.field(.result, JSONField.verdicts[1])
            }
            try writeVerdict(answers, &writer)
        },
    ]

    private static func signatureMethod(_ body: JSONBody) -> SignatureMethod {
        let functions: [HostHash] = [.sha224, .sha256, .sha384, .sha512, .sha1, .none]
        return SignatureMethod(
            hash: functions[body.choice(.signatureHash) ?? 0],
            padding: body.choice(.signaturePadding) == 1 ? .pss : .pkcs1)
    }
}
