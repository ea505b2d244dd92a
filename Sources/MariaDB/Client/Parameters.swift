import CMariaDB

/// The values of one execution laid out as libmariadb wants them: an array of `MYSQL_BIND` that points into two buffers.
///
/// The library keeps the pointers until the statement is executed, so the buffers live as long as this object.
@safe final class Parameters {
    private let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let numbers: UnsafeMutableBufferPointer<UInt64>
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ values: [SQLValue]) {
        var size = 0
        for value in values {
            switch value {
            case .text(let text): size += text.utf8.count
            case .bytes(let bytes): size += bytes.count
            case .null, .integer, .unsigned: break
            }
        }
        unsafe binds = .allocate(capacity: values.count)
        unsafe numbers = .allocate(capacity: values.count)
        // One byte more, so that an empty text has an address too: libmariadb takes a null buffer for NULL.
        unsafe bytes = .allocate(byteCount: size + 1, alignment: 1)
        unsafe binds.initialize(repeating: MYSQL_BIND())
        unsafe numbers.initialize(repeating: 0)
        var offset = 0
        for index in values.indices {
            unsafe binds[index] = bind(values[index], at: index, &offset)
        }
    }

    deinit {
        unsafe binds.deallocate()
        unsafe numbers.deallocate()
        unsafe bytes.deallocate()
    }

    func bind(to handle: UnsafeMutablePointer<MYSQL_STMT>) -> Bool {
        if unsafe binds.isEmpty { return true }
        return unsafe mysql_stmt_bind_param(handle, binds.baseAddress) == 0
    }

    private func bind(_ value: SQLValue, at index: Int, _ offset: inout Int) -> MYSQL_BIND {
        var bind = unsafe MYSQL_BIND()
        switch value {
        case .null:
            unsafe bind.buffer_type = MYSQL_TYPE_NULL
        case .integer(let number):
            unsafe numbers[index] = UInt64(bitPattern: number)
            unsafe bind.buffer_type = MYSQL_TYPE_LONGLONG
            unsafe bind.buffer = UnsafeMutableRawPointer(numbers.baseAddress.map { unsafe $0 + index })
        case .unsigned(let number):
            unsafe numbers[index] = number
            unsafe bind.buffer_type = MYSQL_TYPE_LONGLONG
            unsafe bind.is_unsigned = 1
            unsafe bind.buffer = UnsafeMutableRawPointer(numbers.baseAddress.map { unsafe $0 + index })
        case .text(var text):
            unsafe bind.buffer_type = MYSQL_TYPE_STRING
            text.withUTF8 { unsafe place(UnsafeRawBufferPointer($0), in: &bind, &offset) }
        case .bytes(let data):
            unsafe bind.buffer_type = MYSQL_TYPE_BLOB
            unsafe data.withUnsafeBytes { unsafe place($0, in: &bind, &offset) }
        }
        return unsafe bind
    }

    private func place(_ source: UnsafeRawBufferPointer, in bind: inout MYSQL_BIND, _ offset: inout Int) {
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<(offset + source.count)])
        unsafe target.copyMemory(from: source)
        unsafe bind.buffer = bytes.baseAddress.map { unsafe $0 + offset }
        unsafe bind.buffer_length = UInt(source.count)
        offset += source.count
    }
}
