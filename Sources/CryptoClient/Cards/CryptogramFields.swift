import NIOCore

/// What shall be done with a cryptogram: the mode of KQ, KW and YV, whose numbers differ.
public enum CryptogramTask: Sendable, Hashable {
    case verify
    /// Check, and if it is right make the response.
    case verifyAndRespond
    /// Make the response to a cryptogram that was checked elsewhere.
    case respond

    public var verifies: Bool { self != .respond }
    public var responds: Bool { self != .verify }
}

/// What the issuer answers the card (EMV Book 2 8.2).
public enum CryptogramAnswer: Sendable, Hashable {
    /// Method 1: two bytes of response code.
    case method1(code: UInt16)
    /// Method 2: card status update, and up to eight bytes of the issuer's own.
    case method2(statusUpdate: UInt32, proprietary: [UInt8])
}

extension FieldReader {
    /// Length 2 hexadecimal digits | data | `;`. Codes 80 length, 81 none.
    mutating func transactionData() throws(FieldError) -> ByteBuffer {
        let count = Int(try hexadecimal(digits: 2, .length, .dataLength))
        guard count > 0 else { throw FieldError(.noTransactionData, in: .length) }
        let data = try slice(count, .data, .dataLength)
        guard skip(UInt8(ascii: ";")) else { throw FieldError(.dataLength, in: .data) }
        return data
    }

    /// CSU 4 | number of bytes 1 digit, `0` to `8` | bytes.
    mutating func statusUpdate() throws(FieldError) -> CryptogramAnswer {
        let update: UInt32 = try integer(.response)
        let count = try decimal(digits: 1, .response)
        guard count <= 8 else { throw FieldError(.inputData, in: .response) }
        let proprietary = Array(try slice(count, .response).readableBytesView)
        return .method2(statusUpdate: update, proprietary: proprietary)
    }
}

extension ByteBuffer {
    mutating func writeTransactionData(_ data: ByteBuffer) {
        writeHexadecimal(UInt64(data.readableBytes), digits: 2)
        writeBytes(of: data)
        writeInteger(UInt8(ascii: ";"))
    }

    mutating func writeAnswer(_ answer: CryptogramAnswer) {
        switch answer {
        case .method1(let code): writeInteger(code)
        case .method2(let update, let proprietary):
            writeInteger(update)
            writeDecimal(proprietary.count, digits: 1)
            writeBytes(proprietary)
        }
    }
}
