import CryptoClient
import HSMBridge
import KMS

/// One operation over HTTP: router and OpenAPI document are both made from a list of these.
struct ServiceRoute: Sendable {
    let path: String
    let name: String
    let about: String
    let request: [JSONField]
    let answer: [JSONField]
    let work: @Sendable (ServiceCall) async throws(Refusal) -> [String: JSONValue]

    /// All of them; every one is a POST.
    static let all: [ServiceRoute] = macs + purse + tacs + keys

    fileprivate static func verdict(_ verdict: Verdict) -> JSONValue {
        .text(verdict == .match ? "verified" : "verification failed")
    }
}

// MARK: - MACs

extension ServiceRoute {
    private static let macs = [
        ServiceRoute(
            path: "/v1/mac/generate", name: "generateMAC", about: "Make a MAC.",
            request: [.key, .algorithm, .padding, .data, .length], answer: [.mac]
        ) { call throws(Refusal) in
            let key = try call.key(.key, for: .generateMAC)
            let mac = try await call.run(
                GenerateMAC(
                    key: key.reference, algorithm: algorithm(call.body), padding: padding(call.body),
                    length: UInt8(call.body.optionalInteger(.length) ?? 8), data: call.body.bytes(.data)),
                key: key, .generateMAC)
            return ["mac": .text(Hex.encode(mac.bytes))]
        },
        ServiceRoute(
            path: "/v1/mac/verify", name: "verifyMAC", about: "Check a MAC.",
            request: [.key, .algorithm, .padding, .data, .mac], answer: [.result]
        ) { call throws(Refusal) in
            let key = try call.key(.key, for: .verifyMAC)
            let command = VerifyMAC(
                key: key.reference, algorithm: algorithm(call.body), padding: padding(call.body),
                data: call.body.bytes(.data), mac: call.body.bytes(.mac))
            return ["result": verdict(try await call.run(command, key: key, .verifyMAC) { $0 == .match })]
        },
    ]

    private static func algorithm(_ body: JSONBody) -> MACAlgorithm {
        switch body.text(.algorithm) {
        case "algorithm1": .algorithm1
        case "cmac": .cmac
        case "unionPayECB": .unionPayECB
        default: .algorithm3
        }
    }

    private static func padding(_ body: JSONBody) -> MACPadding {
        switch body.text(.padding) {
        case "method1": .method1
        case "method2": .method2
        case "method3": .method3
        default: .none
        }
    }
}

// MARK: - E-purse

extension ServiceRoute {
    private static let purse = [
        ServiceRoute(
            path: "/v1/purse/load", name: "authorisePurseLoad",
            about: "Check the card's MAC1 of a load and, if it is right, make MAC2.",
            request: [
                .key, .factors, .random, .onlineSequence, .oldBalance, .amount, .type, .terminal, .mac1, .date, .time,
            ], answer: [.result, .mac2.optional]
        ) { call throws(Refusal) in
            let key = try call.key(.key, for: .purseLoad)
            let body = call.body
            let command = AuthorisePurseLoad(
                key: DerivedKey(key.reference, factors: body.factors()), random: UInt32(body.number(.random)),
                onlineSequence: UInt16(body.integer(.onlineSequence)), oldBalance: UInt32(body.integer(.oldBalance)),
                amount: UInt32(body.integer(.amount)), type: UInt8(body.number(.type)), terminal: try terminal(body),
                mac1: UInt32(body.number(.mac1)), time: time(body))
            switch try await call.run(
                command, key: key, .purseLoad, isGood: { if case .authorised = $0 { true } else { false } })
            {
            case .mac1Mismatch: return ["result": verdict(.mismatch)]
            case .authorised(let mac2): return ["result": verdict(.match), "mac2": .text(Hex.encode(four(mac2)))]
            }
        },
        ServiceRoute(
            path: "/v1/purse/purchase-mac", name: "makePurchaseMAC", about: "Make MAC1 of a purchase, as a PSAM would.",
            request: [
                .key, .factors, .random, .offlineSequence, .terminalTransaction, .amount, .type, .terminal, .date,
                .time,
            ], answer: [.mac1]
        ) { call throws(Refusal) in
            let key = try call.key(.key, for: .pursePurchase)
            let body = call.body
            let mac = try await call.run(
                PurchaseMAC1(
                    key: DerivedKey(key.reference, factors: body.factors()), session: session(body),
                    amount: UInt32(body.integer(.amount)), type: UInt8(body.number(.type)),
                    terminal: try terminal(body),
                    time: time(body)),
                key: key, .pursePurchase)
            return ["mac1": .text(Hex.encode(mac.bytes))]
        },
        ServiceRoute(
            path: "/v1/purse/purchase-check", name: "checkPurchaseMAC", about: "Check MAC2 of a purchase.",
            request: [.key, .factors, .random, .offlineSequence, .terminalTransaction, .amount, .mac2],
            answer: [.result]
        ) { call throws(Refusal) in
            let key = try call.key(.key, for: .purseVerify)
            let body = call.body
            let command = VerifyPurchaseMAC2(
                key: DerivedKey(key.reference, factors: body.factors()), session: session(body),
                amount: UInt32(body.integer(.amount)), mac2: UInt32(body.number(.mac2)))
            return ["result": verdict(try await call.run(command, key: key, .purseVerify) { $0 == .match })]
        },
    ]

