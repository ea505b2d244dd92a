#!/usr/bin/env python3
"""An existing client at our port, unchanged: PyPI payshield-pressure-test (AGPL-3.0, not ours, not linked with), as its users
run it, with every default it has: header of four characters, command layouts, no trailer, one connection for many requests.

Run while the stack is up, after the story: `make test` does so. Each run is bounded, on loopback. Exit status 0 and `N passed,
0 failed`, or 1. It asks for Python 3.13 and needs nothing that 3.11 does not have; scripts/install-packages puts it into var/python.
"""
import os
import re
import subprocess
import sys
import tempfile

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = 1500
passed, failed = 0, 0


def check(what, found):
    global passed, failed
    if found:
        passed += 1
        print("ok    %s" % what)
    else:
        failed += 1
        print("WRONG %s" % what)


def client(home, *options, times=3):
    """The client's own words for so many requests on one connection."""
    command = [sys.executable, "-m", "payshield_pressure_test.pressureTest", "127.0.0.1", "--port", str(PORT),
               "--times", str(times), "--decode", "--no-upd-check", *options]
    environment = dict(os.environ, HOME=home)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def fields(text, name):
    return [match.strip() for match in re.findall(r"^%s\s*:(.*)$" % re.escape(name), text, re.MULTILINE)]


def is_clean(text, times, code="00"):
    codes = re.findall(r"^Return code: (..)", text, re.MULTILINE)
    troubles = ("Unexpected issue", "Connection issue", "unrelated to the request", "Length mismatch", "Traceback")
    return codes == [code] * times and "DONE" in text and not any(trouble in text for trouble in troubles)


def volumes(home):
    text = client(home, "--j4", times=1)
    return dict(zip(fields(text, "Command Code"), map(int, fields(text, "Transactions"))))


def main():
    with tempfile.TemporaryDirectory() as home:
        os.mkdir(os.path.join(home, ".config"))
        text = client(home, "--nc", times=50)
        crc = fields(text, "LMK CRC")
        check("NC: 50 answers", is_clean(text, 50))
        check("NC: one LMK check value of 16 digits", len(set(crc)) == 1 and re.fullmatch("[0-9A-F]{6}0{10}", crc[0]))
        firmware = fields(text, "Firmware number")[0]
        check("NC: firmware of 9 characters", len(firmware) == 9)

        text = client(home, "--no")
        check("NO: answers", is_clean(text, 3))
        check("NO: firmware as NC says", set(fields(text, "Firmware number")) == {firmware})
        check("NO: buffer, protocol and connections", "32K bytes" in text and "TCP" in text
              and all(re.fullmatch("[0-9]{2}", value) for value in fields(text, "Number of TCP sockets")))
        text = client(home, "--pci")
        check("NO 01: says that it is not compliant", is_clean(text, 3) and "is not one of these" in text)

        payload = "One two, 100% # & ; ~ done"
        text = client(home, "--b2", "--echo", payload)
        check("B2: comes back", is_clean(text, 3) and fields(text, "Payload echoed") == [payload] * 3)
        text = client(home, "--randgen", times=20)
        values = fields(text, "Random payload")
        check("N0: 20 different values", is_clean(text, 20) and len({value for value in values}) == 20)
        check("N0: 8 bytes each", all(re.fullmatch(r"\(HEX\) [0-9a-f]{16}", value) for value in values))

        text = client(home, "--j2")
        seconds = [int(value) for value in fields(text, "Seconds")]
        periods = [int(value) for value in fields(text, "Number Times Periods")]
        check("J2: ten groups an answer", is_clean(text, 3) and len(periods) == 30)
        check("J2: their sum is the time", [sum(periods[n:n + 10]) for n in (0, 10, 20)] == seconds and seconds[0] > 0)
        check("J2: start before now", fields(text, "Start Date")[0] + fields(text, "Start Time")[0]
              < fields(text, "Current Date")[0] + fields(text, "Current Time")[0])

        before = volumes(home)
        text = client(home, "--nc", times=33)
        after = before
        for _ in range(50):
            after = volumes(home)
            if after.get("NC", 0) >= before.get("NC", 0) + 33:
                break
        check("J4: counts 33 more NC", after.get("NC", 0) == before.get("NC", 0) + 33)
        check("J4: knows what the story did", {"YT", "YL", "M6", "M8", "BU"} & set(after))

        text = client(home, "--j8")
        check("J8: answers", is_clean(text, 3) and fields(text, "Tampers") == ["0000000000"] * 3)
        text = client(home, "--jk")
        check("JK: answers", is_clean(text, 3))
        check("JK: one LMK, AES key block, live", fields(text, "Number of LMK Loaded") == ["01"] * 3
              and set(fields(text, "Scheme") + fields(text, "LMK Scheme")) == {"Keyblock"}
              and set(fields(text, "Algorithm")) == {"AES 256-bit"} and set(fields(text, "Status")) == {"Live"})
        check("JK: its check value is that of NC", all(crc[0][:6] in value for value in fields(text, "Comments")))
        check("JK: nothing exceeded", fields(text, "PIN attacks exceeded") == ["not exceeded (or not enabled)"] * 3)

        text = client(home, "--key", "2048", times=1)
        check("EI: an RSA pair", is_clean(text, 1))
        text = client(home, "--key", "1024", times=1)
        check("EI: too short a pair is refused with 76", is_clean(text, 1, "76"))
        for option, command in (("--ni", "NI"), ("--ecc", "FY"), ("--pingen", "JA")):
            check("%s: a command we do not have is refused with 67" % command, is_clean(client(home, option), 3, "67"))
        text = client(home, "--nc", "--header", "HDRX", times=5)
        check("another header of four characters comes back", is_clean(text, 5) and set(fields(text, "Header")) == {"HDRX"})
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or not passed else 0)


main()
