import Foundation
import HSMBridge
import Synchronization

@testable import HSMEngine

extension FuzzTarget {
    /// The module's own message, the part after its length field, to an operational module whose LMK is always the same and
    /// in which the same kinds of keys are open: blocks and handles of one run mean something in the next.
    static let moduleMessages = FuzzTarget(name: "module-messages") { input in
        moduleDesk.withLock { desk in
            if desk == nil || desk?.isUsedUp == true {
                desk = nil
                desk = try? ModuleDesk()
            }
            guard desk != nil else { return "no module could be opened" }
            return desk?.finding(in: input)
        }
    }

    private static let moduleDesk = Mutex<ModuleDesk?>(nil)

    /// The module's answer, as its callers read it.
    static let moduleReplies = FuzzTarget(name: "module-replies") { input in
        guard let reply = try? ModuleReply(message: input) else { return nil }
        for index in 0..<min(reply.count, 8) {
            // One command for each kind of reply.
            _ = try? reply.reply(index, to: GetStatus.self)
            _ = try? reply.reply(index, to: RunSelfTest.self)
            _ = try? reply.reply(index, to: ListReaders.self)
            _ = try? reply.reply(index, to: InspectAdminCard.self)
            _ = try? reply.reply(index, to: BeginCeremony.self)
            _ = try? reply.reply(index, to: BeginComponentEntry.self)
            _ = try? reply.reply(index, to: AbortComponentEntry.self)
            _ = try? reply.reply(index, to: GenerateKey.self)
            _ = try? reply.reply(index, to: GenerateKeyPair.self)
            _ = try? reply.reply(index, to: DiversifyKeyBatch.self)
            _ = try? reply.reply(index, to: InspectKey.self)
            _ = try? reply.reply(index, to: OpenKey.self)
            _ = try? reply.reply(index, to: CheckValue.self)
            _ = try? reply.reply(index, to: GenerateMAC.self)
            _ = try? reply.reply(index, to: VerifyMAC.self)
            _ = try? reply.reply(index, to: ExplainMAC.self)
            _ = try? reply.reply(index, to: EncipherData.self)
            _ = try? reply.reply(index, to: VerifyTACBatch.self)
            _ = try? reply.reply(index, to: AuthorisePurseLoad.self)
            _ = try? reply.reply(index, to: ProtectKeyLoad.self)
            _ = try? reply.reply(index, to: VerifyCryptogram.self)
            _ = try? reply.reply(index, to: Hash.self)
        }
        return nil
    }
}

/// A module for the fuzzer, with a few open keys.
struct ModuleDesk {
    /// Journal and key cache grow: after so many messages a new module takes over.
    private static let messages = 20_000

    let module: SoftwareModule
    private let folder: String
    private var answered = 0

    init() throws {
        folder = "/tmp/kmsd-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        module = SoftwareModule(ModuleSettings(stateFolder: folder, readers: .none))
        try module.openWithFixedLMK()
        for (number, kind) in Self.kinds.enumerated() { try open(kind, number) }
        try openSigner()
    }

    var isUsedUp: Bool { answered >= Self.messages || module.current().state != .operational }

    /// Usage, algorithm and mode of the open keys: handles 0x2_0000_0001 and on.
    static let kinds: [(KeyUsage, KeyAlgorithm, ModeOfUse)] = [
        (.mac3, .tripleDES2, .calculate), (.mac1, .sm4, .calculate), (.cmac, .aes128, .calculate),
        (.tac, .tripleDES2, .derive), (.tac, .sm4, .derive), (.load, .tripleDES2, .derive),
        (.purchase, .tripleDES2, .derive), (.cardControl, .tripleDES2, .unrestricted),
        (.cardMaintenance, .tripleDES2, .derive), (.keyEncryption, .tripleDES2, .both),
        (.keyBlockProtection, .aes256, .both), (.dataEncryption, .tripleDES2, .both),
        (.vendorTransport, .tripleDES2, .derive), (.psamCipher, .tripleDES2, .derive),
        (.cardVerification, .tripleDES2, .calculate), (.unload, .tripleDES2, .derive),
        (.dataEncryption, .aes128, .both), (.mac1, .tripleDES2, .calculate),
        (.applicationCryptogram, .tripleDES2, .derive), (.scriptIntegrity, .tripleDES2, .derive),
    ]

