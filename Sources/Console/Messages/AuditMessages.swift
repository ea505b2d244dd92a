import HSMBridge
import KMS

/// What the check of the audit trail found; no findings = intact.
public struct AuditVerificationMessage: Codable, Sendable, Hashable {
    public var node: String
    public var records: UInt64
    /// Hash of the last record, hexadecimal.
    public var head: String
    public var checkpoints: Int
    public var findings: [Finding]

    public struct Finding: Codable, Sendable, Hashable {
        public var node: String
        public var sequence: UInt64
        public var place: String
        public var problem: String
        public var text: String
    }

    init(_ verification: AuditVerification) {
        node = verification.node
        records = verification.records
        head = Hex.encode(verification.head)
        checkpoints = verification.checkpoints
        findings = verification.findings.map {
            Finding(
                node: $0.node, sequence: $0.sequence, place: $0.place.rawValue, problem: $0.problem.rawValue,
                text: $0.text)
        }
    }
}

/// One record of the trail.
public struct AuditRecordMessage: Codable, Sendable, Hashable {
    public var node: String
    public var sequence: UInt64
    public var time: String
    public var actors: [String]
    public var origin: String
    public var operation: String
    public var object: String
    public var checkValue: String
    public var outcome: String
    public var code: String
    public var reference: UInt64?
    public var fields: [String: String]
    public var hash: String

    init(_ record: AuditRecord) {
        node = record.node
        sequence = record.sequence
        time = record.time.text
        actors = record.actors
        origin = record.origin
        operation = record.operation
        object = record.object
        checkValue = record.checkValue
        outcome = record.outcome
        code = record.code
        reference = record.reference
        fields = Dictionary(record.fields.map { ($0.name, $0.value) }) { first, _ in first }
        hash = Hex.encode(record.hash)
    }
}

/// The key that signs a checkpoint.
public struct NewCheckpointMessage: Codable, Sendable {
    public var key: String

    public init(key: String) { self.key = key }
}

/// A signed head of the trail, checked by `openssl dgst -sha256 -verify public.pem -signature signature message`.
public struct CheckpointMessage: Codable, Sendable, Hashable {
    public var node: String
    public var sequence: UInt64
    public var head: String
    public var time: String
    public var key: String
    /// To the byte, with its ends of line.
    public var message: String
    /// Hexadecimal.
    public var signature: String
    /// SubjectPublicKeyInfo, DER, in hexadecimal.
    public var publicKey: String
    public var publicKeyPEM: String

    init(_ checkpoint: AuditCheckpoint) {
        node = checkpoint.node
        sequence = checkpoint.sequence
        head = Hex.encode(checkpoint.head)
        time = checkpoint.time.text
        key = checkpoint.key
        message = checkpoint.message
        signature = Hex.encode(checkpoint.signature)
        publicKey = Hex.encode(checkpoint.publicKey)
        publicKeyPEM = checkpoint.publicKeyPEM
    }
}
