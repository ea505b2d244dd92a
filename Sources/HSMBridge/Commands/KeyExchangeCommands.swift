/// Takes a key that arrived as an X9.143 block (A, B, C or D) under a transport key.
public struct ImportKeyBlock: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.importKeyBlock
    /// Usage `K0` or `K1`, mode B or D.
    public let transportKey: KeyReference
    public let block: String
    /// What the key shall be here. The block's header must agree in algorithm; a registered usage must agree too, and the
    /// result is never more exportable than the block says.
    public let attributes: KeyAttributes
    public let identity: KeyIdentity

    public init(transportKey: KeyReference, block: String, attributes: KeyAttributes, identity: KeyIdentity) {
        self.transportKey = transportKey
        self.block = block
        self.attributes = attributes
        self.identity = identity
    }

    public func write(to writer: inout WireWriter) {
        transportKey.write(to: &writer)
        writer.text(block)
        attributes.write(to: &writer)
        identity.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        transportKey = try KeyReference(from: &reader)
        block = try reader.text()
        attributes = try KeyAttributes(from: &reader)
        identity = try KeyIdentity(from: &reader)
    }
}

/// Takes a key that arrived as ECB cryptogram with a check value: the custom between Chinese key systems (facts 6.4).
public struct ImportCryptogram: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.importCryptogram
    public let transportKey: KeyReference
    /// 16 or 24 bytes.
    public let cryptogram: [UInt8]
    /// What the sender says the key's check value is: an unauthenticated form is not taken without one.
    public let checkValue: KeyCheckValue
    public let attributes: KeyAttributes
    public let identity: KeyIdentity

    public init(
        transportKey: KeyReference, cryptogram: [UInt8], checkValue: KeyCheckValue, attributes: KeyAttributes,
        identity: KeyIdentity
    ) {
        self.transportKey = transportKey
        self.cryptogram = cryptogram
        self.checkValue = checkValue
        self.attributes = attributes
        self.identity = identity
    }

    public func write(to writer: inout WireWriter) {
        transportKey.write(to: &writer)
        writer.bytes(cryptogram)
        checkValue.write(to: &writer)
        attributes.write(to: &writer)
        identity.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        transportKey = try KeyReference(from: &reader)
        cryptogram = try reader.bytes()
        checkValue = try KeyCheckValue(from: &reader)
        attributes = try KeyAttributes(from: &reader)
        identity = try KeyIdentity(from: &reader)
    }
}

/// Gives an exportable key under a transport key of at least its strength, as an X9.143 block: version D under AES, B under
/// TDES.
public struct ExportKeyBlock: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.exportKeyBlock
    public let transportKey: KeyReference
    public let key: KeyReference

    public init(transportKey: KeyReference, key: KeyReference) {
        self.transportKey = transportKey
        self.key = key
    }

    public func write(to writer: inout WireWriter) {
        transportKey.write(to: &writer)
        key.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        transportKey = try KeyReference(from: &reader)
        key = try KeyReference(from: &reader)
    }
}

/// Diversifies a card master and gives the card key wrapped: under the LMK, or under a transport key.
public struct DiversifyKey: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.diversifyKey
    public let key: DerivedKey
    public let transportKey: KeyReference?

    public init(key: DerivedKey, transportKey: KeyReference? = nil) {
        self.key = key
        self.transportKey = transportKey
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        transportKey.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try DerivedKey(from: &reader)
        transportKey = try KeyReference?(from: &reader)
    }
}