    private func open(_ kind: (KeyUsage, KeyAlgorithm, ModeOfUse), _ number: Int) throws {
        guard let identity = KeyIdentity("FUZZ/corpus/key\(number)/01") else { return }
        let exportability: Exportability = kind.0 == .vendorTransport ? .nonExportable : .exportable
        var request = ModuleRequest()
        request.append(
            GenerateKey(
                attributes: KeyAttributes(
                    usage: kind.0, algorithm: kind.1, mode: kind.2, exportability: exportability), identity: identity))
        let made = try answer(Array(request.message().dropFirst(4))).reply(0, to: GenerateKey.self)
        try open(made, identity)
    }

    /// An RSA key, the last of the handles.
    private func openSigner() throws {
        guard let identity = KeyIdentity("FUZZ/corpus/signer/01") else { return }
        var request = ModuleRequest()
        request.append(
            GenerateKeyPair(
                attributes: KeyAttributes(
                    usage: .signature, algorithm: .rsa(bits: 2_048), mode: .sign, exportability: .nonExportable),
                identity: identity))
        let made = try answer(Array(request.message().dropFirst(4))).reply(0, to: GenerateKeyPair.self)
        try open(made.privateKey, identity)
    }

    private func open(_ key: WrappedKey, _ identity: KeyIdentity) throws {
        var opening = ModuleRequest()
        opening.append(OpenKey(key: .block(key.block, expected: identity)))
        _ = try answer(Array(opening.message().dropFirst(4))).reply(0, to: OpenKey.self)
    }

    /// The module's answer to a message, as it goes over the socket without its length field.
    func reply(to message: [UInt8]) -> [UInt8] {
        var writer = ModuleReplyWriter()
        _ = unsafe message.withUnsafeBytes { unsafe module.answer($0, from: .thisProcess, into: &writer) }
        return unsafe writer.withMessage { unsafe Array($0.dropFirst(4)) }
    }

    private func answer(_ message: [UInt8]) throws -> ModuleReply {
        try ModuleReply(message: reply(to: message))
    }

    /// RSA keys take seconds each, and after sealing a new module has to be made.
    static let leftOut: [CommandCode] = [.generateKeyPair, .sealModule]

    /// Every command of a message is answered, and the answer can be read.
    mutating func finding(in message: [UInt8]) -> String? {
        guard !Self.leftOut.contains(where: { Self.asks(message, for: $0) }) else { return nil }
        answered += 1
        let count = unsafe message.withUnsafeBytes { unsafe MessageFrame(body: $0) }?.count
        guard let reply = try? answer(message) else { return "the module's answer cannot be read" }
        guard let count else { return reply.count == 1 ? nil : "what is no message got \(reply.count) answers" }
        return reply.count == count ? nil : "\(count) commands got \(reply.count) answers"
    }

    static func asks(_ message: [UInt8], for code: CommandCode) -> Bool {
        var offset = 4
        while offset + 6 <= message.count {
            if message[offset] == 0, UInt16(message[offset + 1]) == code.rawValue { return true }
            offset += 6 + message[offset + 2..<offset + 6].reduce(0) { $0 << 8 | Int($1) }
        }
        return false
    }
}

extension SoftwareModule {
    /// As `openWithRandomLMK`, with a key that everybody knows.
    fileprivate func openWithFixedLMK() throws {
        let bytes = (0..<32).map { UInt8(0x21 &+ 5 &* $0) }
        let lmk = try SecretBytes(copying: bytes.span)
        let checkValue = try KeyCheckValue.calculate(lmk, algorithm: .aes256)
        let components = (1...3).map {
            StateRecord.Component(checkValue: checkValue, cardSerial: "000000000000000\($0)")
        }
        let key = StateRecord.MasterKey(term: Ceremony.firstTerm, checkValue: checkValue, components: components)
        var record = live.withLock { $0.record }
        record.masterKey = key
        record = try nextEpoch(record)
        let keyring = try Keyring(lmk: lmk, term: key.term, epoch: record.epoch, openKeyLimit: 256)
        let opened = live.withLock { live in
            live.record = record
            live = LiveState(record: record)
            return live.begin(.loading(key), deadline: .max) && live.finishLoad(record, keyring: keyring)
        }
        guard opened else { throw ModuleRefusal(.internalFault) }
    }
}

extension ModuleRequest {
    /// The whole message, length field included.
    mutating func message() -> [UInt8] {
        unsafe withMessage { bytes in unsafe Array(bytes) }
    }
}
