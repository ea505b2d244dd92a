import CryptoClient
import Glibc
import HSMBridge
import KMS

/// What one client may do with one key, on one event loop; with the module's handle of the key once it is open.
final class KeyEntry {
    let key: GrantedKey
    let client: String
    let operation: ServiceOperation
    /// The key field of the requests that name it, as it stands on the wire.
    let field: ContiguousArray<UInt8>
    /// Zero: not open. The module's handles are never zero, their upper half is its epoch.
    var handle: UInt64 = 0
    /// An `OpenKey` is on its way.
    var isOpening = false
    /// The tick of the loop's clock at which grants, state and dates were last looked at.
    var tick: UInt64
    /// Since the last tick.
    var succeeded = 0
    var failed = 0
    /// Failed checks not recorded yet, all from one origin.
    var wrong = 0
    var wrongOrigin = ""

    init(
        key: GrantedKey, client: String, operation: ServiceOperation, field: ContiguousArray<UInt8>, tick: UInt64
    ) {
        self.key = key
        self.client = client
        self.operation = operation
        self.field = field
        self.tick = tick
    }

    /// Whether a request with this key field and operation means this entry.
    @inline(__always) @unsafe
    func isFor(_ other: UnsafeRawBufferPointer, _ operation: ServiceOperation) -> Bool {
        guard operation == self.operation, other.count == field.count, let start = other.baseAddress else {
            return false
        }
        return unsafe field.withUnsafeBytes { own in
            unsafe own.baseAddress.map { unsafe memcmp($0, start, own.count) == 0 } ?? true
        }
    }
}

/// The keys that one client used lately on one event loop, by the words in which the client names them.
///
/// Grants, state and dates are looked at again at each tick of the loop's clock, and everything is forgotten when the key
/// directory changes; so what is cached is never older than the directory itself.
final class ClientKeys {
    private struct Question: Hashable {
        let key: HostKeyReference
        let operation: ServiceOperation
    }

    /// Entries; beyond it all are forgotten, which costs the ones in use one opening each.
    static let limit = 4_096

    let client: String
    private var entries: [Question: KeyEntry] = [:]
    private var change: UInt64 = 0
    /// The key of the last request: most clients ask with the same one again and again.
    private var last: (question: Question, entry: KeyEntry)?
    private var fields = KeyFieldIndex()

    init(client: String) { self.client = client }

    /// Keys known by their words and rights.
    var count: Int { entries.count }

    func entry(
        _ key: HostKeyReference, for operation: ServiceOperation, _ access: KeyAccess, tick: UInt64
    ) throws(Refusal) -> KeyEntry {
        if access.snapshot.change != change {
            forgetAll()
            change = access.snapshot.change
        }
        let question = Question(key: key, operation: operation)
        if let last, last.entry.tick == tick, last.question == question { return last.entry }
        let entry = try entry(question, access, tick: tick)
        last = (Question(key: key.detached, operation: operation), entry)
        return entry
    }

    /// The entry of a key field as it stands on the wire, where grants, state and dates were looked at in this tick and the
    /// module has the key open; nil leaves it to the other way, which finds out why not.
    @inline(__always) @unsafe
    func readyEntry(_ field: UnsafeRawBufferPointer, _ operation: ServiceOperation, tick: UInt64) -> KeyEntry? {
        guard let entry = unsafe fields.entry(field, operation), entry.tick == tick, entry.handle != 0 else {
            return nil
        }
        return entry
    }

    private func forgetAll() {
        entries.removeAll(keepingCapacity: true)
        fields.removeAll()
        last = nil
    }

    private func entry(_ question: Question, _ access: KeyAccess, tick: UInt64) throws(Refusal) -> KeyEntry {
        let (key, operation) = (question.key, question.operation)
        let known = entries[question]
        if let known, known.tick == tick { return known }
        let granted: GrantedKey
        do throws(Refusal) {
            granted = try access.key(key, for: operation)
        } catch {
            // Its place in `fields` stays: it is of an old tick, and so it does not count.
            if known != nil { entries[question] = nil }
            throw error
        }
        if let known, known.key == granted {
            known.tick = tick
            return known
        }
        if entries.count >= Self.limit || fields.count >= Self.limit { forgetAll() }
        let entry = KeyEntry(
            key: granted, client: client, operation: operation, field: ContiguousArray(key.wireText.utf8), tick: tick)
        entries[Question(key: key.detached, operation: operation)] = entry
        fields.insert(entry)
        return entry
    }

    /// The module restarted or lost the handles.
    func forgetHandles() {
        for entry in entries.values {
            entry.handle = 0
            entry.isOpening = false
        }
    }
}
