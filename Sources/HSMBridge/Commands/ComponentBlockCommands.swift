/// Forms a key from components that stand as key blocks under the LMK: the key is their XOR.
///
/// A component is a block whose key version number is `c1` to `c9` (X9.143: component n). It is a component and nothing else: no
/// command calculates with it, and no key that is one can be formed from keys that are not, or the XOR of a secret key with a known
/// one could be given away under other attributes. The key has the attributes of its components.
public struct FormKey: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.formKey
    public static let counts = 2...9
    /// Two to nine, each number once.
    public let components: [KeyReference]
    public let attributes: KeyAttributes
    public let identity: KeyIdentity

    public init(components: [KeyReference], attributes: KeyAttributes, identity: KeyIdentity) {
        self.components = components
        self.attributes = attributes
        self.identity = identity
    }

    public func write(to writer: inout WireWriter) {
        writer.array(components)
        attributes.write(to: &writer)
        identity.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        components = try reader.array(of: KeyReference.self, limit: Self.counts.upperBound)
        attributes = try KeyAttributes(from: &reader)
        identity = try KeyIdentity(from: &reader)
    }
}

/// Wraps a key under the LMK in force again: the same key, attributes and name in a fresh block. A block under an LMK that the
/// module does not hold is refused with `lmkTermUnknown`.
public struct RewrapKey: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.rewrapKey
    /// A block; not a handle.
    public let key: KeyReference

    public init(key: KeyReference) { self.key = key }
    public func write(to writer: inout WireWriter) { key.write(to: &writer) }
    public init(from reader: inout WireReader) throws(WireError) { key = try KeyReference(from: &reader) }
}
