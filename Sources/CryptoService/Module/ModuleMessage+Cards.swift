import CryptoClient
import HSMBridge
import NIOCore

// MARK: - Cards: verification values, cryptograms, unload, line protection; and the UnionPay MAC

extension ModuleMessage {
    mutating func generateCardCode(_ key: Key, _ request: GenerateCardCodeRequest) {
        append(.generateCardCode) { buffer in
            buffer.writeKey(key)
            buffer.writeField(request.input.digits)
        }
    }

    mutating func verifyCardCode(_ key: Key, _ request: VerifyCardCodeRequest) {
        append(.verifyCardCode) { buffer in
            buffer.writeKey(key)
            buffer.writeField(request.input.digits)
            buffer.writeField(request.cardCode)
        }
    }

    mutating func verifyCryptogram(_ key: Key, issuerDataKey: Key?, _ question: CryptogramQuestion) {
        append(.verifyCryptogram) { buffer in
            buffer.writeCard(key, question)
            buffer.writeInteger(question.padding.rawValue)
            buffer.writeField(question.data)
            buffer.writeInteger(question.cryptogram)
            if let issuerDataKey, let issuerData = question.issuerData {
                buffer.writeInteger(UInt8(1))
                buffer.writeKey(issuerDataKey)
                buffer.writeInteger(question.counter)
                buffer.writeField(issuerData.data)
                buffer.writeInteger(issuerData.mac)
            } else {
                buffer.writeInteger(UInt8(0))
            }
            buffer.writeInteger(UInt8(question.response == nil ? 0 : 1))
            if let response = question.response { buffer.writeResponse(response) }
        }
    }

    mutating func respondToCryptogram(_ key: Key, _ question: CryptogramQuestion, _ response: CryptogramResponse) {
        append(.respondToCryptogram) { buffer in
            buffer.writeCard(key, question)
            buffer.writeInteger(question.cryptogram)
            buffer.writeResponse(response)
        }
    }

    mutating func authoriseUnload(_ key: Key, _ request: AuthorizeUnloadRequest) {
        append(.authorisePurseUnload) { $0.writeLoad(key, request.fields) }
    }

    mutating func verifyUnloadMAC3(_ key: Key, _ check: CheckUnloadMACRequest) {
        append(.verifyUnloadMAC3) { buffer in
            buffer.writeDerivedKey(key, check.key.path)
            buffer.writeMultipleIntegers(
                check.random, check.onlineSequence, check.newBalance, check.amount, check.type, check.terminal.rawValue)
            buffer.writeMultipleIntegers(check.time.date, check.time.time, check.mac3.value)
        }
    }

    mutating func protectCommand(_ key: Key, _ request: ProtectCommandRequest) {
        append(.protectCommand) { buffer in
            buffer.writeDerivedKey(key, request.key.path)
            buffer.writeInteger(request.commandHeader)
            buffer.writeField(request.data)
            buffer.writeInteger(UInt8(request.isEnciphered ? 1 : 0))
            buffer.writeField(request.challenge)
            buffer.writeInteger(request.cipher.module.rawValue)
        }
    }

    mutating func generateUnionPayMAC(_ key: Key, _ request: GenerateUnionPayMACRequest) {
        append(.generateMAC) { buffer in
            buffer.writeKey(key)
            buffer.writeUnionPayMethod(request.method)
            buffer.writeMultipleIntegers(UInt8(8), UInt8(1))
            buffer.writeField(request.message)
        }
    }

    mutating func verifyUnionPayMAC(_ key: Key, _ request: VerifyUnionPayMACRequest) {
        append(.verifyMAC) { buffer in
            buffer.writeKey(key)
            buffer.writeUnionPayMethod(request.method)
            buffer.writeField(request.message)
            buffer.writeMultipleIntegers(UInt32(8), request.mac)
        }
    }
}

extension ByteBuffer {
    /// Algorithm, padding, and no initial vector.
    fileprivate mutating func writeUnionPayMethod(_ method: UnionPayMethod) {
        let (algorithm, padding): (MACAlgorithm, MACPadding) =
            switch method {
            case .ecb: (.unionPayECB, .none)
            case .x919: (.algorithm3, .method1)
            }
        writeMultipleIntegers(algorithm.rawValue, padding.rawValue, UInt32(0))
    }

    fileprivate mutating func writeCard(_ key: ModuleMessage.Key, _ question: CryptogramQuestion) {
        writeKey(key)
        switch question.account {
        case .optionA(let digits): writeMultipleIntegers(UInt8(0), digits)
        case .optionB(let digits):
            writeInteger(UInt8(1))
            writeField(digits)
        }
        switch question.session {
        case .none: writeInteger(UInt8(0))
        case .common(let block): writeMultipleIntegers(UInt8(1), block)
        case .pboc(let counter): writeMultipleIntegers(UInt8(2), counter)
        }
        writeInteger(UInt8(question.respondsUnderCardKey ? 1 : 0))
    }

    fileprivate mutating func writeResponse(_ response: CryptogramResponse) {
        switch response {
        case .method1(let code): writeMultipleIntegers(UInt8(1), code)
        case .method2(let update, let proprietary):
            writeMultipleIntegers(UInt8(2), update)
            writeField(proprietary)
        }
    }
}

extension ProtectCommandRequest.Cipher {
    var module: CardCipher {
        switch self {
        case .tripleDES: .tripleDES
        case .sm4: .sm4
        }
    }
}
