import HSMBridge
import Synchronization

/// The open entries of keys in typed components (分量). Components stay in secret memory and go with the session: finished,
/// abandoned, sealed away or after the time limit.
final class ComponentEntries: Sendable {
    /// More at one time would be a leak, not people at a desk.
    static let limit = 8

    private struct Session {
        let attributes: KeyAttributes
        let identity: KeyIdentity
        let deadline: Int64
        var components: [SecretBox?]
        var checkValues: [KeyCheckValue?]
    }

    private let sessions = Mutex<[UInt64: Session]>([:])

    func begin(
        _ command: BeginComponentEntry, deadline: Int64
    ) throws(ModuleRefusal) -> ComponentEntry {
        try AttributeRules.check(command.attributes)
        guard command.attributes.algorithm.isSymmetric else { throw ModuleRefusal(.algorithmNotPermitted) }
        guard (2...3).contains(command.components) else { throw ModuleRefusal(.parameterInvalid) }
        let count = Int(command.components)
        let random = try primitive { () throws(PrimitiveError) in try SecureRandom.bytes(count: 8) }
        let number = random.reduce(0) { $0 << 8 | UInt64($1) }
        let session = Session(
            attributes: command.attributes, identity: command.identity, deadline: deadline,
            components: Array(repeating: nil, count: count), checkValues: Array(repeating: nil, count: count))
        let isTaken = sessions.withLock { sessions in
            guard sessions.count < Self.limit, sessions[number] == nil else { return false }
            sessions[number] = session
            return true
        }
        guard isTaken else { throw ModuleRefusal(.busy) }
        return ComponentEntry(session: number, entered: session.checkValues)
    }

    /// One person's component: of the key's full length, so that nobody can guess the rest from his part.
    func enter(_ command: borrowing EnterComponent, now: Int64) throws(ModuleRefusal) -> ComponentEntry {
        let number = command.session
        let index = Int(command.number) - 1
        let session = try session(number, now: now)
        guard session.components.indices.contains(index) else { throw ModuleRefusal(.parameterInvalid) }
        let component = try SecretCopy.secret(command.component)
        guard component.count * 8 == session.attributes.algorithm.bits else { throw ModuleRefusal(.keyLengthInvalid) }
        let checkValue = try primitive { () throws(PrimitiveError) in
            try KeyCheckValue.calculate(component, algorithm: session.attributes.algorithm)
        }
        let box = SecretBox(component)
        let entered = sessions.withLock { sessions -> [KeyCheckValue?]? in
            guard let known = sessions[number], known.components[index] == nil,
                !known.components.contains(where: { $0?.bytes.isEqual(to: box.bytes) ?? false })
            else { return nil }
            sessions[number]?.components[index] = box
            sessions[number]?.checkValues[index] = checkValue
            return sessions[number]?.checkValues
        }
        guard let entered else { throw ModuleRefusal(.componentRepeated) }
        return ComponentEntry(session: number, entered: entered)
    }

    /// The XOR of all components, with odd parity where it is a DES key; the session ends whatever comes of it.
    func finish(_ number: UInt64, now: Int64) throws(ModuleRefusal) -> NewKey {
        let session = try session(number, now: now)
        guard !session.components.contains(where: { $0 == nil }) else { throw ModuleRefusal(.ceremonyIncomplete) }
        sessions.withLock { $0[number] = nil }
        let key = try primitive { () throws(PrimitiveError) in
            var key = try SecretBytes(count: session.attributes.algorithm.bits / 8)
            for component in session.components { if let component { try key.xor(with: component.bytes) } }
            KeyParity.adjust(&key, algorithm: session.attributes.algorithm)
            return key
        }
        return NewKey(attributes: session.attributes, identity: session.identity, key: key)
    }

    func abort(_ number: UInt64, now: Int64) throws(ModuleRefusal) {
        _ = try session(number, now: now)
        sessions.withLock { $0[number] = nil }
    }

    func forgetAll() { sessions.withLock { $0.removeAll() } }

    func forgetExpired(now: Int64) {
        sessions.withLock { sessions in
            for (number, session) in sessions where session.deadline <= now { sessions[number] = nil }
        }
    }

    private func session(_ number: UInt64, now: Int64) throws(ModuleRefusal) -> Session {
        let found = sessions.withLock { $0[number] }
        guard let found else { throw ModuleRefusal(.ceremonyNotOpen) }
        guard now < found.deadline else {
            sessions.withLock { $0[number] = nil }
            throw ModuleRefusal(.ceremonyExpired)
        }
        return found
    }
}

/// Odd parity where an algorithm has it. PBOC card keys are never adjusted: their bytes go onto cards as they are.
enum KeyParity {
    static func adjust(_ key: inout SecretBytes, algorithm: KeyAlgorithm) {
        switch algorithm {
        case .des, .tripleDES2, .tripleDES3: DESParity.adjust(&key)
        case .aes128, .aes192, .aes256, .sm4, .rsa: break
        }
    }
}
