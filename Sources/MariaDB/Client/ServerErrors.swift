/// The numbers of mysqld_error.h and errmsg.h sorted into our kinds. MariaDB 10.11 and Connector/C 3.3.
enum ServerErrors {
    /// Client-side losses, the server's own shutdown and kill notices, and Galera's "not in the primary component" (1047).
    private static let gone: Set<UInt32> = [
        2002, 2003, 2005, 2006, 2013, 2027, 2055, 1040, 1047, 1053, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1203,
        1927,
    ]
    private static let denied: Set<UInt32> = [1044, 1045, 1142, 1143, 1227, 1370, 1698, 4151]
    private static let invalid: Set<UInt32> = [1048, 1264, 1265, 1292, 1364, 1366, 1406, 1138, 1367]

    /// Kind of error `code`; `message` is looked at for the constraint's name only, and thrown away.
    static func kind(code: UInt32, message: @autoclosure () -> String) -> DatabaseError {
        switch code {
        case 1062, 1169, 1586: .duplicateKey(constraint: name(in: message(), after: "for key '", upTo: "'"))
        case 1451, 1452, 1216, 1217: .foreignKey(constraint: name(in: message(), after: "CONSTRAINT `", upTo: "`"))
        case 4025: .checkFailed(constraint: name(in: message(), after: "CONSTRAINT `", upTo: "`"))
        case 1213, 1020: .deadlock
        case 1205: .lockTimeout
        case 1114, 1021: .tableFull
        case _ where gone.contains(code): .gone(.notCommitted)
        case _ where denied.contains(code): .accessDenied
        case _ where invalid.contains(code): .invalidValue(code: code)
        default: .other(code: code)
        }
    }

    /// The last quoted name after `mark`: refused data stands before it in the server's messages, and so cannot pass for it.
    private static func name(in message: String, after mark: String, upTo end: Character) -> String {
        var rest = Substring(message)
        var found: Substring?
        while let start = rest.firstRange(of: mark) {
            rest = rest[start.upperBound...]
            found = rest
        }
        guard let found else { return "" }
        return String(found.prefix { $0 != end })
    }
}

extension Substring {
    fileprivate func firstRange(of mark: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(mark) { return start..<index(start, offsetBy: mark.count) }
            start = index(after: start)
        }
        return nil
    }
}
