// swift-tools-version: 6.2
import PackageDescription

// The rooms of kmsd and who may know whom (docs/architecture.md). `Tests/HouseTests` holds these borders against the
// imports in the sources, C modules included, which the package manager does not check by itself.

let house: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
    ] + (Context.environment["KMSD_FUZZ"] == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer,address"])])

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], data: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: data, swiftSettings: house)
}

func system(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let web: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]

var targets: [Target] = [
    system("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
    system("CMariaDB", pkgConfig: "libmariadb", apt: "libmariadb-dev"),
    system("CPCSC", pkgConfig: "libpcsclite", apt: "libpcsclite-dev"),
    system("CArgon2", pkgConfig: "libargon2", apt: "libargon2-dev"),
    system("CLinux", apt: "libc6-dev"),

    room("HSMBridge", ["CPCSC", "CLinux"]),
    // Kernels that are written for speed: without optimisation they would be a hundred times slower in the tests.
    .target(
        name: "CBitslicedDES", exclude: ["README.md"],
        cSettings: [.unsafeFlags(["-O3", "-Wall", "-Werror"])]),
    // Finds the S-box circuits of CBitslicedDES (a program to run by hand, minutes long).
    .executableTarget(
        name: "sbox-circuits", path: "Sources/SBoxCircuits",
        swiftSettings: house + [.unsafeFlags(["-Ounchecked"], .when(configuration: .release))]),
    room("HSMEngine", ["HSMBridge", "CBitslicedDES", "COpenSSL", "CLinux"]),
    room("MariaDB", ["CMariaDB", "CLinux"]),
    room("KMS", ["HSMBridge", "MariaDB", "CArgon2"]),
    room("CryptoClient", nio),
    room("AcceptedConnections", nio + web),
    room(
        "CryptoService",
        [
            "KMS", "HSMBridge", "CryptoClient", "AcceptedConnections",
            .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOHTTP1", package: "swift-nio"),
        ] + nio + web),
    room("Personalization", ["KMS", "HSMBridge", "MariaDB", .product(name: "Yams", package: "Yams")]),
    room("Console", ["KMS", "Personalization", "CryptoService", "HSMBridge", "AcceptedConnections"] + web),
    room(
        "PlatformLite",
        [
            "MariaDB", "CryptoClient", "AcceptedConnections", .product(name: "Mustache", package: "swift-mustache"),
        ] + web),
    room("CardSimulator", ["COpenSSL"]),
    .executableTarget(
        name: "kmsd",
        dependencies: [
            .product(name: "NIOHTTP1", package: "swift-nio"),
            "HSMBridge", "HSMEngine", "MariaDB", "KMS", "CryptoClient", "CryptoService", "Personalization", "Console",
            "PlatformLite", "CardSimulator", "CLinux",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Configuration", package: "swift-configuration"),
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ] + nio + web,
        swiftSettings: house
    ),

    tests("HSMBridgeTests", ["HSMBridge"]),
    tests("HSMEngineTests", ["HSMEngine", "HSMBridge", "CBitslicedDES"]),
    tests("MariaDBTests", ["MariaDB"]),
    tests("KMSTests", ["KMS", "HSMBridge", "HSMEngine", "MariaDB"]),
    tests("CryptoClientTests", ["CryptoClient"] + nio),
    tests(
        "CryptoServiceTests",
        [
            "CryptoService", "CryptoClient", "AcceptedConnections", "HSMBridge", "HSMEngine", "KMS", "MariaDB",
            .product(name: "HummingbirdTesting", package: "hummingbird"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
            .product(name: "NIOEmbedded", package: "swift-nio"),
        ] + nio + web),
    tests(
        "PersonalizationTests", ["Personalization", "HSMBridge", "HSMEngine", "CardSimulator", "KMS", "MariaDB"],
        data: ["Expected"]),
    tests("CardSimulatorTests", ["CardSimulator"]),
    tests(
        "PlatformLiteTests",
        [
            "PlatformLite", "MariaDB", "CryptoClient",
            .product(name: "HummingbirdTesting", package: "hummingbird"),
        ] + nio + web),
    tests(
        "ConsoleTests",
        [
            "Console", "KMS", "HSMBridge", "HSMEngine", "MariaDB", "Personalization", "CryptoService",
            .product(name: "HummingbirdTesting", package: "hummingbird"),
        ] + web),
    tests(
        "KmsdTests",
        [
            "kmsd", "CryptoService", "KMS", .product(name: "Logging", package: "swift-log"),
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ] + nio),
    tests("HouseTests", []),
    tests(
        "IntegrationTests",
        ["HSMBridge", "HSMEngine", "MariaDB", "KMS", "Personalization"]),
]

// The fuzz targets (Tests/Fuzz): in every test run over the kept corpus, and as libFuzzer's program only with KMSD_FUZZ set,
// when nothing else is wanted (`make fuzz`).
let fuzzed: [Target.Dependency] =
    ["CryptoClient", "CryptoService", "HSMBridge", "HSMEngine", .product(name: "NIOCore", package: "swift-nio")]
if Context.environment["KMSD_FUZZ"] == nil {
    targets.append(
        .testTarget(
            name: "FuzzTests", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["corpus", "Fuzzer", "Seeds"],
            swiftSettings: house))
} else {
    targets = targets.filter { $0.type != .test && $0.name != "kmsd" }
    targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["corpus", "CorpusTests.swift"],
            // libFuzzer brings the main function.
            swiftSettings: house + [.unsafeFlags(["-parse-as-library"])]))
}

// Shows under valgrind that no branch and no address depends on a secret (Tests/ConstantTime, `make constant-time`).
if Context.environment["KMSD_CONSTANT_TIME"] != nil {
    targets = targets.filter { $0.type != .test && $0.name != "kmsd" }
    targets += [
        .systemLibrary(name: "CMemcheck", path: "Tests/ConstantTime/CMemcheck", providers: [.apt(["valgrind"])]),
        .executableTarget(
            name: "ConstantTime", dependencies: ["CMemcheck", "CBitslicedDES", "HSMBridge", "HSMEngine", "KMS"],
            path: "Tests/ConstantTime/Program", swiftSettings: house),
    ]
}

// Work on one room without building the others: `KMSD_ROOMS=MariaDB,MariaDBTests swift test --scratch-path .build-mariadb`.
if let rooms = Context.environment["KMSD_ROOMS"]?.split(separator: ",").map(String.init) {
    let always = ["CBitslicedDES"]
    targets = targets.filter { $0.type == .system || (rooms + always).contains($0.name) }
}
let package = Package(
    name: "kmsd",
    products: targets.contains { $0.name == "kmsd" } ? [.executable(name: "kmsd", targets: ["kmsd"])] : [],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0", traits: [.defaults, "YAML"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
    ],
    targets: targets,
    swiftLanguageModes: [.v6]
)
