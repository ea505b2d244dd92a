import ArgumentParser

/// The administrators' verbs: clients of the admin API of `kmsd serve`, which decides about everything.
enum AdministrationVerbs {
    static let all: [any ParsableCommand.Type] = [
        LoginCommand.self, LogoutCommand.self, WhoAmICommand.self, AdminCommandGroup.self, IssuerCommandGroup.self,
        ProductCommandGroup.self, KeyCommandGroup.self, ApprovalCommandGroup.self, ClientCommandGroup.self,
        AuditCommandGroup.self,
    ]
}
