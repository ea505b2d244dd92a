import CryptoClient
import HSMBridge
import KMS
import NIOCore

/// KQ, KW and YV as the one question that the module knows.
struct CryptogramQuestion {
    let key: HostKeyReference
    let account: CryptogramAccount
    let session: CryptogramSession
    let respondsUnderCardKey: Bool
    let padding: CryptogramPadding
    let task: CryptogramTask
    let data: ByteBuffer
    let cryptogram: UInt64
    let response: CryptogramResponse?
    /// KQ only, with the counter from which its session key comes.
    let issuerData: EMV3CryptogramRequest.IssuerData?
    let counter: UInt16
    /// KX has eight bytes also where the response has four.
    let isFilledUp: Bool

    init(_ request: EMV3CryptogramRequest) {
        key = request.key
        account = .optionA(request.account)
        switch request.scheme {
        case .visa:
            session = .none
            padding = .zeros
        case .mChip:
            session = .mastercard(request.counter, request.unpredictable)
            padding = .markedOrGiven
        }
        respondsUnderCardKey = request.scheme == .mChip
        task = request.task
        data = request.data
        cryptogram = request.cryptogram
        response = request.responseCode.map { .method1(code: $0) }
        issuerData = request.issuerData
        counter = request.counter
        isFilledUp = false
    }

    init(_ request: EMV4CryptogramRequest) {
        key = request.key
        switch request.account {
        case .optionA(let digits): account = .optionA(digits)
        case .optionB(let digits): account = .optionB(digits)
        }
        session = .common(request.counter)
        respondsUnderCardKey = false
        padding = .markedOrGiven
        task = request.task
        data = request.data
        cryptogram = request.cryptogram
        response = request.response.map(CryptogramResponse.init)
        issuerData = nil
        counter = request.counter
        isFilledUp = true
    }

    init(_ request: CardCryptogramRequest) {
        key = request.key
        switch request.derivation {
        case .optionA: account = .optionA(request.account.rightDigits)
        case .optionB: account = .optionB(request.account.digits)
        }
        switch request.session {
        case .pboc: session = .pboc(request.counter)
        case .common: session = .common(request.counter)
        case .mastercard: session = .mastercard(request.counter, request.unpredictable)
        case .none: session = .none
        }
        respondsUnderCardKey = request.session == .mastercard
        switch request.padding {
        case .method1: padding = .zeros
        case .method2: padding = .marked
        }
        task = request.task
        data = request.data
        cryptogram = request.cryptogram
        response = request.response.map(CryptogramResponse.init)
        issuerData = nil
        counter = request.counter
        isFilledUp = false
    }

    /// A response to a cryptogram that nobody checked here has an operation of its own.
    var operation: ServiceOperation {
        switch task {
        case .verify: .verifyCryptogram
        case .verifyAndRespond: .answerCryptogram
        case .respond: .respondUnchecked
        }
    }

    var shape: AnswerShape {
        switch (task, isFilledUp) {
        case (.respond, false): .bytes
        case (.respond, true): .filledBytes
        case (_, false): .cryptogram
        case (_, true): .filledCryptogram
        }
    }
}

extension CryptogramSession {
    /// EMV common session key from the counter alone: ATC2 | 0^6.
    fileprivate static func common(_ counter: UInt16) -> CryptogramSession { .common(UInt64(counter) << 48) }

    /// Mastercard's: ATC2 | 0000 | unpredictable number 4.
    fileprivate static func mastercard(_ counter: UInt16, _ unpredictable: UInt32) -> CryptogramSession {
        .common(UInt64(counter) << 48 | UInt64(unpredictable))
    }
}

extension CryptogramResponse {
    init(_ answer: CryptogramAnswer) {
        switch answer {
        case .method1(let code): self = .method1(code: code)
        case .method2(let update, let proprietary): self = .method2(statusUpdate: update, proprietary: proprietary)
        }
    }
}
