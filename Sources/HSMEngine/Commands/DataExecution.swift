import HSMBridge

extension DataCipher {
    /// The initial vector must be one block in CBC and absent in ECB: a vector that is not used would make a caller believe
    /// that it was.
    fileprivate func primitive(under key: OpenKeySchedule) throws(ModuleRefusal) -> CipherMode {
        switch mode {
        case .ecb:
            guard initialVector.isEmpty else { throw ModuleRefusal(.parameterInvalid) }
            return .ecb
        case .cbc:
            guard initialVector.count == key.blockLength else { throw ModuleRefusal(.dataLengthInvalid) }
            return .cbc(iv: initialVector)
        }
    }

    /// The last block of cipher text.
    fileprivate func next(_ cipherText: [UInt8], under key: OpenKeySchedule) -> [UInt8] {
        mode == .cbc ? Array(cipherText.suffix(key.blockLength)) : []
    }
}

extension EncipherData: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> CipheredData {
        let schedule = try execution.key(key).schedule(for: .encipherData)
        let mode = try cipher.primitive(under: schedule)
        let data = data
        let result = try primitive { () throws(PrimitiveError) in try schedule.encipher(mode, data.span) }
        return CipheredData(nextVector: cipher.next(result, under: schedule), data: result)
    }
}

extension DecipherData: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> CipheredData {
        let schedule = try execution.key(key).schedule(for: .decipherData)
        let mode = try cipher.primitive(under: schedule)
        let data = data
        let result = try primitive { () throws(PrimitiveError) in try schedule.decipher(mode, data.span) }
        return CipheredData(nextVector: cipher.next(data, under: schedule), data: result)
    }
}

extension TranslateData: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> CipheredData {
        let from = try execution.key(source).schedule(for: .decipherData)
        let to = try execution.key(destination).schedule(for: .encipherData)
        var fromMode = try sourceCipher.primitive(under: from)
        var toMode = try destinationCipher.primitive(under: to)
        let data = data
        guard !data.isEmpty, data.count.isMultiple(of: from.blockLength), data.count.isMultiple(of: to.blockLength)
        else {
            throw ModuleRefusal(.dataLengthInvalid)
        }
        var result: [UInt8] = []
        result.reserveCapacity(data.count)
        // The plain text is never anywhere but in secret memory, whose pieces are short: so the data go through it in parts, chained as
        // one message.
        for start in stride(from: 0, to: data.count, by: SecretMemory.maximumSize) {
            let end = min(start + SecretMemory.maximumSize, data.count)
            let (source, destination) = (fromMode, toMode)
            result += try primitive { () throws(PrimitiveError) in
                try to.encipher(destination, secret: try from.decipherSecret(source, data.span.extracting(start..<end)))
            }
            fromMode = fromMode.continued(after: data[..<end], from.blockLength)
            toMode = toMode.continued(after: result[...], to.blockLength)
        }
        return CipheredData(nextVector: destinationCipher.next(result, under: to), data: result)
    }
}

extension CipherMode {
    /// For what follows this cipher text.
    fileprivate func continued(after cipherText: ArraySlice<UInt8>, _ blockLength: Int) -> CipherMode {
        switch self {
        case .ecb: .ecb
        case .cbc: .cbc(iv: Array(cipherText.suffix(blockLength)))
        }
    }
}
