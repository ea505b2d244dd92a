import CMariaDB

/// Where libmariadb puts the columns of one row at a time, and how they become `SQLValue`s.
@safe final class ResultBuffers {
    /// How the values of one column are decoded.
    private enum Kind {
        case integer, unsigned, decimal, text, bytes
    }

    private let columns: Columns
    private let kinds: [Kind]
    private let inlineBytes: Int
    private let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let numbers: UnsafeMutableBufferPointer<Int64>
    private let lengths: UnsafeMutableBufferPointer<UInt>
    private let nulls: UnsafeMutableBufferPointer<my_bool>
    private let scratch: UnsafeMutableRawBufferPointer

    /// Reads the names and types of the answer's columns; nil if the library has none to give.
    init?(_ handle: UnsafeMutablePointer<MYSQL_STMT>, inlineBytes: Int) {
        guard let result = unsafe mysql_stmt_result_metadata(handle) else { return nil }
        defer { unsafe mysql_free_result(result) }
        let count = unsafe Int(mysql_num_fields(result))
        guard count > 0, let fields = unsafe mysql_fetch_fields(result) else { return nil }
        var names: [String] = []
        var kinds: [Kind] = []
        for index in 0..<count {
            unsafe names.append(fields[index].name.map { unsafe String(cString: $0) } ?? "")
            unsafe kinds.append(Self.kind(of: fields[index]))
        }
        columns = Columns(names: names)
        self.kinds = kinds
        self.inlineBytes = inlineBytes
        unsafe binds = .allocate(capacity: count)
        unsafe numbers = .allocate(capacity: count)
        unsafe lengths = .allocate(capacity: count)
        unsafe nulls = .allocate(capacity: count)
        unsafe scratch = .allocate(byteCount: count * inlineBytes, alignment: 8)
        unsafe binds.initialize(repeating: MYSQL_BIND())
        unsafe numbers.initialize(repeating: 0)
        unsafe lengths.initialize(repeating: 0)
        unsafe nulls.initialize(repeating: 0)
        for index in 0..<count { prepare(index) }
    }

    deinit {
        unsafe binds.deallocate()
        unsafe numbers.deallocate()
        unsafe lengths.deallocate()
        unsafe nulls.deallocate()
        unsafe scratch.deallocate()
    }

    func bind(to handle: UnsafeMutablePointer<MYSQL_STMT>) -> Bool {
        unsafe mysql_stmt_bind_result(handle, binds.baseAddress) == 0
    }

    /// Decodes the row that was just fetched.
    func row(of handle: UnsafeMutablePointer<MYSQL_STMT>) throws(DatabaseError) -> Row {
        var values: [SQLValue] = []
        values.reserveCapacity(kinds.count)
        for index in kinds.indices {
            if unsafe nulls[index] != 0 {
                values.append(.null)
                continue
            }
            switch kinds[index] {
            case .integer: unsafe values.append(.integer(numbers[index]))
            case .unsigned: unsafe values.append(.unsigned(UInt64(bitPattern: numbers[index])))
            case .bytes: try unsafe values.append(.bytes(bytes(index, of: handle)))
            case .text: try unsafe values.append(Self.text(bytes(index, of: handle)))
            case .decimal: try unsafe values.append(Self.decimal(bytes(index, of: handle)))
            }
        }
        return Row(columns: columns, values: values)
    }

    private func prepare(_ index: Int) {
        var bind = unsafe MYSQL_BIND()
        unsafe bind.length = lengths.baseAddress.map { unsafe $0 + index }
        unsafe bind.is_null = nulls.baseAddress.map { unsafe $0 + index }
        switch kinds[index] {
        case .integer, .unsigned:
            unsafe bind.buffer_type = MYSQL_TYPE_LONGLONG
            unsafe bind.is_unsigned = kinds[index] == .unsigned ? 1 : 0
            unsafe bind.buffer = UnsafeMutableRawPointer(numbers.baseAddress.map { unsafe $0 + index })
        case .decimal, .text, .bytes:
            unsafe bind.buffer_type = MYSQL_TYPE_STRING
            unsafe bind.buffer = scratch.baseAddress.map { unsafe $0 + index * inlineBytes }
            unsafe bind.buffer_length = UInt(inlineBytes)
        }
        unsafe binds[index] = bind
    }

    private func bytes(
        _ index: Int, of handle: UnsafeMutablePointer<MYSQL_STMT>
    ) throws(DatabaseError) -> [UInt8] {
        let length = unsafe Int(lengths[index])
        if length <= inlineBytes {
            let start = index * inlineBytes
            return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: scratch[start..<(start + length)]))
        }
        var failed = false
        let value = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, initialized in
            var got = UInt(0)
            var bind = unsafe MYSQL_BIND()
            unsafe bind.buffer_type = MYSQL_TYPE_STRING
            unsafe bind.buffer = UnsafeMutableRawPointer(buffer.baseAddress)
            unsafe bind.buffer_length = UInt(length)
            unsafe withUnsafeMutablePointer(to: &got) { gotPointer in
                unsafe bind.length = gotPointer
                failed = unsafe mysql_stmt_fetch_column(handle, &bind, UInt32(index), 0) != 0
            }
            initialized = failed ? 0 : length
        }
        if failed { throw .other(code: unsafe mysql_stmt_errno(handle)) }
        return value
    }

    /// Text that is not UTF-8 cannot come from a utf8mb4 column; if it does, it stays bytes.
    private static func text(_ bytes: [UInt8]) -> SQLValue {
        String(validating: bytes, as: UTF8.self).map { .text($0) } ?? .bytes(bytes)
    }

    private static func decimal(_ bytes: [UInt8]) -> SQLValue {
        let text = String(decoding: bytes, as: UTF8.self)
        return Int64(text).map { .integer($0) } ?? UInt64(text).map { .unsigned($0) } ?? .text(text)
    }

    private static func kind(of field: MYSQL_FIELD) -> Kind {
        switch unsafe field.type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR:
            return unsafe field.flags & UInt32(UNSIGNED_FLAG) != 0 ? .unsigned : .integer
        case MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_DECIMAL:
            return unsafe field.decimals == 0 ? .decimal : .text
        case MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_BLOB, MYSQL_TYPE_VAR_STRING,
            MYSQL_TYPE_STRING, MYSQL_TYPE_VARCHAR, MYSQL_TYPE_BIT, MYSQL_TYPE_GEOMETRY:
            // Character set 63 is "binary": the only difference on the wire between BLOB and TEXT.
            return unsafe field.charsetnr == 63 ? .bytes : .text
        default:
            return .text
        }
    }
}
