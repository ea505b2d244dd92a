/// Makes a symmetric key inside the module.
public struct GenerateKey: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.generateKey
    public let attributes: KeyAttributes
    public let identity: KeyIdentity
    /// 1 to 9 for a component of that number (see `FormKey`), 0 for a key.
    public let component: UInt8

    public init(attributes: KeyAttributes, identity: KeyIdentity, component: UInt8 = 0) {
        self.attributes = attributes
        self.identity = identity
        self.component = component
    }

    public func write(to writer: inout WireWriter) {
        attributes.write(to: &writer)
        identity.write(to: &writer)
        writer.u8(component)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        attributes = try KeyAttributes(from: &reader)
        identity = try KeyIdentity(from: &reader)
        component = try reader.u8()
        guard component < 10 else { throw .valueInvalid }
    }
}

/// Makes an RSA key pair inside the module (hundreds of milliseconds), with a pair-wise consistency check.
public struct GenerateKeyPair: ModuleCommand {
    public typealias Reply = KeyPair
    public static let code = CommandCode.generateKeyPair
    /// `algorithm` must be `.rsa` of 2,048 to 4,096 bits.
    public let attributes: KeyAttributes
    public let identity: KeyIdentity
    /// 65537, or 3 for the EMV schemes that want it.
    public let exponent: UInt32

    public init(attributes: KeyAttributes, identity: KeyIdentity, exponent: UInt32 = 65_537) {
        self.attributes = attributes
        self.identity = identity
        self.exponent = exponent
    }

    public func write(to writer: inout WireWriter) {
        attributes.write(to: &writer)
        identity.write(to: &writer)
        writer.u32(exponent)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        attributes = try KeyAttributes(from: &reader)
        identity = try KeyIdentity(from: &reader)
        exponent = try reader.u32()
    }
}

public struct KeyPair: WireValue, Hashable {
    public var privateKey: WrappedKey
    /// SubjectPublicKeyInfo, DER. The private key's check value is the first three bytes of its SHA-256.
    public var publicKey: [UInt8]

    public init(privateKey: WrappedKey, publicKey: [UInt8]) {
        self.privateKey = privateKey
        self.publicKey = publicKey
    }

    public func write(to writer: inout WireWriter) {
        privateKey.write(to: &writer)
        writer.bytes(publicKey)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        privateKey = try WrappedKey(from: &reader)
        publicKey = try reader.bytes()
    }
}

/// Opens the entry of a key in full-length components (分量), each typed by another person; the key is their XOR.
/// The session ends by itself after ten minutes.
public struct BeginComponentEntry: ModuleCommand {
    public typealias Reply = ComponentEntry
    public static let code = CommandCode.beginComponentEntry
    public let attributes: KeyAttributes
    public let identity: KeyIdentity
    /// 2 or 3.
    public let components: UInt8

    public init(attributes: KeyAttributes, identity: KeyIdentity, components: UInt8) {
        self.attributes = attributes
        self.identity = identity
        self.components = components
    }

    public func write(to writer: inout WireWriter) {
        attributes.write(to: &writer)
        identity.write(to: &writer)
        writer.u8(components)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        attributes = try KeyAttributes(from: &reader)
        identity = try KeyIdentity(from: &reader)
        components = try reader.u8()
    }
}

/// An open component entry.
public struct ComponentEntry: WireValue, Hashable {
    /// Random; whoever has it may type a component.
    public var session: UInt64
    /// Check value of each component entered so far, by number.
    public var entered: [KeyCheckValue?]

    public init(session: UInt64, entered: [KeyCheckValue?]) {
        self.session = session
        self.entered = entered
    }

    public func write(to writer: inout WireWriter) {
        writer.u64(session)
        writer.array(entered)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        session = try reader.u64()
        entered = try reader.array(of: KeyCheckValue?.self, limit: 3)
    }
}

