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
        let fromMode = try sourceCipher.primitive(under: from)
        let toMode = try destinationCipher.primitive(under: to)
        let data = data
        let result = try primitive { () throws(PrimitiveError) in
            try to.encipher(toMode, secret: try from.decipherSecret(fromMode, data.span))
        }
        return CipheredData(nextVector: destinationCipher.next(result, under: to), data: result)
    }
}
