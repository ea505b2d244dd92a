#!/usr/bin/env python3
"""The outsider's check: none of kmsd's code, other people's cryptography (PyPI psec, pycryptodome).

It takes the three LMK components from the virtual admin cards' state files, forms the LMK, opens every key block found in
MariaDB, and recomputes every check value, MAC1, MAC2, TAC and record MAC that the story's report shows. It then reads the
personalised cards' own memories and compares each key there with what the masters say it must be.

Run while the stack is up, after the story: `make test` does so. Exit status 0 and `N passed, 0 failed`, or 1.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import warnings

warnings.filterwarnings("ignore")
from Crypto.Cipher import AES, DES, DES3  # noqa: E402
from Crypto.Hash import CMAC  # noqa: E402
from psec import tr31  # noqa: E402

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORY = os.path.join(CHECKOUT, "var", "story")
passed, failed = 0, 0


def check(what, found, expected):
    global passed, failed
    if found == expected:
        passed += 1
        print("ok    %s" % what)
    else:
        failed += 1
        print("WRONG %s: recomputed %s, shown %s" % (what, found, expected))


# Cryptography, from the standards and facts/domain.md 1.2 to 1.4, 3.1, 5.

def xor(*values):
    result = bytes(len(values[0]))
    for value in values:
        result = bytes(a ^ b for a, b in zip(result, value))
    return result


def tdes(key, block):
    left, right = key[:8], key[8:16]
    if left == right:
        return DES.new(left, DES.MODE_ECB).encrypt(block)
    one = DES.new(left, DES.MODE_ECB)
    return one.encrypt(DES.new(right, DES.MODE_ECB).decrypt(one.encrypt(block)))


def pad80(data):
    data += b"\x80"
    return data + bytes(-len(data) % 8)


def cbc_mac(key, data, iv=bytes(8)):
    return DES.new(key, DES.MODE_CBC, iv).encrypt(pad80(data))[-8:]


def retail_mac(key, data, iv=bytes(8)):
    last = cbc_mac(key[:8], data, iv)
    return DES.new(key[:8], DES.MODE_ECB).encrypt(DES.new(key[8:16], DES.MODE_ECB).decrypt(last))


def diversify(master, factor):
    return tdes(master, factor) + tdes(master, bytes(b ^ 0xFF for b in factor))


def kcv(key, algorithm):
    if algorithm == "A":
        return CMAC.new(key, ciphermod=AES).update(bytes(16)).digest()[:3].hex().upper()
    if algorithm == "R":
        return None
    return tdes(key, bytes(8))[:3].hex().upper()


# The admin cards.

def files(card_state):
    memory = json.load(open(card_state))["memory"]
    return memory["directories"]


def octets(value):
    if isinstance(value, dict):
        value = next(iter(value.values()))
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


def component(slot):
    for directory in files(os.path.join(STORY, "cards", "slot-%d.fmcos" % slot)):
        for file in directory["files"]:
            if file["identifier"] == 2 and "binary" in file["contents"]:
                data = octets(file["contents"]["binary"])
                if len(data) == 32:
                    return data
    sys.exit("no component on the card in slot %d" % slot)


def sql(statement):
    config = open(os.path.join(STORY, "kmsd.yaml")).read()
    run = [line.split(":", 1)[1].strip() for line in config.splitlines() if line.startswith("run:")][0]
    output = subprocess.run(
        ["mariadb", "--no-defaults", "--socket=" + run + "/mariadb.sock", "--batch", "--skip-column-names", "kms"],
        input=statement, capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in output.splitlines()]


def main():
    report = {step["name"]: step for step in json.load(open(os.path.join(CHECKOUT, "var", "report.json")))["steps"]}
    ceremony, keys_shown = report["ceremony"]["values"], report["keys"]["values"]

    components = [component(slot) for slot in (1, 2, 3)]
    lmk = xor(*components)
    for number, value in enumerate(components, 1):
        check("check value of component %d" % number, kcv(value, "A"), ceremony["component%d" % number])
    check("check value of the LMK", kcv(lmk, "A"), ceremony["lmk"])

    keys = {}
    for issuer, product, label, version, block, shown in sql(
            "SELECT issuer, product, label, version, key_block, check_value FROM key_version WHERE key_block IS NOT NULL"):
        name = "%s/%s/%s" % (issuer, product, label)
        header, value = tr31.unwrap(lmk, block)
        check("identity in the block of " + name, header.blocks["11"], "%s/%02d" % (name, int(version)))
        check("LMK term in the block of " + name, header.blocks["10"], "01")
        if header.algorithm == "R":
            check("length of " + name, len(value) > 1000, True)
            continue
        check("check value of " + name + " in the database", kcv(value, header.algorithm), shown)
        check("check value of " + name + " in the report", kcv(value, header.algorithm), keys_shown["kcv " + name])
        keys[name] = (header, value)
    check("every stored block is version D", all(header.version_id == "D" for header, _ in keys.values()), True)
    check("masters of card keys can only derive",
          all(keys["PARK/PURSE/" + label][0].mode_of_use == "X" for label in ("PURCHASE", "LOAD", "TAC")), True)
    # Compared here and not by `check`, which would print whatever key it found instead.
    published = bytes.fromhex("4358A82A0DCD23A86EC8FBD09D437592")
    check("the transport key is the published one", keys["PARK/TRANSPORT/KEK-A"][1] == published, True)

    transactions(report, {name: value for name, (_, value) in keys.items()})
    cards({name: value for name, (_, value) in keys.items()}, report)
    card_keys(keys, lmk)


def ask(body):
    """One host command and its answer, both without the client header."""
    with socket.create_connection(("127.0.0.1", 1500), timeout=60) as connection:
        connection.sendall(struct.pack(">H", len(body) + 4) + b"0001" + body)
        data = b""
        while len(data) < 2 or len(data) < 2 + struct.unpack(">H", data[:2])[0]:
            more = connection.recv(65536)
            if not more:
                raise SystemExit("closed before the answer to %r" % body[:2])
            data += more
    return data[6:]


def card_keys(keys, lmk):
    """YD: the blocks of diversified keys, opened, at every number of levels; a level too many is refused."""
    levels = [bytes.fromhex(text) for text in ("1122334455667788", "0102030405060708", "FFEEDDCCBBAA9988", "B1B1BEA9B1B1BEA9")]
    for label, depth in (("PARK/PURSE/TAC", 1), ("PARK/PURSE/REGIONS", 3)):
        name, right = label.encode(), keys[label][1]
        for count in (1, 2, 3, 4):
            right = diversify(right, levels[count - 1])
            answer = ask(b"YDL%02d%s%d%sS" % (len(name), name, count, b"".join(levels[:count])))
            what = "YD with %d levels of %d" % (count, depth)
            if count > depth:
                check(what, answer, b"YEA8")
                continue
            check(what, answer[:5], b"YE00S")
            header, value = tr31.unwrap(lmk, answer[5:-6].decode())
            check("check value of " + what, answer[-6:].decode(), kcv(right, header.algorithm))
            check("the block of %s is of version D and holds the key" % what, (header.version_id, value == right), ("D", True))
            # With levels left it is a master still, of as many.
            left = (header.mode_of_use, header.blocks.get("13"))
            check("what is left after " + what, left, ("X", "%02d" % (depth - count)) if count < depth else ("N", None))


def transactions(report, keys):
    number = lambda text, width: int(text).to_bytes(width, "big")
    load = {name[5:]: value for name, value in report["user-card"]["values"].items() if name.startswith("load.")}
    buy = {name[9:]: value for name, value in report["purchase"]["values"].items() if name.startswith("purchase.")}

    factor = bytes.fromhex(load["card"])[-8:]
    clock = bytes.fromhex(load["date"] + load["time"])
    amount, kind, terminal = number(load["amount"], 4), bytes.fromhex(load["type"]), bytes.fromhex(load["terminal"])
    session = tdes(diversify(keys["PARK/PURSE/LOAD"], factor),
                   bytes.fromhex(load["random"]) + number(load["cardSequence"], 2) + b"\x80\x00")
    check("MAC1 of the load", cbc_mac(session, number(load["balanceBefore"], 4) + amount + kind + terminal)[:4].hex().upper(), load["mac1"])
    check("MAC2 of the load", cbc_mac(session, amount + kind + terminal + clock)[:4].hex().upper(), load["mac2"])
    tac_key = diversify(keys["PARK/PURSE/TAC"], factor)
    tac_key = xor(tac_key[:8], tac_key[8:])
    data = number(load["balanceAfter"], 4) + number(load["cardSequence"], 2) + amount + kind + terminal + clock
    check("TAC of the load", cbc_mac(tac_key, data)[:4].hex().upper(), load["tac"])

    clock = bytes.fromhex(buy["date"] + buy["time"])
    amount, kind, terminal = number(buy["amount"], 4), bytes.fromhex(buy["type"]), bytes.fromhex(buy["terminal"])
    transaction = number(buy["terminalTransaction"], 4)
    session = tdes(diversify(keys["PARK/PURSE/PURCHASE"], factor),
                   bytes.fromhex(buy["random"]) + number(buy["cardSequence"], 2) + transaction[-2:])
    check("MAC1 of the purchase", cbc_mac(session, amount + kind + terminal + clock)[:4].hex().upper(), buy["mac1"])
    check("MAC2 of the purchase", cbc_mac(session, amount)[:4].hex().upper(), buy["mac2"])
    data = amount + kind + terminal + transaction + clock
    check("TAC of the purchase", cbc_mac(tac_key, data)[:4].hex().upper(), buy["tac"])

    values = report["pos-checks"]["values"]
    sealed = bytes.fromhex(values["recordMACData"])
    check("MAC of the purchase record", retail_mac(keys["PARK/POS/MAC-0001"], sealed).hex().upper(), values["recordMAC"])
    check("the sealed bytes carry the record", data in sealed and sealed.endswith(bytes.fromhex(buy["tac"])), True)


def cards(keys, report):
    """What really lies in the personalised cards, against the masters."""
    asn = bytes.fromhex(report["purchase"]["values"]["purchase.card"])[-8:]
    psam = bytes.fromhex(report["purchase"]["values"]["purchase.psam"])[-8:]
    user = [key for directory in files(os.path.join(STORY, "cards", "slot-6.fmcos"))
            for key in (directory.get("keyFile") or {"keys": []})["keys"]]
    sam = [key for directory in files(os.path.join(STORY, "cards", "slot-5.psam"))
           for key in (directory.get("keyFile") or {"keys": []})["keys"]]
    held = lambda card: {octets(key["value"]) for key in card}
    for label in ("PURCHASE", "LOAD", "TAC", "MAINTENANCE"):
        check("the user card holds its own diversified %s key" % label, diversify(keys["PARK/PURSE/" + label], asn) in held(user), True)
        check("the user card does not hold the %s master" % label, keys["PARK/PURSE/" + label] in held(user), False)
    check("the PSAM holds the purchase master", keys["PARK/PURSE/PURCHASE"] in held(sam), True)
    check("the PSAM's control key is diversified by its serial", diversify(keys["PARK/PSAM/CARD-CONTROL"], psam) in held(sam), True)
    check("the vendor's key is gone from the PSAM", b"kmsd blank PSAM." in held(sam), False)
    check("the transport key is gone from the user card", bytes([0xFF] * 16) in held(user), False)
    transcripts = json.dumps([step["transcripts"] for step in report.values()]).upper()
    secrets = [value for name, value in keys.items()] + [octets(key["value"]) for key in user + sam if len(octets(key["value"])) >= 8]
    shown = [secret for secret in secrets if secret.hex().upper() in transcripts and set(secret) != {0xFF}]
    check("no key in clear in any transcript of the report", len(shown), 0)


main()
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
