internal import MariaDB

/// Table `service_certificate`: the certificates that clients may come with.
enum ServiceCertificateTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE service_certificate (
            fingerprint BINARY(32) NOT NULL PRIMARY KEY,
            client VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            subject VARCHAR(500) NOT NULL,
            valid_from_us BIGINT NULL,
            valid_until_us BIGINT NULL,
            added_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            added_at_us BIGINT NOT NULL,
            CONSTRAINT service_certificate_client FOREIGN KEY (client) REFERENCES service_client (id)
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant("service_certificate", [.select, .insert, .delete])]

    static func insert(
        _ certificate: ClientCertificate, of client: String, by: String, now: Timestamp,
        _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO service_certificate
                (fingerprint, client, subject, valid_from_us, valid_until_us, added_by, added_at_us)
            VALUES (\(certificate.fingerprint.bytes), \(client), \(certificate.subject),
                \((certificate.validity.from?.microseconds).sqlValue),
                \((certificate.validity.until?.microseconds).sqlValue), \(by), \(now.microseconds))
            """)
    }

    static func delete(
        _ fingerprint: CertificateFingerprint, of client: String, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try connection.execute(
            "DELETE FROM service_certificate WHERE fingerprint = \(fingerprint.bytes) AND client = \(client)"
        ).affectedRows == 1
    }

    static func count(of client: String, _ connection: inout Connection) throws(DatabaseError) -> Int {
        try connection.requireOne("SELECT COUNT(*) AS count FROM service_certificate WHERE client = \(client)")
            .int("count")
    }

    /// By client, in the order in which they were added.
    static func all(_ connection: inout Connection) throws -> [String: [ClientCertificate]] {
        var all: [String: [ClientCertificate]] = [:]
        for row in try connection.query(
            """
            SELECT fingerprint, client, subject, valid_from_us, valid_until_us
            FROM service_certificate ORDER BY added_at_us, fingerprint
            """)
        {
            // A row that we cannot read admits nobody.
            guard let fingerprint = CertificateFingerprint(bytes: try row.bytes("fingerprint")) else { continue }
            all[try row.text("client"), default: []].append(
                ClientCertificate(
                    fingerprint: fingerprint, subject: try row.text("subject"),
                    validity: try ApplicationKeyTable.validity(row)))
        }
        return all
    }
}
