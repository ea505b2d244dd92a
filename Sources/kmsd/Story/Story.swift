import Foundation
import HSMBridge

/// The people, cards and keys of the story, and its chapters in order.
final class Story: Sendable {
    let doors: StoryDoors
    let settings: Settings
    let rack: String
    let desk: String
    let restartModule: String
    let demo: String
    let records: Int
    let seed: UInt64
    /// Made anew for each telling; what the persons of the story have in their heads.
    let people: StoryPeople

    init(
        doors: StoryDoors, settings: Settings, rack: String, desk: String, restartModule: String, demo: String,
        records: Int,
        seed: UInt64
    ) throws {
        self.doors = doors
        self.settings = settings
        self.rack = rack
        self.desk = desk
        self.restartModule = restartModule
        self.demo = demo
        self.records = records
        self.seed = seed
        people = try StoryPeople(desk: desk)
    }

    var chapters: [StoryChapter] {
        [
            StoryChapter(
                name: "power-up", title: "Power-up: the module tests itself and is uninitialised",
                titleChinese: "上电：自检，安全模块尚未初始化"
            ) { try await self.powerUp(&$0) },
            StoryChapter(
                name: "ceremony", title: "Ceremony: three admin cards, three components, one LMK",
                titleChinese: "密钥仪式：三张管理员卡、三个分量、一个主密钥"
            ) { try await self.ceremony(&$0) },
            StoryChapter(
                name: "keys", title: "Keys: administrators, issuer, products, application keys",
                titleChinese: "密钥：管理员、发卡行、密钥产品、应用密钥"
            ) { try await self.keys(&$0) },
            StoryChapter(
                name: "tampering", title: "Tampering in the database is refused and found",
                titleChinese: "篡改数据库：被拒绝并被发现"
            ) { try await self.tampering(&$0) },
            StoryChapter(
                name: "psam", title: "PSAM: a blank is personalised",
                titleChinese: "PSAM 卡：空白卡个人化"
            ) { try await self.psam(&$0) },
            StoryChapter(
                name: "user-card", title: "User card: a blank is personalised and loaded with 100.00 yuan",
                titleChinese: "用户卡：空白卡个人化并圈存 100.00 元"
            ) { try await self.userCard(&$0) },
            StoryChapter(
                name: "purchase", title: "Purchase: 12.50 yuan at a POS",
                titleChinese: "消费：POS 机扣款 12.50 元"
            ) { try await self.purchase(&$0) },
            StoryChapter(
                name: "pos-checks", title: "The record's MAC and TAC are checked over the network",
                titleChinese: "联网校验交易记录的 MAC 与 TAC"
            ) { try await self.checks(&$0) },
            StoryChapter(
                name: "money", title: "Money: \(records) offline records become a settlement statement",
                titleChinese: "清算：\(records) 笔脱机流水生成结算单"
            ) { try await self.money(&$0) },
            StoryChapter(
                name: "audit", title: "Audit: the trail verifies",
                titleChinese: "审计：审计链校验通过"
            ) { try await self.audit(&$0) },
        ]
    }

    // MARK: Places

    static let adminReaders = ["Rack 1 00 00", "Rack 1 00 01", "Rack 2 00 00"]
    static let spareReader = "Rack 2 00 01"
    static let psamReader = "Rack 3 00 00"
    static let userReader = "Rack 3 00 01"

    static let issuer = "PARK"
    static func key(_ product: String, _ label: String) -> String { "\(issuer)/\(product)/\(label)" }
    static let transportKey = key("TRANSPORT", "KEK-A")
    static let purchaseKey = key("PURSE", "PURCHASE")
    static let loadKey = key("PURSE", "LOAD")
    static let tacKey = key("PURSE", "TAC")
    static let fleetKey = key("FLEET", "TAC")
    static let posKey = key("POS", "MAC-0001")
    static let checkpointKey = key("AUDIT", "CHECKPOINT")
}

/// PINs and passwords of the story, random for each telling, kept in a private folder so that one can go on afterwards.
struct StoryPeople: Sendable {
    let pins: [String]
    let sparePIN: String
    let passwords: [String: String]
    /// Role of each administrator.
    static let roles: [(name: String, roles: String)] = [
        ("mia", "mk"), ("carl", "conf"), ("kate", "key"), ("kurt", "key"), ("olga", "operator"), ("adam", "auditor"),
    ]

    init(desk: String) throws {
        var generator = SystemRandomNumberGenerator()
        pins = (0..<3).map { _ in String(Int.random(in: 100_000...999_999, using: &generator)) }
        sparePIN = String(Int.random(in: 100_000...999_999, using: &generator))
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        var made: [String: String] = [:]
        for person in Self.roles {
            made[person.name] = String(
                (0..<20).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
        }
        passwords = made
        var sheet = "Only for the virtual demonstration; made anew at each telling.\n"
        for (index, pin) in pins.enumerated() {
            sheet += "PIN of SO\(index + 1) (\(Story.adminReaders[index])): \(pin)\n"
        }
        for person in Self.roles { sheet += "\(person.name) (\(person.roles)): \(made[person.name] ?? "")\n" }
        let path = desk + "/people.txt"
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(sheet.utf8), attributes: [.posixPermissions: 0o600])
        else { throw StoryMismatch("\(path) cannot be written") }
    }

    func password(_ name: String) -> String { passwords[name] ?? "" }
}
