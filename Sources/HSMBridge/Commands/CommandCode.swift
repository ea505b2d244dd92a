/// Every command of the module. The number is its name on the bridge and in the module's journal.
public enum CommandCode: UInt16, Sendable, Hashable, CaseIterable {
    case getStatus = 1
    case runSelfTest = 2
    case listReaders = 3

    case formatAdminCard = 10
    case inspectAdminCard = 11
    case beginCeremony = 12
    case presentAdminCard = 13
    case finishCeremony = 14
    case abortCeremony = 15
    case sealModule = 16

    case generateKey = 20
    case generateKeyPair = 21
    case beginComponentEntry = 22
    case enterComponent = 23
    case finishComponentEntry = 24
    case abortComponentEntry = 25
    case importKeyBlock = 26
    case importCryptogram = 27
    case exportKeyBlock = 28
    case inspectKey = 29
    case openKey = 30
    case closeKey = 31
    case formKey = 32
    case rewrapKey = 33

    case generateMAC = 40
    case verifyMAC = 41
    case checkValue = 42
    case randomBytes = 43
    case sign = 44

    case authorisePurseLoad = 50
    case purchaseMAC1 = 51
    case verifyPurchaseMAC2 = 52
    case verifyTAC = 53
    case verifyTACBatch = 54
    case diversifyKey = 55
    case authorisePurseUnload = 56
    case verifyUnloadMAC3 = 57
    case diversifyKeyBatch = 58

    case protectKeyLoad = 60
    case protectCommand = 61
    case cardCryptogram = 62
    case derivedCheckValue = 63

    case hash = 70
    case createSignature = 71
    case verifySignature = 72
    case protectPublicKey = 73
    case encipherData = 80
    case decipherData = 81
    case translateData = 82
    case generateCardCode = 83
    case verifyCardCode = 84
    case verifyCryptogram = 85
    case respondToCryptogram = 86
    case explainMAC = 100
}
