import HSMBridge
import KMS

/// An application key to be made. Words as on the command line: usage `purchase`, algorithm `3des2`, mode `X`, exportability `N`.
public struct NewKeyMessage: Codable, Sendable {
    /// `issuer/product/label`.
    public var name: String
    public var usage: String
    public var algorithm: String
    public var mode: String
    /// Of a master (mode `X`): how many factors its card keys are away from it; absent = 1.
    public var levels: Int?
    public var exportability: String
    public var description: String?
    public var validFrom: String?
    public var validUntil: String?

    public init(
        name: String, usage: String, algorithm: String, mode: String, levels: Int?, exportability: String,
        description: String, validFrom: String?, validUntil: String?
    ) {
        self.name = name
        self.usage = usage
        self.algorithm = algorithm
        self.mode = mode
        self.levels = levels
        self.exportability = exportability
        self.description = description
        self.validFrom = validFrom
        self.validUntil = validUntil
    }
}

/// From when and until when a new version may protect; absent = as the version before.
public struct ValidityMessage: Codable, Sendable {
    public var validFrom: String?
    public var validUntil: String?

    public init(validFrom: String?, validUntil: String?) {
        self.validFrom = validFrom
        self.validUntil = validUntil
    }
}

/// Who a key is: `issuer/product/label/NN`.
public struct KeyIdentityMessage: Codable, Sendable, Hashable {
    public var identity: String
}

/// One version of an application key; no form of its value but the block under the LMK and the check value.
public struct KeyVersionMessage: Codable, Sendable, Hashable {
    public var identity: String
    public var usage: String
    public var algorithm: String
    public var mode: String
    /// Of a master, else 0.
    public var levels: Int
    public var exportability: String
    public var state: String
    public var checkValue: String?
    public var block: String?
    /// SubjectPublicKeyInfo, DER, in hexadecimal.
    public var publicKey: String?
    public var validFrom: String?
    public var validUntil: String?
    public var origin: String?
    public var madeBy: String?
    public var madeAt: String?
    /// Other keys with the same check value and algorithm: to be looked into.
    public var sameValueAs: [String]

    init(_ version: KeyVersion) {
        identity = version.identity.description
        usage = version.attributes.usage.name
        algorithm = version.attributes.algorithm.name
        mode = String(version.attributes.mode.rawValue)
        levels = version.attributes.levels
        exportability = String(version.attributes.exportability.rawValue)
        state = version.state.rawValue
        checkValue = version.checkValue?.description
        block = version.block
        publicKey = version.publicKey.map { Hex.encode($0) }
        validFrom = version.validity.from?.text
        validUntil = version.validity.until?.text
        origin = version.origin?.rawValue
        madeBy = version.madeBy
        madeAt = version.madeAt?.text
        sameValueAs = version.sameValueAs.map(\.description)
    }
}

/// How many people will type a component.
public struct ComponentCountMessage: Codable, Sendable {
    public var count: Int

    public init(count: Int) { self.count = count }
}

/// An open entry of components. The session is text because it is a random number of 64 bits.
public struct ComponentEntryMessage: Codable, Sendable, Hashable {
    public var identity: String
    public var session: String
    public var count: Int
}

/// A value from outside: a key block, or a cryptogram with its check value, under a transport key.
public struct ImportMessage: Codable, Sendable {
    public var under: String
    public var block: String?
    /// Hexadecimal.
    public var cryptogram: String?
    public var checkValue: String?

    public init(under: String, block: String?, cryptogram: String?, checkValue: String?) {
        self.under = under
        self.block = block
        self.cryptogram = cryptogram
        self.checkValue = checkValue
    }
}

/// `suspend`, `resume` or `retire`.
public struct MoveMessage: Codable, Sendable {
    public var move: String

    public init(move: String) { self.move = move }
}

/// The approval of an operation that needs two people.
public struct ApprovedMessage: Codable, Sendable {
    public var approval: Int64

    public init(approval: Int64) { self.approval = approval }
}

/// An export that was approved.
public struct ExportMessage: Codable, Sendable {
    public var under: String
    public var approval: Int64

    public init(under: String, approval: Int64) {
        self.under = under
        self.approval = approval
    }
}

/// A key under a transport key.
public struct ExportedKeyMessage: Codable, Sendable, Hashable {
    public var identity: String
    public var under: String
    public var block: String
    public var checkValue: String
}

/// Every key that a compromise reached.
public struct CompromisedMessage: Codable, Sendable, Hashable {
    public var identities: [String]
}

/// What the check of all stored keys found; empty = every block opens as the key that its row says.
public struct KeyVerificationMessage: Codable, Sendable, Hashable {
    public var checked: Int
    public var findings: [Finding]

    public struct Finding: Codable, Sendable, Hashable {
        public var identity: String
        public var problem: String
    }

    init(_ verification: KeyVerification) {
        checked = verification.checked
        findings = verification.findings.map { Finding(identity: $0.identity.description, problem: $0.problem) }
    }
}
