import ArgumentParser
import Console

/// `kmsd approval …`: the second person.
struct ApprovalCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approval", abstract: "Two-person operations: ask for, give or refuse an approval.",
        discussion: """
            Whoever will carry it out asks; another administrator (mk, conf, key or cert) approves within fifteen minutes; then
            the first one does it, naming the number. An approval is of exactly what was asked for, and serves once.
            """,
        subcommands: [Request.self, List.self, Approve.self, Refuse.self])

    struct Request: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask for an approval; answers its number.",
            subcommands: [Export.self, Destroy.self, Compromise.self, Grant.self, ResetPassword.self, WriteOff.self])

        struct Export: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "To export a key under a transport key.",
                discussion: "Example: kmsd approval request export PARK/PURSE/TAC PARK/TRANSPORT/KEK-A")
            @OptionGroup var options: AdminOptions
            @Argument(help: "The key.") var key: String
            @Argument(help: "The transport key.") var under: String

            func run() async throws {
                var asked = ApprovalRequestMessage(operation: "key.export")
                asked.key = key
                asked.under = under
                try await ApprovalCommandGroup.request(asked, options)
            }
        }

        struct Destroy: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "To destroy a key's value.")
            @OptionGroup var options: AdminOptions
            @Argument(help: "The key.") var key: String

            func run() async throws {
                var asked = ApprovalRequestMessage(operation: "key.destroy")
                asked.key = key
                try await ApprovalCommandGroup.request(asked, options)
            }
        }

        struct Compromise: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "To mark a key as known to others.")
            @OptionGroup var options: AdminOptions
            @Argument(help: "The key.") var key: String

            func run() async throws {
                var asked = ApprovalRequestMessage(operation: "key.compromise")
                asked.key = key
                try await ApprovalCommandGroup.request(asked, options)
            }
        }

        struct Grant: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "To give a person a role.", discussion: "Example: kmsd approval request grant key li")
            @OptionGroup var options: AdminOptions
            @Argument(help: "mk, conf, key, cert, operator or auditor.") var role: String
            @Argument(help: "Name of the administrator.") var person: String

            func run() async throws {
                var asked = ApprovalRequestMessage(operation: "administrator.role.grant")
                asked.role = role
                asked.name = person
                try await ApprovalCommandGroup.request(asked, options)
            }
        }

        struct ResetPassword: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "reset-password", abstract: "To give a person a new password.")
            @OptionGroup var options: AdminOptions
            @Argument(help: "Name of the administrator.") var person: String

            func run() async throws {
                var asked = ApprovalRequestMessage(operation: "administrator.password.reset")
                asked.name = person
                try await ApprovalCommandGroup.request(asked, options)
            }
        }

        struct WriteOff: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "write-off", abstract: "To write off blank cards that are missing from the stock.")
            @OptionGroup var options: AdminOptions
            @Argument(help: "Kind of card.") var kind: String
            @Argument(help: "How many.") var count: Int
            @Option(help: "Why.") var reason: String

            func run() async throws {
                var asked = ApprovalRequestMessage(operation: "stock.writeoff")
                asked.kind = kind
                asked.count = count
                asked.reason = reason
                try await ApprovalCommandGroup.request(asked, options)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the approvals of the last day, newest first.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let approvals: [ApprovalMessage] = try await options.client().get(AdminPath("approvals"))
            try options.show(approvals) { approvals in
                var table = TextTable("ID", "WHAT", "ON", "REQUESTED BY", "UNTIL", "DECISION", "BY")
                for one in approvals {
                    table.add(
                        String(one.id), one.operation, one.object, one.requestedBy, one.expiresAt, one.decision,
                        one.decidedBy ?? "-")
                }
                table.show(orSay: "No approval was asked for during the last day.")
            }
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve what another person asked for; read its text first (list).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Number of the approval.") var id: Int64
        func run() async throws { try await ApprovalCommandGroup.decide(id, "approve", options) }
    }

    struct Refuse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refuse what another person asked for.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Number of the approval.") var id: Int64
        func run() async throws { try await ApprovalCommandGroup.decide(id, "refuse", options) }
    }

    private static func request(_ asked: ApprovalRequestMessage, _ options: AdminOptions) async throws {
        let number: ApprovalNumberMessage = try await options.client().post(AdminPath("approvals"), asked)
        try options.show(number) {
            Terminal.say(
                "Approval \($0.id) is asked for. Another administrator: kmsd approval approve \($0.id)",
                "已申请审批 \($0.id)。请另一位管理员执行：kmsd approval approve \($0.id)")
        }
    }

    private static func decide(_ id: Int64, _ verb: String, _ options: AdminOptions) async throws {
        let approval: ApprovalMessage = try await options.client().post(AdminPath("approvals", String(id), verb))
        try options.show(approval) {
            Terminal.say(
                "Approval \($0.id) of \($0.requestedBy) is \($0.decision): \($0.text)",
                "\($0.requestedBy) 的审批 \($0.id) 状态：\($0.decision)：\($0.text)")
        }
    }
}
