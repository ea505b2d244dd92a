import COpenSSL
import Synchronization

/// An RSA key that is parsed and ready: from its opening in the key cache to its eviction. A public key has no private half.
///
/// libcrypto reference counts the object and guards what it changes in it while signing (the blinding factors, the Montgomery
/// forms of the primes) by locks of its own, so threads may use one key at the same time.
///
/// Blinding stays on, as libcrypto has it (a fresh factor, squared for 32 signatures, then made anew): the exponentiation
/// never works on a number that the caller chose. Together with libcrypto's constant-time exponentiation that is the guard
/// against timing.
final class OpenRSAKey: @unchecked Sendable {
    private let handle: RSAKeyHandle
    /// What verifies and says how long the key is: an object of its own, without the private numbers. It does not look at what
    /// `sign` gives.
    private let publicHalf: RSAKeyHandle
    let isPrivate: Bool
    /// At most two for each of the schemes, which are a closed set.
    private let contexts = Mutex<[Use: PreparedContext]>([:])

    /// Bits of the modulus.
    var bits: Int { publicHalf.bits }

    /// A private key, as PKCS#1 or PKCS#8 DER.
    init(_ privateKey: borrowing SecretBytes) throws(PrimitiveError) {
        handle = try RSAKeyHandle.privateKey(privateKey)
        publicHalf = try RSAKeyHandle.publicKey(try handle.publicDER())
        isPrivate = true
    }

    /// A public key, as PKCS#1 DER: what a key block holds.
    init(publicKeyPKCS1 der: borrowing SecretBytes) throws(PrimitiveError) {
        handle = try RSAKeyHandle.publicKeyPKCS1(der)
        publicHalf = try RSAKeyHandle.publicKey(try handle.publicDER())
        isPrivate = false
    }

    /// SubjectPublicKeyInfo DER.
    func publicDER() throws(PrimitiveError) -> [UInt8] { try publicHalf.publicDER() }

    /// A calculation disturbed in one of the two CRT halves would give the private key away to whoever sees its result (Boneh,
    /// DeMillo, Lipton 1997). libcrypto checks what the halves give against the public exponent before it goes on, and calculates
    /// without them where it is wrong (`rsa_ossl_mod_exp`); a test with spoilt keys holds it to that.
    ///
    /// What that leaves: the check and the calculation without the halves both use the private key's own modulus and its Montgomery
    /// form, and the latter's result, made with d, is not checked again. Where the modulus is disturbed in memory after the key
    /// was opened, or d together with a number of the CRT half, a wrong signature comes out, from which the private key could be learned
    /// as well. Before it is opened, a key with any wrong number is refused: `RSA.load` checks that they belong together, and `warmUp`
    /// verifies one signature.
    func sign(digest: [UInt8], _ scheme: RSASignatureScheme) throws(PrimitiveError) -> [UInt8] {
        guard isPrivate else { throw .algorithmNotPermitted }
        return try RSA.signature(of: digest, scheme, length: handle.length, try context(.sign, scheme))
    }

    func verify(
        _ signature: Span<UInt8>, of digest: [UInt8], _ scheme: RSASignatureScheme
    ) throws(PrimitiveError) -> Bool {
        try RSA.verify(signature, of: digest, scheme, try context(.verify, scheme))
    }

    private struct Use: Hashable {
        let purpose: PreparedContext.Purpose
        let scheme: RSASignatureScheme
    }

    /// Set up with the first use. Two threads that come first both set one up, and one of the two stays.
    private func context(
        _ purpose: PreparedContext.Purpose, _ scheme: RSASignatureScheme
    ) throws(PrimitiveError) -> PreparedContext {
        let use = Use(purpose: purpose, scheme: scheme)
        if let known = contexts.withLock({ $0[use] }) { return known }
        let new =
            switch purpose {
            case .sign: try PreparedContext(.sign, scheme, handle)
            case .verify: try PreparedContext(.verify, scheme, publicHalf)
            }
        contexts.withLock { $0[use] = new }
        return new
    }

    /// Signs once and checks that, in secret memory: libcrypto keeps the Montgomery forms of the primes with the key from its first use on,
    /// and takes their memory from where that first use takes it.
    func warmUp() throws(PrimitiveError) {
        guard isPrivate else { return }
        let digest = [UInt8](repeating: 0, count: DigestAlgorithm.sha256.length)
        let outcome = LibcryptoMemory.withSecretAllocation { () -> Result<Void, PrimitiveError> in
            do throws(PrimitiveError) {
                let scheme = RSASignatureScheme(.pkcs1, .sha256)
                let signature = try sign(digest: digest, scheme)
                guard try verify(signature.span, of: digest, scheme) else { throw .resultInconsistent }
                return .success(())
            } catch { return .failure(error) }
        }
        try outcome.get()
    }
}
