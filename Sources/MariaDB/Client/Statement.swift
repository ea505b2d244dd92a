import CMariaDB

/// One prepared statement of a connection, with the buffers its answers are decoded through.
@safe final class Statement {
    /// Short values are fetched in place; longer ones with a second call of exactly their length.
    private static let inlineBytes = 256

    private let handle: UnsafeMutablePointer<MYSQL_STMT>

    /// Prepares `sql.text`; the caller has checked nothing.
    init(_ connection: UnsafeMutablePointer<MYSQL>, _ text: String) throws(DatabaseError) {
        guard let made = unsafe mysql_stmt_init(connection) else { throw .other(code: UInt32(CR_OUT_OF_MEMORY)) }
        var text = text
        let failed = text.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                unsafe mysql_stmt_prepare(made, characters.baseAddress, UInt(characters.count)) != 0
            }
        }
        if failed {
            let error = unsafe Self.error(of: made)
            unsafe _ = mysql_stmt_close(made)
            throw error
        }
        unsafe handle = made
    }

    deinit {
        unsafe _ = mysql_stmt_close(handle)
    }

    /// Sends the values and executes; afterwards `rows` or `outcome` says what came of it.
    func execute(_ values: [SQLValue]) throws(DatabaseError) {
        guard unsafe Int(mysql_stmt_param_count(handle)) == values.count else {
            throw .other(code: UInt32(CR_PARAMS_NOT_BOUND))
        }
        let parameters = Parameters(values)
        guard unsafe parameters.bind(to: handle), unsafe mysql_stmt_execute(handle) == 0 else { throw error }
    }

    var outcome: Outcome {
        let affected = unsafe mysql_stmt_affected_rows(handle)
        return Outcome(
            affectedRows: affected == .max ? 0 : Int(clamping: affected),
            lastInsertID: unsafe mysql_stmt_insert_id(handle)
        )
    }

    /// Takes the whole answer from the server and decodes it.
    func rows(limit: Int) throws(DatabaseError) -> [Row] {
        guard unsafe mysql_stmt_field_count(handle) > 0 else { return [] }
        guard let result = unsafe ResultBuffers(handle, inlineBytes: Self.inlineBytes) else { throw error }
        defer { unsafe _ = mysql_stmt_free_result(handle) }
        guard unsafe result.bind(to: handle), unsafe mysql_stmt_store_result(handle) == 0 else { throw error }
        let count = unsafe mysql_stmt_num_rows(handle)
        guard count <= UInt64(limit) else { throw .tooManyRows }
        var rows: [Row] = []
        rows.reserveCapacity(Int(count))
        while true {
            switch unsafe mysql_stmt_fetch(handle) {
            case 0, MYSQL_DATA_TRUNCATED: try unsafe rows.append(result.row(of: handle))
            case MYSQL_NO_DATA: return rows
            default: throw error
            }
        }
    }

    private var error: DatabaseError { unsafe Self.error(of: handle) }

    private static func error(of handle: UnsafeMutablePointer<MYSQL_STMT>) -> DatabaseError {
        unsafe ServerErrors.kind(
            code: mysql_stmt_errno(handle),
            message: unsafe mysql_stmt_error(handle).map { unsafe String(cString: $0) } ?? ""
        )
    }
}