    private static func session(_ body: JSONBody) -> PurchaseSession {
        PurchaseSession(
            random: UInt32(body.number(.random)), offlineSequence: UInt16(body.integer(.offlineSequence)),
            terminalTransaction: UInt32(body.integer(.terminalTransaction)))
    }

    private static func terminal(_ body: JSONBody) throws(Refusal) -> TerminalNumber {
        guard let terminal = TerminalNumber(body.number(.terminal)) else { throw .host(.inputData) }
        return terminal
    }

    private static func time(_ body: JSONBody) -> TransactionTime {
        TransactionTime(date: UInt32(body.number(.date)), time: UInt32(body.number(.time)))
    }

    private static func four(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}

// MARK: - TACs

extension ServiceRoute {
    private static let tacs = [
        ServiceRoute(
            path: "/v1/tac/verify", name: "verifyTAC", about: "Check the TAC of one record.",
            request: [.key, .factors, .tacData, .tac], answer: [.result]
        ) { call throws(Refusal) in
            let key = try call.key(.key, for: .verifyTAC)
            let command = VerifyTAC(
                key: DerivedKey(key.reference, factors: call.body.factors()), data: call.body.bytes(.tacData),
                tac: UInt32(call.body.number(.tac)))
            return ["result": verdict(try await call.run(command, key: key, .verifyTAC) { $0 == .match })]
        },
        ServiceRoute(
            path: "/v1/tac/batch", name: "verifyTACs", about: "Check the TACs of many records of one master key.",
            request: [.key, .records], answer: [.results]
        ) { call throws(Refusal) in
            let key = try call.key(.key, for: .verifyTAC)
            let records = call.body.records()
            let levels = records.first?.factors().count ?? 0
            let dataLength = records.first?.bytes(.tacData).count ?? 0
            var bytes: [UInt8] = []
            bytes.reserveCapacity(records.count * (8 * levels + dataLength + 4))
            for record in records {
                let factors = record.factors()
                let data = record.bytes(.tacData)
                guard factors.count == levels, data.count == dataLength else { throw .host(.dataLength) }
                for factor in factors {
                    bytes += (0..<8).map { UInt8(truncatingIfNeeded: factor >> UInt64(56 - 8 * $0)) }
                }
                bytes += data
                bytes += record.bytes(.tac)
            }
            let command = VerifyTACBatch(
                key: key.reference, levels: UInt8(levels), dataLength: UInt8(dataLength), records: bytes)
            let map = try await call.run(command, key: key, .verifyTAC)
            return ["results": .list((0..<map.count).map { verdict(map[$0]) })]
        },
    ]
}

// MARK: - Keys and random values

extension ServiceRoute {
    private static let keys = [
        ServiceRoute(
            path: "/v1/keys/diversify", name: "diversifyKey",
            about: "Diversify a master key; the card's key comes wrapped, never in clear.",
            request: [.key, .factors, .transportKey.optional], answer: [.block, .checkValue]
        ) { call throws(Refusal) in
            let key = try call.key(.key, for: .diversify)
            let transport =
                call.body.optionalText(.transportKey) == nil
                ? nil : try call.key(.transportKey, for: .diversify)
            let wrapped = try await call.run(
                DiversifyKey(
                    key: DerivedKey(key.reference, factors: call.body.factors()), transportKey: transport?.reference),
                key: key, .diversify)
            return ["block": .text(wrapped.block), "check_value": .text(wrapped.checkValue.description)]
        },
        ServiceRoute(
            path: "/v1/random", name: "randomBytes", about: "Random bytes of the module.", request: [.count],
            answer: [.randomData]
        ) { call throws(Refusal) in
            try call.desk.access(of: call.client).requireGrant(.random)
            let bytes = try await call.run(RandomBytes(count: UInt16(call.body.integer(.count))), key: nil, .random)
            return ["data": .text(Hex.encode(bytes.bytes))]
        },
    ]
}
