import Foundation
import Testing

/// The borders of docs/architecture.md, held against what the sources really import. The package manager checks declared
/// Swift targets only; a C module reached through another target would compile.
@Suite struct BorderTests {
    /// Rooms of ours that each room may import.
    static let mayKnow: [String: Set<String>] = [
        "HSMBridge": [],
        "HSMEngine": ["HSMBridge"],
        "MariaDB": [],
        "KMS": ["HSMBridge", "MariaDB"],
        "CryptoClient": [],
        "AcceptedConnections": [],
        "CryptoService": ["KMS", "HSMBridge", "CryptoClient", "AcceptedConnections"],
        "Personalization": ["KMS", "HSMBridge", "MariaDB"],
        "Console": ["KMS", "Personalization", "CryptoService", "HSMBridge", "AcceptedConnections"],
        "PlatformLite": ["MariaDB", "CryptoClient", "AcceptedConnections"],
        "CardSimulator": [],
        "SBoxCircuits": [],
        "kmsd": [
            "HSMBridge", "HSMEngine", "MariaDB", "KMS", "CryptoClient", "CryptoService", "Personalization", "Console",
            "PlatformLite", "CardSimulator",
        ],
    ]

    /// The rooms in which a C module may be imported. CLinux (a few Linux calls, no library) is used where a process or its
    /// memory is handled.
    static let homes: [String: Set<String>] = [
        "COpenSSL": ["HSMEngine", "CardSimulator"],
        "CBitslicedDES": ["HSMEngine"],
        "CMariaDB": ["MariaDB"],
        "CPCSC": ["HSMBridge"],
        "CArgon2": ["KMS"],
        "CLinux": ["HSMBridge", "HSMEngine", "MariaDB", "kmsd"],
    ]

    /// Libraries that belong to some rooms only: what a room may not know is as much its shape as what it knows.
    static let libraries: [String: Set<String>] = [
        "NIOCore": ["CryptoClient", "AcceptedConnections", "CryptoService", "PlatformLite", "Console", "kmsd"],
        "NIOPosix": ["CryptoClient", "CryptoService", "PlatformLite", "Console", "kmsd"],
        "NIOSSL": ["CryptoService"],
        "Hummingbird": ["CryptoService", "PlatformLite", "Console"],
        "HummingbirdCore": ["AcceptedConnections", "CryptoService", "PlatformLite", "Console"],
        "Mustache": ["PlatformLite"],
        "Yams": ["Personalization"],
        "ArgumentParser": ["kmsd"],
        "AsyncHTTPClient": ["kmsd"],
        "Configuration": ["kmsd"],
    ]

    @Test func `every room imports only the rooms that it may know`() {
        let rooms = Set(Self.mayKnow.keys)
        for file in SourceTree.sources {
            guard let allowed = Self.mayKnow[file.room] else { continue }
            for line in file.lines {
                guard let module = SourceTree.importedModule(line), rooms.contains(module) else { continue }
                #expect(allowed.contains(module), "\(file.path) imports \(module): \(file.room) may not know it")
            }
        }
    }

    @Test func `a C module is imported in its home only`() {
        for file in SourceTree.sources {
            for line in file.lines {
                guard let module = SourceTree.importedModule(line), let homes = Self.homes[module] else { continue }
                #expect(homes.contains(file.room), "\(file.path) imports \(module), whose home is \(homes.sorted())")
            }
        }
    }

    @Test func `libraries stay in the rooms that they were taken in for`() {
        for file in SourceTree.sources {
            for line in file.lines {
                guard let module = SourceTree.importedModule(line), let homes = Self.libraries[module] else { continue }
                #expect(homes.contains(file.room), "\(file.path) imports \(module), which belongs to \(homes.sorted())")
            }
        }
    }

    @Test func `typed secrets are opened in the security module alone`() {
        // `SecretInput.withBytes` is visible in the whole package; this is what keeps it in HSMEngine.
        let allowed: Set<String> = [
            // Passwords and a card's first PIN, into the body of one request to `kmsd serve`; never a key or a component.
            "Sources/kmsd/Administration/SecretLines.swift", "Sources/kmsd/Administration/CardWork.swift",
        ]
        for file in SourceTree.sources
        where file.room == "kmsd" || file.room == "Personalization" || file.room == "Console" {
            for line in file.lines where !allowed.contains(file.path) {
                #expect(!line.contains(".withBytes"), "\(file.path) looks into a typed secret: only HSMEngine may")
            }
        }
    }

    @Test func `every room exists`() {
        for room in Self.mayKnow.keys {
            #expect(SourceTree.sources.contains { $0.room == room }, "room \(room) has no source")
        }
    }
}
