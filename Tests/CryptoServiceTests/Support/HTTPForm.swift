import CryptoClient
import Foundation
import HSMBridge
import NIOCore

@testable import CryptoService

/// A host command as one would ask it over HTTP, and what would be answered: written from docs/http.md, to hold the routes against
/// messages that other people's libraries have calculated.
struct HTTPForm {
    private(set) var path = ""
    private(set) var fields: [String: Any] = [:]
    /// What a host answer (code, fields behind it) is over HTTP; nil where it is a problem with that code.
    private(set) var answer: (_ code: String, _ body: ByteBuffer) throws -> [String: Any]? = { _, _ in nil }

    private init() {}

    static func verdict(_ code: String) -> [String: Any]? {
        ["00": ["result": "verified"], "01": ["result": "verification failed"]][code]
    }

    init?(_ request: HostRequest) {
        self.init()
        switch request {
        case .generateMAC(let generate): self = HTTPForm(generate.fields, mac: nil, isCheck: false)
        case .verifyMAC(let verify): self = HTTPForm(verify.fields, mac: verify.mac, isCheck: true)
        case .oldMAC(let old): self = HTTPForm(old.fields, mac: nil, isCheck: false)
        case .encryptData(let encrypt): self = HTTPForm("/v1/data/encrypt", encrypt.fields)
        case .decryptData(let decrypt): self = HTTPForm("/v1/data/decrypt", decrypt.fields)
        case .translateData(let translate): self = HTTPForm(translate)
        case .generateCardCode(let generate):
            path = "/v1/card-code/generate"
            fields = Self.fields(generate.input, generate.key)
            answer = { code, body in code == "00" ? ["card_code": String(buffer: body)] : nil }
        case .verifyCardCode(let verify):
            path = "/v1/card-code/verify"
            fields = Self.fields(verify.input, verify.key)
            fields["card_code"] = String(decoding: verify.cardCode, as: UTF8.self)
            answer = { code, _ in Self.verdict(code) }
        case .authorizeLoad, .makePurchaseMAC, .checkPurchaseMAC, .verifyTAC, .verifyTACBatch:
            guard let form = HTTPForm(purse: request) else { return nil }
            self = form
        case .authorizeUnload(let unload):
            path = "/v1/purse/unload"
            fields = Self.fields(unload.fields)
            answer = { code, body in
                code == "00" ? ["result": "verified", "mac2": Self.hexadecimal(body)] : Self.verdict(code)
            }
        case .checkUnloadMAC(let check):
            path = "/v1/purse/unload-check"
            fields = Self.fields(
                check.key, check.random, check.onlineSequence, check.amount, check.terminal, check.time)
            fields["new_balance"] = Int(check.newBalance)
            fields["mac3"] = Self.hexadecimal(check.mac3.value)
            answer = { code, _ in Self.verdict(code) }
        case .protectCommand(let protect):
            path = "/v1/card/protect"
            fields = Self.fields(protect.key)
            fields["cipher"] = protect.cipher == .sm4 ? "sm4" : "3des"
            fields["encipher"] = protect.isEnciphered
            fields["command"] = Self.hexadecimal(protect.commandHeader)
            fields["challenge"] = Self.hexadecimal(protect.challenge)
            fields["data"] = Self.hexadecimal(protect.data)
            answer = { code, body in code == "00" ? ["data": Self.hexadecimal(body)] : nil }
        case .generateUnionPayMAC(let generate):
            path = "/v1/unionpay/mac"
            fields = [
                "key": Self.text(generate.key), "method": generate.method == .x919 ? "x9.19" : "ecb",
                "data": Self.hexadecimal(generate.message),
            ]
            answer = { code, body in code == "00" ? ["mac": Self.hexadecimal(body)] : nil }
        case .verifyUnionPayMAC(let verify):
            path = "/v1/unionpay/verify"
            fields = [
                "key": Self.text(verify.key), "method": verify.method == .x919 ? "x9.19" : "ecb",
                "data": Self.hexadecimal(verify.message), "mac": Self.hexadecimal(verify.mac),
            ]
            answer = { code, _ in Self.verdict(code) }
        case .importKey(let key):
            guard let form = HTTPForm(key) else { return nil }
            self = form
        case .diversifyKey(let diversify):
            path = "/v1/keys/diversify"
            fields = Self.fields(diversify.key)
            fields["transport_key"] = diversify.transportKey.map { Self.text($0) }
        case .checkValue(let check):
            path = "/v1/keys/check-value"
            fields = ["key": Self.text(check.key)]
            answer = { code, body in code == "00" ? ["check_value": String(buffer: body)] : nil }
        case .emv3Cryptogram, .emv4Cryptogram, .cardCryptogram:
            guard let form = HTTPForm(cryptogram: request) else { return nil }
            self = form
        default: return nil
        }
    }

