import CryptoClient
import NIOCore
import Testing

@Suite struct HostKeyReferenceTests {
    static let block =
        "D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C"

    @Test(arguments: [
        ("S" + block, HostKeyReference.Form.lmkBlock), ("R" + block, .transportBlock),
        ("S00072K0TB00E00017CECF0FB9210B3CC93B9FFB304963C39CFFF94B837D318E1A6F1F058", .lmkBlock),
        ("L14acme/purse/pay", .label), ("L17acme/purse/pay/03", .label),
        ("U99D8FC778055B63D3FD53CDA9EEEFB9E", .doubleVariant), ("X99D8FC778055B63D3FD53CDA9EEEFB9E", .doubleX917),
        ("T" + String(repeating: "0123456789ABCDEF", count: 3), .tripleVariant),
        ("Y" + String(repeating: "0123456789ABCDEF", count: 3), .tripleX917),
        ("Z0123456789ABCDEF", .singleVariant), ("0123456789ABCDEF", .single), ("ABCDEF0123456789", .single),
    ])
    func `every form is read by its first character and written back`(
        _ wire: String, _ form: HostKeyReference.Form
    ) throws {
        let key = try HostKeyReference(parsing: wire)
        #expect(key.form == form)
        #expect(key.wireText == wire)
        #expect(key.detached == key)
        #expect(key.form.isVariant == ![.lmkBlock, .transportBlock, .label].contains(form))
    }

    @Test(arguments: [
        ("", HostErrorCode.inputData), ("Q0123456789ABCDEF", .keyScheme), ("K001", .keyScheme), ("\u{0}", .keyScheme),
        ("u99D8FC778055B63D3FD53CDA9EEEFB9E", .keyScheme), ("U99D8FC778055B63D3FD53CDA9EEEFB9", .inputData),
        ("U99D8FC778055B63D3FD53CDA9EEEFB9G", .inputData), ("0123456789ABCDE", .inputData),
        ("S", .keyBlockFormat), ("SD01", .keyBlockFormat), ("SD0015B0TN00N0000", .keyBlockFormat),
        ("SE0016B0TN00N0000", .keyBlockFormat), ("SD00x6B0TN00N0000", .keyBlockFormat),
        ("SD0017B0TN00N0000", .keyBlockFormat), ("SD0017B0TN00N0000\u{19}", .keyBlockFormat),
        ("RD9999B0TN00N0000", .keyBlockFormat), ("L", .inputData), ("L1", .inputData), ("L00", .inputData),
        ("L05a/b/", .inputData), ("L03a/b", .inputData), ("L05a//bc", .inputData), ("L07a/b/c/1", .inputData),
        ("L09a/b/c/d/e", .inputData), ("L05a/ /c", .inputData), ("LAAa/b/c", .inputData), ("L06a/b/c", .inputData),
    ])
    func `a misspelt key is refused with its own code`(_ wire: String, _ code: HostErrorCode) {
        #expect(throws: FieldError(code, in: .key)) { try HostKeyReference(parsing: wire) }
    }

    @Test func `a label has parts and perhaps a version`() throws {
        let current = try HostKeyReference.label("canteen/purse/pay")
        #expect(current.wireText == "L17canteen/purse/pay")
        #expect(current.label?.issuer == "canteen" && current.label?.product == "purse")
        #expect(current.label?.label == "pay" && current.label?.version == nil && current.block == nil)
        #expect(try HostKeyReference.label("canteen/purse/pay/03").label?.version == 3)
        #expect(throws: FieldError(.inputData, in: .key)) { try HostKeyReference.label("") }
        #expect(throws: FieldError(.inputData, in: .key)) {
            try HostKeyReference.label("a/b/" + String(repeating: "c", count: 96))
        }
        #expect(try HostKeyReference.label("a/b/" + String(repeating: "c", count: 95)).wireText.hasPrefix("L99"))
    }

    @Test func `a block keeps its text`() throws {
        let key = try HostKeyReference.lmkBlock(Self.block)
        #expect(key.block == Array(Self.block.utf8) && key.label == nil)
        #expect(try HostKeyReference.transportBlock(Self.block) != key)
        #expect(throws: FieldError(.dataLength, in: .end)) { try HostKeyReference.lmkBlock(Self.block + "0") }
    }

    @Test func `attributes that cannot stand in a header are refused one by one`() throws {
        func attempt(_ u: String, _ a: String, _ m: String, _ v: String, _ e: String) throws(FieldError) {
            _ = try HostKeyAttributes(usage: u, algorithm: a, modeOfUse: m, version: v, exportability: e)
        }
        try attempt("M3", "T2", "C", "00", "N")
        #expect(throws: FieldError(.keyUsage, in: .keyAttributes)) { try attempt("M-", "T2", "C", "00", "N") }
        #expect(throws: FieldError(.algorithm, in: .keyAttributes)) { try attempt("M3", "T ", "C", "00", "N") }
        #expect(throws: FieldError(.modeOfUse, in: .keyAttributes)) { try attempt("M3", "T2", "%", "00", "N") }
        #expect(throws: FieldError(.keyVersion, in: .keyAttributes)) { try attempt("M3", "T2", "C", "0;", "N") }
        #expect(throws: FieldError(.exportability, in: .keyAttributes)) { try attempt("M3", "T2", "C", "00", "X") }
    }

    @Test func `optional blocks are carried`() throws {
        let attributes = try HostKeyAttributes(
            usage: "M3", algorithm: "T2", modeOfUse: "C",
            optionalBlocks: [.init(id: "LB", data: "pos/7"), .init(id: "KC", data: "")])
        let request = GenerateKeyRequest(attributes: attributes)
        let wire = String(buffer: request.body())
        #expect(wire == "0FFFS#M3T2C00N02LB09pos/7KC04")
        #expect(try GenerateKeyRequest.parse(request.body()).command.attributes == attributes)
        for (end, code) in [("#M3T2C00N0", HostErrorCode.optionalBlockCount), ("#M3T2C00N01LB03", .optionalBlock)] {
            #expect(throws: FieldError(code, in: .keyAttributes)) {
                try GenerateKeyRequest.parse(body("0FFFS" + end))
            }
        }
    }
}
