import CryptoClient
import Foundation
import HSMBridge
import NIOCore
import Testing

/// A4, B0 and BW at the port.
struct SchemeCommandTests {
    private static func component(
        _ version: String, _ connection: CryptoConnection, usage: String = "M3"
    ) async throws -> HostKeyReference {
        let attributes = try HostKeyAttributes(
            usage: usage, algorithm: "T2", modeOfUse: usage == "M3" ? "C" : "B", version: version, exportability: "E")
        return try await connection.run(GenerateKeyRequest(attributes: attributes)).key
    }

    private static func code(_ connection: CryptoConnection, _ command: some HostCommand) async -> HostErrorCode {
        do throws(CryptoClientError) {
            _ = try await connection.run(command)
            return .noError
        } catch .refused(let code) {
            return code
        } catch { return .internalError }
    }

    private static func macOf(_ key: HostKeyReference) -> GenerateMACRequest {
        GenerateMACRequest(
            HostMACFields(algorithm: .algorithm3, padding: .method1, key: key, message: HostMessage([1, 2, 3])))
    }

    @Test func `A key formed from components is the same in any order, and its components are no keys`() async throws {
        let connection = try await World.shared.value.connect()
        let first = try await Self.component("c1", connection)
        let second = try await Self.component("c2", connection)
        let third = try await Self.component("c3", connection)
        let key = try await connection.run(FormKeyRequest(components: [first, second, third]))
        let again = try await connection.run(FormKeyRequest(components: [third, first, second], version: "07"))
        #expect(key.checkValue == again.checkValue && key.key != again.key)
        let mac = try await connection.run(Self.macOf(key.key)).bytes
        #expect(try await connection.run(Self.macOf(again.key)).bytes == mac)
        #expect(await Self.code(connection, Self.macOf(first)) == .keyUsage)
        let export = ExportKeyRequest(transportKey: CommandTests.label("canteen/kek/bank"), key: first)
        #expect(await Self.code(connection, export) == .keyUsage)
        await connection.close()
    }

    @Test func `What are not components of one key forms none`() async throws {
        let connection = try await World.shared.value.connect()
        let first = try await Self.component("c1", connection)
        let twin = try await Self.component("c1", connection)
        let whole = try await Self.component("00", connection)
        let other = try await Self.component("c2", connection, usage: "D0")
        for second in [twin, whole, other, first] {
            #expect(
                await Self.code(connection, try FormKeyRequest(components: [first, second])) == .components)
        }
        let variant = try HostKeyReference(parsing: "U" + String(repeating: "0", count: 32))
        #expect(await Self.code(connection, try FormKeyRequest(components: [first, variant])) == .keyScheme)
        #expect(
            await Self.code(connection, try FormKeyRequest(scheme: .doubleVariant, components: [first, twin]))
                == .keyScheme)
        #expect(throws: FieldError(.inputFormat, in: .count)) { try FormKeyRequest(components: [first]) }
        await connection.close()
    }

    @Test func `B0 and BW give the same key in a fresh block, a card's key with its factors`() async throws {
        let connection = try await World.shared.value.connect()
        let whole = try await Self.component("00", connection)
        let mac = try await connection.run(Self.macOf(whole)).bytes
        let fresh = try await connection.run(TranslateSchemeRequest(key: whole))
        #expect(fresh.key != whole && fresh.checkValue == nil)
        #expect(try await connection.run(Self.macOf(fresh.key)).bytes == mac)
        let again = try await connection.run(TranslateLMKRequest(key: whole))
        #expect(again.checkValue?.count == 6)
        #expect(try await connection.run(Self.macOf(again.key)).bytes == mac)
        let card = try await connection.run(
            DiversifyKeyRequest(
                key: CardKey(
                    master: CommandTests.label("canteen/purse/tac"), path: .init(card: .init(rawValue: 7)))))
        let rewrapped = try await connection.run(TranslateLMKRequest(key: card.key))
        func factors(_ key: HostKeyReference) throws -> String? {
            try KeyBlockHeader(parsing: String(buffer: key.text)).optionalBlock(LMKBlockField.factors)
        }
        #expect(try factors(rewrapped.key) == factors(card.key) && factors(card.key) != nil)
        let component = try await connection.run(
            TranslateSchemeRequest(key: try await Self.component("c4", connection)))
        #expect(await Self.code(connection, Self.macOf(component.key)) == .keyUsage)
        await connection.close()
    }

    @Test func `Other schemes and other LMKs are refused with their codes`() async throws {
        let connection = try await World.shared.value.connect()
        let whole = try await Self.component("00", connection)
        let variant = try HostKeyReference(parsing: "U" + String(repeating: "0", count: 32))
        #expect(await Self.code(connection, TranslateSchemeRequest(key: variant)) == .keyScheme)
        #expect(await Self.code(connection, TranslateSchemeRequest(key: whole, scheme: .doubleVariant)) == .keyScheme)
        #expect(await Self.code(connection, TranslateLMKRequest(key: variant)) == .keyScheme)
        // The term stands in the header: another one is not called a forgery.
        let text = String(buffer: whole.text)
        let term = try #require(text.range(of: LMKBlockField.term + "06"))
        let digits = text.index(term.upperBound, offsetBy: 2)
        let old = text.replacingCharacters(in: term.upperBound..<digits, with: "FE")
        #expect(await Self.code(connection, TranslateLMKRequest(key: try .lmkBlock(old))) == .keyBlockLMKIdentifiers)
        await connection.close()
    }
}