    private init(_ mac: HostMACFields, mac given: HostMAC?, isCheck: Bool) {
        path = isCheck ? "/v1/mac/verify" : "/v1/mac/generate"
        fields = [
            "key": Self.text(mac.key),
            "padding": ["none", "method1", "method2", "method3"][Int(mac.padding.rawValue - 0x30)],
            "data": Self.hexadecimal(mac.message.content),
        ]
        fields["algorithm"] =
            switch mac.algorithm {
            case .algorithm1, .cbcMAC: "algorithm1"
            case .algorithm3: "algorithm3"
            case .cmac: "cmac"
            }
        if mac.mode != .only { fields["part"] = ["only", "first", "middle", "last"][Int(mac.mode.rawValue - 0x30)] }
        if !mac.chainingValue.isEmpty { fields["chaining_value"] = Hex.encode(mac.chainingValue) }
        let isContinued = mac.mode.isContinued
        if isCheck, !isContinued { fields["mac"] = given.map { Hex.encode($0.bytes) } }
        if !isCheck { fields["length"] = mac.size.bytes }
        answer = { code, body in
            if isCheck, !isContinued { return Self.verdict(code) }
            return code == "00" ? [isContinued ? "chaining_value" : "mac": String(buffer: body)] : nil
        }
    }

    private init(_ path: String, _ cipher: HostCipherFields) {
        self.path = path
        fields = [
            "key": Self.text(cipher.key), "mode": cipher.mode == .cbc ? "cbc" : "ecb",
            "data": Self.hexadecimal(cipher.message.content),
        ]
        if cipher.mode == .cbc { fields["initial_vector"] = Hex.encode(cipher.initialVector) }
        answer = Self.ciphered(cipher.initialVector.count, cipher.outputFormat)
    }

    private init(_ translate: TranslateDataRequest) {
        path = "/v1/data/translate"
        fields = ["data": Self.hexadecimal(translate.message.content)]
        for (name, side) in [("source", translate.source), ("destination", translate.destination)] {
            fields[name + "_key"] = Self.text(side.key)
            fields[name + "_mode"] = side.mode == .cbc ? "cbc" : "ecb"
            if side.mode == .cbc { fields[name + "_vector"] = Hex.encode(side.initialVector) }
        }
        answer = Self.ciphered(translate.destination.initialVector.count, translate.outputFormat)
    }

    private init?(_ key: ImportKeyRequest) {
        guard let attributes = key.attributes, key.key.form.isVariant else { return nil }
        path = "/v1/keys/import-cryptogram"
        fields = [
            "transport_key": Self.text(key.transportKey), "cryptogram": String(buffer: key.key.text),
            "check_value": key.checkValue ?? "",
            "attributes": [
                "usage": attributes.usage, "mode": attributes.modeOfUse, "exportability": attributes.exportability,
                "algorithm": ["T2": "3des2", "T3": "3des3", "41": "sm4"][attributes.algorithm] ?? "",
            ],
        ]
    }

