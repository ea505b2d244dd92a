import HSMBridge

/// What can happen to the module's state.
enum ModuleEvent: Sendable, Hashable, CaseIterable {
    case generationBegun
    case generationFinished
    case generationEnded
    case loadBegun
    case loadFinished
    case loadEnded
    case sealed
    case failed
}

/// The one table of state changes; an event that is not in a state's row does not happen there.
///
/// Modelled on the finite state model that FIPS 140-3 and GM/T 0028 ask for.
enum StateMachine {
    static func next(_ state: ModuleState, _ event: ModuleEvent) -> ModuleState? {
        switch (state, event) {
        case (_, .failed): .failed
        case (.uninitialised, .generationBegun): .ceremony
        case (.ceremony, .generationFinished): .sealed
        case (.ceremony, .generationEnded): .uninitialised
        case (.sealed, .loadBegun): .ceremony
        case (.ceremony, .loadFinished): .operational
        case (.ceremony, .loadEnded): .sealed
        case (.operational, .sealed), (.sealed, .sealed): .sealed
        default: nil
        }
    }
}
