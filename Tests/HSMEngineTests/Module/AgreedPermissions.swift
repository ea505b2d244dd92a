/// The permission table as it was agreed, written down apart from the code that holds it: usage, operation, and the modes of use
/// with the numbers of factors that each allows (`X3`: a master of three levels with as many factors, `X0-3`: also with fewer, `N0`: a
/// single key as it is).
///
/// A change of the table is a change of this file. Cells that are not here are closed.
enum AgreedPermissions {
    private static let everyMode = "B0,C0,D0,E0,G0,N0,S0,T0,V0,X0,Y0"

    static let rows: [String: [String: String]] = [
        "K0": [
            "wrapKeyBlock": "B0,E0",
            "unwrapKeyBlock": "B0,D0",
            "unwrapCryptogram": "B0,D0",
            "leave": everyMode,
        ],
        "K1": [
            "wrapKeyBlock": "B0,E0",
            "unwrapKeyBlock": "B0,D0",
            "leave": everyMode,
        ],
        "C0": [
            "generateCardCode": "C0,G0",
            "verifyCardCode": "C0,V0",
            "leave": everyMode,
        ],
        "E0": [
            "verifyCryptogram": "N1,X1",
            "respondToCryptogram": "N1,X1",
            "respondUnderCardKey": "N1",
            "leave": everyMode,
        ],
        "E2": [
            "verifyIssuerData": "N1,X1",
            "leave": everyMode,
        ],
        "D0": [
            "encipherData": "B0,E0",
            "decipherData": "B0,D0",
            "leave": everyMode,
        ],
        "M1": [
            "generateMAC1": "C0,G0",
            "verifyMAC1": "C0,V0",
            "generateUnionPayMAC": "C0,G0",
            "verifyUnionPayMAC": "C0,V0",
            "leave": everyMode,
        ],
        "M3": [
            "generateMAC3": "C0,G0",
            "verifyMAC3": "C0,V0",
            "leave": everyMode,
        ],
        "M6": [
            "generateCMAC": "C0,G0",
            "verifyCMAC": "C0,V0",
            "leave": everyMode,
        ],
        "S0": [
            "sign": "S0,T0",
            "verifySignature": "S0,T0,V0",
        ],
        "10": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
            "purchaseMAC": "N0,X3",
        ],
        "11": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X3",
            "derivedCheckValue": "N0,X0-3",
            "authoriseLoad": "N0,X3",
        ],
        "12": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
            "verifyTAC": "N0,X3",
        ],
        "13": [
            "leave": everyMode,
            "unload": "N0,X3",
            "diversify": "X1-3",
            "loadOntoCard": "N0,X3",
            "derivedCheckValue": "N0,X0-3",
        ],
        "14": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X3",
            "derivedCheckValue": "N0,X0-3",
        ],
        "15": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
            "protectCommand": "N0,X3",
        ],
        "16": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
        ],
        "17": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
        ],
        "18": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X3",
            "derivedCheckValue": "N0,X0-3",
            "controlKeyLoad": "N0,X3",
            "cardCryptogram": "N0,X3",
        ],
        "19": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
            "protectCommand": "N0,X3",
        ],
        "20": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
        ],
        "21": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
            "cardCryptogram": "N0,X3",
        ],
        "22": [
            "leave": everyMode,
            "diversify": "X1-3",
            "loadOntoCard": "N0,X0-3",
            "derivedCheckValue": "N0,X0-3",
        ],
        "30": [
            "wash": "N0,X0-4",
            "cardCryptogram": "N0,X0-4",
            "derivedCheckValue": "N0,X0-4",
        ],
    ]
}