    private init?(purse request: HostRequest) {
        answer = { code, _ in Self.verdict(code) }
        switch request {
        case .authorizeLoad(let load):
            path = "/v1/purse/load"
            fields = Self.fields(load)
            fields["type"] = Self.hexadecimal(load.type)
            answer = { code, body in
                code == "00" ? ["result": "verified", "mac2": Self.hexadecimal(body)] : Self.verdict(code)
            }
        case .makePurchaseMAC(let make):
            path = "/v1/purse/purchase-mac"
            let record = make.record
            fields = Self.fields(make.key, make.random, 0, record.amount, record.terminal, record.time)
            fields["online_sequence"] = nil
            fields["offline_sequence"] = Int(make.offlineSequence)
            fields["terminal_transaction"] = Int(record.terminalSequence)
            fields["type"] = Self.hexadecimal(record.type)
            answer = { code, body in code == "00" ? ["mac1": Self.hexadecimal(body)] : nil }
        case .checkPurchaseMAC(let check):
            path = "/v1/purse/purchase-check"
            fields = Self.fields(check.key)
            fields["random"] = Self.hexadecimal(check.random)
            fields["offline_sequence"] = Int(check.offlineSequence)
            fields["terminal_transaction"] = Int(check.terminalSequence)
            fields["amount"] = Int(check.amount)
            fields["mac2"] = Self.hexadecimal(check.mac2.value)
        case .verifyTAC(let verify):
            path = "/v1/tac/verify"
            fields = Self.fields(verify.key)
            fields["data"] = Hex.encode(verify.record.data)
            fields["tac"] = Self.hexadecimal(verify.tac.value)
        case .verifyTACBatch(let batch):
            path = "/v1/tac/batch"
            let shared = batch.sharedPath.factors.map { Self.hexadecimal($0.rawValue) }
            let entries = Hex.encode(Array(batch.entries.readableBytesView))
            let length = 2 * batch.entryLength
            let records = (0..<batch.count).map { number -> [String: Any] in
                let entry = entries.dropFirst(number * length).prefix(length)
                return [
                    "factors": shared + [String(entry.prefix(16))],
                    "data": String(entry.dropFirst(16).dropLast(8)), "tac": String(entry.suffix(8)),
                ]
            }
            fields = ["key": Self.text(batch.key), "records": records]
            // Behind the number of entries, a digit for each.
            answer = { code, body in
                let verdicts = String(buffer: body).dropFirst(4)
                return code == "00"
                    ? ["results": verdicts.map { $0 == "0" ? "verified" : "verification failed" }] : nil
            }
        default: return nil
        }
    }

    private init?(cryptogram request: HostRequest) {
        let task: CryptogramTask
        switch request {
        case .emv3Cryptogram(let emv):
            path = "/v1/cryptogram/emv3"
            fields = Self.fields(digits: Self.hexadecimal(emv.account))
            fields["key"] = Self.text(emv.key)
            fields["scheme"] = emv.scheme == .visa ? "visa" : "mchip"
            fields["atc"] = Self.hexadecimal(emv.counter)
            fields["unpredictable"] = Self.hexadecimal(emv.unpredictable)
            fields["cryptogram"] = Self.hexadecimal(emv.cryptogram)
            fields["response_code"] = emv.responseCode.map { Self.hexadecimal($0) }
            if emv.task.verifies { fields["data"] = Self.hexadecimal(emv.data) }
            if let issuer = emv.issuerData {
                fields["issuer_data_key"] = Self.text(issuer.key)
                fields["issuer_data"] = Self.hexadecimal(issuer.data)
                fields["issuer_data_mac"] = Self.hexadecimal(issuer.mac)
            }
            task = emv.task
        case .emv4Cryptogram(let emv):
            path = "/v1/cryptogram/emv4"
            switch emv.account {
            case .optionA(let digits): fields = Self.fields(digits: Self.hexadecimal(digits))
            case .optionB(let digits):
                fields = Self.fields(digits: Hex.encode(digits))
                fields["derivation"] = "b"
            }
            fields["key"] = Self.text(emv.key)
            fields["atc"] = Self.hexadecimal(emv.counter)
            fields["cryptogram"] = Self.hexadecimal(emv.cryptogram)
            if emv.task.verifies { fields["data"] = Self.hexadecimal(emv.data) }
            Self.add(emv.response, to: &fields)
            task = emv.task
        case .cardCryptogram(let card):
            path = "/v1/cryptogram/card"
            fields = [
                "key": Self.text(card.key), "derivation": card.derivation == .optionB ? "b" : "a",
                "padding": card.padding == .method1 ? "method1" : "method2", "account": card.account.number,
                "sequence": card.account.sequence, "atc": Self.hexadecimal(card.counter),
                "unpredictable": Self.hexadecimal(card.unpredictable), "cryptogram": Self.hexadecimal(card.cryptogram),
            ]
            fields["session"] =
                switch card.session {
                case .pboc: "pboc"
                case .common: "emv"
                case .mastercard: "mastercard"
                case .none: "none"
                }
            if card.task.verifies { fields["data"] = Self.hexadecimal(card.data) }
            Self.add(card.response, to: &fields)
            task = card.task
        default: return nil
        }
        // KX has zeros behind a response of four bytes.
        let digits = fields["status_update"] == nil ? 16 : 8
        answer = { code, body in
            switch code {
            case "00":
                var answer: [String: Any] = task.verifies ? ["result": "verified"] : [:]
                if task.responds { answer["response"] = String(Self.hexadecimal(body).prefix(digits)) }
                return answer
            case "06": return ["result": "issuer data verification failed"]
            default: return Self.verdict(code)
            }
        }
    }
}

