public import KMS
import NIOSSL

/// A client's certificate as an administrator hands it in.
public enum CertificateText {
    /// Reads one certificate in PEM. Refused: anything with a private key in it (which belongs to the client and to nobody
    /// else), several certificates (which one is meant?), and what is no certificate.
    public static func read(_ pem: String) throws(KMSError) -> ClientCertificate {
        guard !pem.contains("PRIVATE KEY") else {
            throw .invalidInput("certificate (the file holds a private key, which must never leave the client)")
        }
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)), let first = certificates.first,
            let certificate = ClientCertificate(first)
        else { throw .invalidInput("certificate (PEM, -----BEGIN CERTIFICATE-----)") }
        guard certificates.count == 1 else {
            throw .invalidInput("certificate (one alone, without those of its issuers)")
        }
        return certificate
    }
}

extension ClientCertificate {
    /// Nil if it cannot be written as DER, which a certificate that was read always can.
    init?(_ certificate: NIOSSLCertificate) {
        guard let der = try? certificate.toDERBytes() else { return nil }
        self.init(
            fingerprint: CertificateFingerprint(certificate: der), subject: Self.subject(certificate),
            validity: Validity(
                from: Timestamp(microseconds: Int64(certificate.notValidBefore) * 1_000_000),
                // The last second of a certificate counts; our ends are exclusive.
                until: Timestamp(microseconds: (Int64(certificate.notValidAfter) + 1) * 1_000_000)))
    }

    /// Serial number and names, for people; control characters would make lists lie.
    private static func subject(_ certificate: NIOSSLCertificate) -> String {
        var text = certificate.description[...]
        if text.hasPrefix("<NIOSSLCertificate;") { text = text.dropFirst(19) }
        if text.hasSuffix(">") { text = text.dropLast() }
        let scalars = text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "?" : $0 }
        var clean = String.UnicodeScalarView()
        clean.append(contentsOf: scalars)
        return String(String(clean).replacing(";", with: ", ").prefix(120))
    }
}
