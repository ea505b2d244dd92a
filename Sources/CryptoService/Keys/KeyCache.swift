import CryptoClient
import Glibc
import HSMBridge
import KMS
import NIOCore

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
///
/// Two generations: where the young one is full it becomes the old one, and what of that is not used until the next change is
/// forgotten. A client with more keys than fit so loses the ones it does not use, at no cost for a single request.
final class ClientKeys {
    /// Entries of one generation; twice as many are kept at most.
    static let limit = 4_096

    let client: String
    private var young = KeyFieldIndex()
    private var old = KeyFieldIndex()
    private var change: UInt64 = 0
    /// Requests whose key had to be looked up in the directory.
    private(set) var misses: UInt64 = 0

    init(client: String) { self.client = client }

    /// Keys known by their words and rights.
    var count: Int { young.count + old.count }

    /// The key of a request, granted for the operation.
    func entry(
        _ key: HostKeyReference, for operation: ServiceOperation, _ access: KeyAccess, tick: UInt64
    ) throws(Refusal) -> KeyEntry {
        if access.snapshot.change != change {
            young.removeAll()
            old.removeAll()
            change = access.snapshot.change
        }
        let field = key.field
        let known = unsafe field.withUnsafeBytes { unsafe find($0, operation) }
        if let known, known.tick == tick { return known }
        let granted = try access.key(key, for: operation)
        if let known, known.key == granted {
            known.tick = tick
            return known
        }
        let entry = KeyEntry(key: granted, client: client, operation: operation, field: field, tick: tick)
        misses &+= 1
        insert(entry)
        return entry
    }

    /// The entry of a key field as it stands on the wire, where grants, state and dates were looked at in this tick and the
    /// module has the key open; nil leaves it to the other way, which finds out why not.
    @inline(__always) @unsafe
    func readyEntry(_ field: UnsafeRawBufferPointer, _ operation: ServiceOperation, tick: UInt64) -> KeyEntry? {
        guard let entry = unsafe find(field, operation), entry.tick == tick, entry.handle != 0 else { return nil }
        return entry
    }

    @unsafe private func find(_ field: UnsafeRawBufferPointer, _ operation: ServiceOperation) -> KeyEntry? {
        if let entry = unsafe young.entry(field, operation) { return entry }
        guard old.count > 0, let entry = unsafe old.entry(field, operation) else { return nil }
        insert(entry)
        return entry
    }

    private func insert(_ entry: KeyEntry) {
        if young.count >= Self.limit {
            old = young
            young = KeyFieldIndex()
        }
        young.insert(entry)
    }

    /// The module restarted or lost the handles.
    func forgetHandles() {
        for entry in young.entries + old.entries {
            entry.handle = 0
            entry.isOpening = false
        }
    }
}

extension HostKeyReference {
    /// The key field as it stands on the wire.
    fileprivate var field: ContiguousArray<UInt8> {
        var field = ContiguousArray<UInt8>()
        field.reserveCapacity(3 + text.readableBytes)
        if form != .single { field.append(form.rawValue) }
        if form == .label {
            field.append(UInt8(0x30 + text.readableBytes / 10 % 10))
            field.append(UInt8(0x30 + text.readableBytes % 10))
        }
        field.append(contentsOf: text.readableBytesView)
        return field
    }
}