// MARK: - Values

extension HTTPForm {
    static func text(_ key: HostKeyReference) -> String { String(buffer: key.text) }

    static func hexadecimal(_ bytes: ByteBuffer) -> String { Hex.encode(Array(bytes.readableBytesView)) }

    static func hexadecimal(_ number: some FixedWidthInteger) -> String { hexadecimal(ByteBuffer(integer: number)) }

    private static func fields(_ input: CardCodeInput, _ key: HostKeyReference) -> [String: Any] {
        ["key": text(key), "account": input.account, "expiry": input.expiry, "service_code": input.serviceCode]
    }

    private static func fields(_ key: CardKey) -> [String: Any] {
        ["key": text(key.master), "factors": key.path.factors.map { hexadecimal($0.rawValue) }]
    }

    private static func fields(
        _ key: CardKey, _ random: UInt32, _ sequence: UInt16, _ amount: UInt32, _ terminal: PurseTerminal,
        _ time: PurseTime
    ) -> [String: Any] {
        var fields = fields(key)
        fields["random"] = hexadecimal(random)
        fields["online_sequence"] = Int(sequence)
        fields["amount"] = Int(amount)
        fields["terminal"] = String(hexadecimal(terminal.rawValue).suffix(12))
        fields["date"] = hexadecimal(time.date)
        fields["time"] = String(hexadecimal(time.time).suffix(6))
        return fields
    }

    private static func fields(_ load: AuthorizeLoadRequest) -> [String: Any] {
        var fields = fields(load.key, load.random, load.onlineSequence, load.amount, load.terminal, load.time)
        fields["old_balance"] = Int(load.oldBalance)
        fields["mac1"] = hexadecimal(load.mac1.value)
        return fields
    }

    /// PAN and sequence number, which the older commands take as one row of digits.
    private static func fields(digits: String) -> [String: Any] {
        // A PAN has 19 digits at most; what is more is the zero that fills up the first byte.
        let digits = digits.count > 21 ? digits.dropFirst() : digits[...]
        return ["account": String(digits.dropLast(2)), "sequence": Int(digits.suffix(2)) ?? 0]
    }

    private static func add(_ response: CryptogramAnswer?, to fields: inout [String: Any]) {
        switch response {
        case .method1(let code): fields["response_code"] = hexadecimal(code)
        case .method2(let update, let proprietary):
            fields["status_update"] = hexadecimal(update)
            if !proprietary.isEmpty { fields["proprietary"] = Hex.encode(proprietary) }
        case nil: break
        }
    }

    private static func ciphered(
        _ vectorLength: Int, _ format: HostDataFormat
    ) -> (String, ByteBuffer) throws -> [String: Any]? {
        { code, body in
            guard code == "00" else { return nil }
            var reader = FieldReader(body)
            let content = try CipheredDataReply(from: &reader).content(vectorLength: vectorLength, format: format)
            var answer: [String: Any] = ["data": Hex.encode(content.data)]
            if vectorLength > 0 { answer["next_vector"] = Hex.encode(content.nextVector) }
            return answer
        }
    }
}
