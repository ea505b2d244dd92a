import Foundation
import HSMBridge
import Testing

extension IntegrationTests {
    /// Key values that were typed in or made, and every place where none may be.
    @Suite struct Secrecy {
        @Test(.enabled(if: Rack.hasProgram, "needs kmsd beside the tests"))
        func `no typed component, key, PIN or LMK is in memory, files or an SQL dump`() async throws {
            try await TestFolder.with("mod") { folder in
                let process = try await ModuleProcess.start(in: folder)
                defer { process.stop() }
                let module = ModuleBridge(path: process.socket)
                try await Ceremony(module: module).hold()
                try await TestFolder.with("sec") { bureauFolder in
                    let bureau = try await Bureau.open(in: bureauFolder, moduleSocket: process.socket)
                    let result = await Result { () async throws in
                        try await search(process, module, bureau, [folder, bureauFolder])
                    }
                    await bureau.close()
                    try result.get()
                }
            }
        }

        private func search(
            _ process: ModuleProcess, _ module: ModuleBridge, _ bureau: Bureau, _ folders: [String]
        ) async throws {
            // Not the published components: those stand in kmsd's own self-tests.
            let typed = (1...3).map { _ in (1...16).map { _ in UInt8.random(in: 1...255) } }
            try await BureauKeys(centre: bureau.centre, module: module, people: bureau.people)
                .type("TRANSPORT/SECRET", typed.map { Hex.encode($0) })
            let secrets = try await Self.secrets(typed)
            var control = SecretSearch()
            control.add(text: process.socket)
            #expect(try control.found(inProcess: process.processID).names == [process.socket], "the search is blind")
            // Open: the LMK and the keys lie in pages that the kernel shows to nobody.
            let open = try secrets.found(inProcess: process.processID)
            #expect(open.names == [])
            #expect(open.bytes > 1 << 20)
            #expect(open.closed.contains { $0.contains("secretmem") }, "closed regions: \(open.closed)")
            #expect(try await module.execute(SealModule()).state == .sealed)
            #expect(try secrets.found(inProcess: process.processID).names == [])
            for folder in folders {
                let found = secrets.found(under: folder)
                #expect(found.names == [])
                #expect(found.files > 2)
            }
            var published = SecretSearch()
            published.add(text: BureauKeys.transportCheckValue)
            let dump = try Self.dump(bureau.databaseSocket)
            // MariaDB dumps binary columns as they are; the check value is three bytes in one of them or text in the trail.
            #expect(
                published.found(in: dump) == [BureauKeys.transportCheckValue],
                "the dump of \(dump.count) bytes is empty")
            #expect(secrets.found(in: dump) == [])
        }

        /// The typed components and the key that they make; the custodians' components, their PINs, and the LMK.
        private static func secrets(_ typed: [[UInt8]]) async throws -> SecretSearch {
            var search = SecretSearch()
            for (index, component) in typed.enumerated() { search.add("typed component \(index + 1)", component) }
            search.add("transport key", xor(typed))
            var components: [[UInt8]] = []
            for index in Rack.admins.indices { components.append(try await Ceremony.component(index)) }
            #expect(components.allSatisfy { $0.count == 32 } && Set(components).count == 3)
            for (index, component) in components.enumerated() { search.add("LMK component \(index + 1)", component) }
            search.add("LMK", xor(components))
            for pin in Ceremony.pins { search.add(text: pin) }
            return search
        }

        private static func xor(_ parts: [[UInt8]]) -> [UInt8] {
            parts.dropFirst().reduce(parts[0]) { zip($0, $1).map { $0 ^ $1 } }
        }

        private static func dump(_ socket: String) throws -> [UInt8] {
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(filePath: "/usr/bin/mariadb-dump")
            process.arguments = [
                "--no-defaults", "--socket", socket, "--user", "root", "--hex-blob", "--databases", "kms", "platform",
            ]
            process.standardOutput = output
            try process.run()
            return Array(output.fileHandleForReading.readDataToEndOfFile())
        }
    }
}
