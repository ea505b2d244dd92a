import CryptoClient
import HSMBridge
import KMS
import NIOCore

/// A4, B0, BW: keys from components, and keys in a fresh block.
extension SlowCommands {
    /// A4. Components are blocks under the LMK of key version numbers c1 to c9.
    func form(_ request: FormKeyRequest, _ access: KeyAccess) async throws(Refusal) -> KeyReply {
        try HostRules.check(request.keyType, request.scheme, .keyBlock)
        try access.requireGrant(.formKey)
        var references: [KeyReference] = []
        for component in request.components {
            guard component.form == .lmkBlock else { throw .host(.keyScheme) }
            references.append(try access.key(component, for: .formKey).reference)
        }
        guard let first = references.first else { throw .host(.inputFormat) }
        // The module compares all of them with the first.
        let attributes = try await execute(InspectKey(key: first)).attributes
        let identity = try HostKeyIdentity.make(client: access.client, version: request.version)
        do throws(Refusal) {
            return try reply(
                await execute(FormKey(components: references, attributes: attributes, identity: identity)))
        } catch {
            guard case .module(.attributesContradict) = error else { throw error }
            throw .host(.components)
        }
    }

    /// B0. There is one scheme, so it is the same key in a fresh block.
    func translate(
        _ request: TranslateSchemeRequest, _ access: KeyAccess, _ used: inout String
    ) async throws(Refusal) -> SchemeReply {
        try HostRules.check(request.keyType, request.scheme, .keyBlock)
        return SchemeReply(key: try await rewrapped(request.key, access, &used).key)
    }

    /// BW. The module has one LMK: blocks under it come back in a fresh block, blocks under another one are refused with A3.
    func translate(
        _ request: TranslateLMKRequest, _ access: KeyAccess, _ used: inout String
    ) async throws(Refusal) -> SchemeReply {
        guard request.key.form.isVariant || request.keyTypeCode == 0xFF else { throw .host(.keyTypeCode) }
        guard request.key.form.isVariant || request.lengthFlag == .keyBlock else { throw .host(.keyLengthFlag) }
        if let form = request.form, form.scheme != .keyBlock { throw .host(.keyScheme) }
        return try await rewrapped(request.key, access, &used)
    }

    private func rewrapped(
        _ key: HostKeyReference, _ access: KeyAccess, _ used: inout String
    ) async throws(Refusal) -> SchemeReply {
        let granted = try access.key(key, for: .translateKey)
        used = granted.name
        let fresh = try reply(await execute(RewrapKey(key: granted.reference)))
        return SchemeReply(key: fresh.key, checkValue: fresh.checkValue)
    }
}
