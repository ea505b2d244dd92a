internal import HSMBridge
internal import KMS

/// Finds the keys of a profile among the keys of an issuer and checks that each is what the profile takes it for.
struct KeyLookup {
    let issuer: String
    let now: Timestamp
    /// The active version with the highest number; `KeyDirectory` in the server.
    let current: (KeyName) -> StoredKey?

    init(issuer: String, now: Timestamp, current: @escaping (KeyName) -> StoredKey?) {
        self.issuer = issuer
        self.now = now
        self.current = current
    }

    /// The keys of the profile by name, diversified by the job's data.
    func keys(of profile: CardProfile, data: JobData) throws(IssuingError) -> [String: CardKey] {
        var keys: [String: CardKey] = [:]
        var checkValues: [String: KeyCheckValue] = [:]
        for plan in profile.keys {
            let stored = try stored(plan, profile.cardOS)
            checkValues[plan.name] = stored.checkValue
            keys[plan.name] = CardKey(
                name: plan.name, identity: stored.identity,
                derived: DerivedKey(stored.reference, factors: try factors(plan, data)), isTransport: plan.isTransport)
        }
        // A maker's key must not come back under another name. Derived keys cannot be compared before they exist, and no
        // derivation of an own master gives a maker's key but by chance.
        for plan in profile.keys where !plan.isTransport && plan.factors.isEmpty {
            for other in profile.keys where other.isTransport && checkValues[other.name] == checkValues[plan.name] {
                throw .keyUnfit(
                    "\(issuer)/\(plan.label)", expected: "it has the check value of the transport key \(other.label)")
            }
        }
        return keys
    }

    private func stored(_ plan: KeyPlan, _ cardOS: CardOS) throws(IssuingError) -> StoredKey {
        let label = "\(issuer)/\(plan.label)"
        guard let name = KeyName(label) else { throw .invalidIssuer }
        guard let stored = current(name) else { throw .keyMissing(label) }
        do throws(KMSError) { try stored.requireUsable(protecting: true, now: now) } catch {
            throw .keyUnusable(label, error)
        }
        guard stored.attributes.usage == plan.usage else {
            throw .keyUnfit(label, expected: "usage must be \(plan.usage.name), it is \(stored.attributes.usage.name)")
        }
        let algorithm: KeyAlgorithm = cardOS.cipher == .sm4 ? .sm4 : .tripleDES2
        guard stored.attributes.algorithm == algorithm else {
            throw .keyUnfit(label, expected: "the card works with \(algorithm)")
        }
        if !plan.isTransport, !plan.factors.isEmpty, stored.attributes.mode != .derive {
            throw .keyUnfit(label, expected: "a key that is diversified must have mode X")
        }
        // A PSAM gets what some levels leave, and does the others itself; on any other card that would be a master given away.
        let (levels, given) = (stored.attributes.levels, plan.factors.count)
        if !plan.isTransport, given > levels || given < levels && cardOS.factorOrder == nil {
            throw .keyUnfit(label, expected: "the master has \(levels) level(s), the profile gives \(given) factor(s)")
        }
        return stored
    }

    private func factors(_ plan: KeyPlan, _ data: JobData) throws(IssuingError) -> [UInt64] {
        var factors: [UInt64] = []
        for source in plan.factors {
            switch source {
            case .constant(let value): factors.append(value)
            case .field(let name):
                // PBOC: the rightmost sixteen digits of the serial number (domain.md 3.1).
                guard let bytes = data.values[name], bytes.count >= 8 else {
                    throw .imageInvalid("key \(plan.name): data field \(name) has fewer than eight bytes")
                }
                factors.append(bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
            }
        }
        return factors
    }
}