/// One person's component. Each number can be entered once, and no two components may be equal.
public struct EnterComponent: ModuleCommand, ~Copyable {
    public typealias Reply = ComponentEntry
    public static let code = CommandCode.enterComponent
    public let session: UInt64
    /// From 1.
    public let number: UInt8
    public let component: SecretInput

    public init(session: UInt64, number: UInt8, component: consuming SecretInput) {
        self.session = session
        self.number = number
        self.component = component
    }

    public borrowing func write(to writer: inout WireWriter) {
        writer.u64(session)
        writer.u8(number)
        component.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let session = try reader.u64()
        let number = try reader.u8()
        let component = try SecretInput(from: &reader)
        self.init(session: session, number: number, component: component)
    }
}

/// Forms the key when all components are in.
public struct FinishComponentEntry: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.finishComponentEntry
    public let session: UInt64
    public init(session: UInt64) { self.session = session }
    public func write(to writer: inout WireWriter) { writer.u64(session) }
    public init(from reader: inout WireReader) throws(WireError) { session = try reader.u64() }
}

/// Forgets the components typed so far.
public struct AbortComponentEntry: ModuleCommand {
    public typealias Reply = Done
    public static let code = CommandCode.abortComponentEntry
    public let session: UInt64
    public init(session: UInt64) { self.session = session }
    public func write(to writer: inout WireWriter) { writer.u64(session) }
    public init(from reader: inout WireReader) throws(WireError) { session = try reader.u64() }
}

/// Checks a wrapped key and says what it is. With an expected identity in the reference, a moved row is found.
public struct InspectKey: ModuleCommand {
    public typealias Reply = KeyDescription
    public static let code = CommandCode.inspectKey
    public let key: KeyReference
    public init(key: KeyReference) { self.key = key }
    public func write(to writer: inout WireWriter) { key.write(to: &writer) }
    public init(from reader: inout WireReader) throws(WireError) { key = try KeyReference(from: &reader) }
}

public struct KeyDescription: WireValue, Hashable {
    public var attributes: KeyAttributes
    /// Nil for a key without our identity block.
    public var identity: KeyIdentity?
    public var term: UInt8
    public var checkValue: KeyCheckValue

    public init(attributes: KeyAttributes, identity: KeyIdentity?, term: UInt8, checkValue: KeyCheckValue) {
        self.attributes = attributes
        self.identity = identity
        self.term = term
        self.checkValue = checkValue
    }

    public func write(to writer: inout WireWriter) {
        attributes.write(to: &writer)
        identity.write(to: &writer)
        writer.u8(term)
        checkValue.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        attributes = try KeyAttributes(from: &reader)
        identity = try KeyIdentity?(from: &reader)
        term = try reader.u8()
        checkValue = try KeyCheckValue(from: &reader)
    }
}

/// Opens a wrapped key into the module's bounded cache, so that requests name a handle.
public struct OpenKey: ModuleCommand {
    public typealias Reply = OpenedKey
    public static let code = CommandCode.openKey
    public let key: KeyReference
    public init(key: KeyReference) { self.key = key }
    public func write(to writer: inout WireWriter) { key.write(to: &writer) }
    public init(from reader: inout WireReader) throws(WireError) { key = try KeyReference(from: &reader) }
}

public struct OpenedKey: WireValue, Hashable {
    public var handle: KeyHandle
    public var description: KeyDescription

    public init(handle: KeyHandle, description: KeyDescription) {
        self.handle = handle
        self.description = description
    }

    public func write(to writer: inout WireWriter) {
        writer.u64(handle.rawValue)
        description.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        handle = KeyHandle(rawValue: try reader.u64())
        description = try KeyDescription(from: &reader)
    }
}

/// Wipes an open key.
public struct CloseKey: ModuleCommand {
    public typealias Reply = Done
    public static let code = CommandCode.closeKey
    public let handle: KeyHandle
    public init(handle: KeyHandle) { self.handle = handle }
    public func write(to writer: inout WireWriter) { writer.u64(handle.rawValue) }
    public init(from reader: inout WireReader) throws(WireError) { handle = KeyHandle(rawValue: try reader.u64()) }
}
