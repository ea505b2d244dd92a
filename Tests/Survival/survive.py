#!/usr/bin/env python3
"""survive: what a running service must live through, against the real processes, with nothing of kmsd's own code.

  survive.py --kmsd PROGRAM      while the stack is up, after the story (`make test` does so)

1. ten thousand frames of garbage: each is answered or its connection closed, and the service still answers; then over HTTP, without a
   token: ten thousand requests sent without waiting are all answered, however they are refused, and what is not HTTP is refused once;
2. 500 idle connections, 50 that stop in the middle of a frame and 10 in the middle of an HTTP request are open: ten thousand
   requests of others are all answered rightly meanwhile, and those that stopped are closed at their limit;
3. kmsd hsm is killed (-9) under load of MACs, batches of TACs and RSA signatures, over TCP and over HTTP: every request is
   answered once, in order, with its result or code 41; sealed, the module is told by code 13; after the custodians' cards the
   same connections get results again.

Nothing here measures time; the limits only keep it from waiting for ever. Exit status 0, or 1 with what went wrong.
"""
import argparse
import http.client
import json
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DESK = os.path.join(CHECKOUT, "var", "story", "desk")
CONFIG = os.environ.get("KMSD_CONFIG", os.path.join(CHECKOUT, "var", "story", "kmsd.yaml"))
HOST, PORT, HTTP_PORT = "127.0.0.1", 1500, 8441
KEY = b"L17PARK/POS/MAC-0001"
TAC_KEY = b"L14PARK/PURSE/TAC"
PATIENCE = 120
HTTP_PATIENCE = 90
failures = []


def check(what, is_right, detail=""):
    print("%s %s%s" % ("ok   " if is_right else "WRONG", what, "" if is_right or not detail else ": %s" % detail), flush=True)
    if not is_right:
        failures.append(what)


class Connection:
    """Frames over TCP: header of four bytes, which is the request's number."""

    def __init__(self, port=PORT):
        self.socket = socket.create_connection((HOST, port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def send(self, number, body):
        self.raw(struct.pack(">HI", len(body) + 4, number) + body)

    def raw(self, data):
        self.socket.sendall(data)

    def frame(self):
        """The next frame as (number, body); None when the server has closed."""
        while True:
            if len(self.pending) >= 2:
                length = struct.unpack(">H", self.pending[:2])[0]
                if len(self.pending) >= 2 + length:
                    frame, self.pending = self.pending[2:2 + length], self.pending[2 + length:]
                    return struct.unpack(">I", frame[:4])[0], frame[4:]
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.pending += data

    def ask(self, number, body):
        self.send(number, body)
        return self.frame()

    def close(self):
        self.socket.close()


def generate(message):
    return b"M60003" + b"2FFF" + KEY + b"%04X" % len(message) + message


def verify(message, mac):
    return b"M80003" + b"2FFF" + KEY + b"%04X" % len(message) + message + mac


def message(number):
    return bytes((number * 7 + place * 31) & 255 for place in range(64))


def macs(count):
    """Messages with their MACs, as the service makes them."""
    connection = Connection()
    made = []
    for number in range(count):
        answer = connection.ask(number, generate(message(number)))
        assert answer and answer[1][:4] == b"M700", "M6 is answered %r" % (answer,)
        made.append(answer[1][4:12])
    connection.close()
    return made


def works(connection=None):
    own = connection is None
    connection = connection or Connection()
    answer = connection.ask(4711, b"B20004PING")
    if own:
        connection.close()
    return answer == (4711, b"B300PING")


# 1. Garbage

def garbage():
    dice = random.Random(20260101)
    commands = [b"NC", b"NO", b"N0", b"B2", b"A0", b"A4", b"A6", b"A8", b"B0", b"BU", b"BW", b"M0", b"M2", b"M4", b"M6", b"M8",
                b"MS", b"GM", b"EI", b"EO", b"EW", b"EY", b"KQ", b"KW", b"CW", b"CY", b"J2", b"J4", b"J8", b"JK", b"YL", b"YP",
                b"YR", b"YT", b"YB", b"YD", b"YN", b"YG", b"YI", b"Y0", b"Y2", b"YV", b"??", b"\0\0"]
    sent = answered = closed = 0
    while sent < 10_000:
        connection = Connection()
        expected = []
        data = b""
        for number in range(dice.randint(1, 400)):
            kind = dice.randrange(40)
            if kind == 0:
                data += b"\0\0"
            elif kind == 1:
                data += struct.pack(">H", 3) + b"abc"
            else:
                # EI makes an RSA key of whatever size it can read: garbage that is good would only take time.
                body = dice.choice(commands) + dice.choice([b"", b"00032FFF" + KEY, b"S10096P0TE00E0000", b"%00"])
                body += dice.randbytes(dice.randint(0, 120))
                if body.startswith(b"EI"):
                    body = b"EI" + dice.randbytes(4)
                data += struct.pack(">HI", len(body) + 4, number) + body
            expected.append(number)
        cut = dice.randrange(8) == 0
        if cut:
            # The last frame is cut off, and nothing follows.
            data = data[:-1]
        sent += len(expected)
        connection.raw(data)
        connection.socket.shutdown(socket.SHUT_WR)
        got = 0
        while connection.frame() is not None:
            got += 1
        answered += got
        closed += len(expected) - got if got < len(expected) else 0
        if not cut and got != len(expected):
            check("each frame of a stream that is followed to its end is answered", False, "%d of %d" % (got, len(expected)))
        connection.close()
    check("%d frames of garbage: %d answered, %d on closed connections" % (sent, answered, closed), answered + closed >= sent)
    check("the service answers afterwards", works())


def answers(connection):
    """The statuses of all responses until the server closes; -1 for one that is cut off."""
    data = b""
    while True:
        try:
            piece = connection.recv(262_144)
        except ConnectionResetError:
            piece = b""
        if not piece:
            break
        data += piece
    statuses = []
    while data:
        head, found, data = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.I)
        if not found or not length or len(data) < int(length.group(1)):
            return statuses + [-1]
        data = data[int(length.group(1)):]
        statuses.append(int(head.split()[1]))
    return statuses


def garbage_over_http():
    dice = random.Random(20260102)
    kinds = [
        lambda: b"POST /v1/echo HTTP/1.1\r\n\r\n",
        lambda: b"POST /v1/mac/verify HTTP/1.1\r\nauthorization: Bearer %x\r\ncontent-length: 9\r\n\r\n{\"key\": 1" % dice.getrandbits(200),
        lambda: b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        lambda: b"GET /v1/status HTTP/1.1\r\nx-ballast: %s\r\n\r\n" % (b"b" * dice.randrange(2_000)),
        lambda: b"DELETE /%x HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc" % dice.getrandbits(64),
        lambda: b"POST /v1/tac/batch HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    ]
    sent = 0
    wrong = []
    # The first is the worst case: thousands that are refused at once, behind one that is not.
    plans = [[2] + [0] * 5_000]
    while sum(map(len, plans)) < 10_000:
        plans.append([dice.randrange(len(kinds)) for _ in range(dice.randint(1, 400))])
    for number, plan in enumerate(plans):
        connection = socket.create_connection((HOST, HTTP_PORT), timeout=PATIENCE)
        data = b"".join(kinds[kind]() for kind in plan)
        ends_badly = number % 3 == 2
        if ends_badly:
            data += b"\x16\x03\x01" + dice.randbytes(100) + b"\r\n\r\n"
        # Sent beside the reading: who does not read is not read from.
        sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        got = answers(connection)
        sender.join()
        connection.close()
        sent += len(plan)
        expected = len(plan) + (1 if ends_badly else 0)
        if len(got) != expected or -1 in got or 500 in got or ends_badly and got[-1] != 400:
            wrong.append((number, expected, len(got), sorted(set(got))))
    check("%d requests over HTTP without a token, sent without waiting, are all answered" % sent, not wrong, wrong[:3])
    connection = http.client.HTTPConnection(HOST, HTTP_PORT, timeout=PATIENCE)
    connection.request("GET", "/healthz")
    check("HTTP answers afterwards", connection.getresponse().status == 200)


# 2. A crowd

def crowd():
    made = macs(64)
    idle = [Connection() for _ in range(500)]
    loris = [Connection() for _ in range(50)]
    for number, connection in enumerate(loris):
        # A length that promises a frame, and one to eight bytes of it.
        connection.raw(b"\0\x40" + b"0000M800"[:1 + number % 8])
    web = [socket.create_connection((HOST, HTTP_PORT), timeout=PATIENCE) for _ in range(10)]
    for number, one in enumerate(web):
        one.sendall((b"POST /v1/mac/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{\"key\"")[:20 + 7 * number])
    wrong = []

    def customer(seed):
        connection = Connection()
        for number in range(500):
            which = (seed + number) % len(made)
            if connection.ask(number, verify(message(which), made[which])) != (number, b"M900"):
                wrong.append((seed, number))
                return
        connection.close()

    customers = [threading.Thread(target=customer, args=(seed,)) for seed in range(20)]
    for one in customers:
        one.start()
    for one in customers:
        one.join()
    check("10,000 requests of others are answered rightly beside 500 idle and 60 stopped connections", not wrong, wrong[:3])
    ends = []
    for connection in loris:
        last = connection.frame()
        ends.append(last is None or last[1][2:4] == b"80" and connection.frame() is None)
        connection.close()
    check("50 connections that stopped in a frame are told so (80) and closed", all(ends), ends.count(False))
    open_still = still_open(web)
    check("10 connections that stopped in an HTTP request are closed", open_still == 0, open_still)
    check("an idle connection is still served", works(idle[250]))
    for connection in idle:
        connection.close()


def still_open(connections):
    """How many the server has not closed when all have had their time."""
    waiting = set(connections)
    end = time.monotonic() + HTTP_PATIENCE
    while waiting and time.monotonic() < end:
        for one in select.select(list(waiting), [], [], max(0, end - time.monotonic()))[0]:
            try:
                if one.recv(4096):
                    continue
            except ConnectionResetError:
                pass
            waiting.remove(one)
    for one in connections:
        one.close()
    return len(waiting)


# 3. The module's death

def listener(path):
    text = subprocess.run(["ss", "-H", "-l", "-n", "-p", "-x", "src", path], capture_output=True, text=True).stdout
    return int(re.search(r"pid=(\d+)", text).group(1))


def configured(name):
    with open(CONFIG) as config:
        return re.search(r"^%s: *(.*)$" % name, config.read(), re.M).group(1).strip()


def kmsd(program, *words, typed=""):
    environment = dict(os.environ, KMSD_SESSIONS=DESK + "/sessions", KMSD_LANG="en")
    done = subprocess.run([program, *words, "--config", CONFIG], input=typed, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit("kmsd %s: %s" % (" ".join(words), done.stderr))


def custodians(program):
    with open(DESK + "/people.txt") as people:
        found = re.findall(r"PIN of SO\d \((.*?)\): (\d+)", people.read())
    kmsd(program, "lmk", "begin", "load")
    for reader, pin in found:
        kmsd(program, "lmk", "present", "--reader", reader, typed=pin + "\n")
    kmsd(program, "lmk", "finish")


def questions():
    """What is asked while the module dies: 64 requests with the answers that they had while it lived."""
    asked = [(verify(message(number), mac), b"M900") for number, mac in enumerate(macs(64))]
    connection = Connection()
    # No TAC here is right, and the answer says so for each.
    entries = b"".join(message(number)[:34] for number in range(200))
    batch = b"YB" + TAC_KEY + b"0P0200" + entries
    pair = connection.ask(0, b"EI0204802#0000&N")[1]
    assert pair[:4] == b"EJ00", pair[:4]
    block = pair[pair.index(b"FFFFS"):]
    signing = b"EW0601010004PING;99" + block
    for place, request in [(11, batch), (27, signing), (43, batch), (59, signing)]:
        answer = connection.ask(0, request)[1]
        assert answer[:4] in (b"YC00", b"EX00"), "%r is answered %r" % (request[:2], answer[:4])
        asked[place] = (request, answer)
    connection.close()
    return asked


class HTTPCustomer:
    """Asks for a check over HTTP on one connection, which it does not open again."""

    def __init__(self, token, mac):
        self.connection = http.client.HTTPConnection(HOST, HTTP_PORT, timeout=PATIENCE)
        self.connection.connect()
        self.connection.auto_open = 0
        self.headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
        self.body = json.dumps({"key": KEY[3:].decode(), "algorithm": "algorithm3", "padding": "method2",
                                "data": message(0).hex(), "mac": mac})

    def ask(self):
        """Status, and the verdict or the code; or why there was none."""
        try:
            self.connection.request("POST", "/v1/mac/verify", self.body, self.headers)
            answer = self.connection.getresponse()
            fields = json.loads(answer.read())
        except (http.client.HTTPException, OSError, ValueError) as error:
            return 0, repr(error)
        return answer.status, fields.get("result", fields.get("code"))


def death(program):
    asked = questions()
    made = macs(8)
    with open(DESK + "/token-auditor-http") as file:
        token = file.read().strip()
    customers = [HTTPCustomer(token, made[0].decode()) for _ in range(4)]
    verdicts = [set() for _ in customers]
    connections = [Connection() for _ in range(20)]
    killed = threading.Event()
    results = [[] for _ in connections]
    rounds = 400
    started = threading.Barrier(len(connections) + len(customers) + 1)

    def load(index):
        connection = connections[index]
        started.wait()
        depth = sent = 0
        while len(results[index]) < rounds * 16:
            # While the module lives, requests go on; afterwards only what is under way is waited for.
            while depth < 16 and sent < rounds * 16 and not (killed.is_set() and sent > 1_000):
                connection.send(sent, asked[sent % 64][0])
                sent += 1
                depth += 1
            if depth == 0:
                return
            frame = connection.frame()
            results[index].append(frame)
            if frame is None:
                return
            depth -= 1
            if index == 0 and len(results[0]) == 500:
                os.kill(listener(configured("run") + "/hsm.sock"), signal.SIGKILL)
                killed.set()

    def load_http(index):
        started.wait()
        left = 100
        while left > 0:
            verdicts[index].add(customers[index].ask())
            # What is asked from now on is asked of a module that is dead.
            left -= 1 if killed.is_set() else 0

    threads = [threading.Thread(target=load, args=(index,)) for index in range(len(connections))]
    threads += [threading.Thread(target=load_http, args=(index,)) for index in range(len(customers))]
    for thread in threads:
        thread.start()
    started.wait()
    for thread in threads:
        thread.join()
    everything = [(number, frame) for result in results for number, frame in enumerate(result)]
    check("no connection was closed", all(frame is not None for _, frame in everything))
    check("every request was answered once and in its order", all(frame and frame[0] == number for number, frame in everything))
    wrong = {frame[1][:8] for number, frame in everything
             if frame and frame[1] not in (asked[number % 64][1], asked[number % 64][1][:2] + b"41")}
    check("with its result or code 41, nothing else", not wrong, wrong)
    codes = sorted({frame[1][:4].decode("latin1") for _, frame in everything if frame})
    check("checks, batches and signatures had both", codes == ["EX00", "EX41", "M900", "M941", "YC00", "YC41"], codes)
    check("over HTTP each had its verdict, or 503 with that code, on its one connection",
          all(verdict == {(200, "verified"), (503, "41")} for verdict in verdicts), verdicts)
    told = subprocess.run([os.path.join(CHECKOUT, "scripts", "stack"), "--tell", "start hsm"], capture_output=True, text=True)
    check("kmsd hsm starts again", told.returncode == 0, told.stdout)
    sealed = wait_for(connections[0], made, {b"M941"})
    check("the sealed module is told by code 13", sealed == b"M913", sealed)
    custodians(program)
    check("with three cards the same connection gets results again", wait_for(connections[0], made, {b"M941", b"M913"}) == b"M900")
    # Each asks all kinds again; the signatures are made anew with the same private key block.
    rest = {(number, connection.ask(number, asked[number][0])[1] == asked[number][1])
            for connection in connections for number in (0, 11, 27)}
    check("and so does every other, of every kind", rest == {(0, True), (11, True), (27, True)}, rest)
    again = HTTPCustomer(token, made[0].decode()).ask()
    check("and so does HTTP", again == (200, "verified"), again)
    for connection in connections:
        connection.close()


def wait_for(connection, made, passing):
    """Asks until the answer is none of those that pass; gives up after many."""
    body = b""
    for _ in range(2_000_000):
        answer = connection.ask(1, verify(message(1), made[1]))
        body = answer[1] if answer else b"closed"
        if body not in passing:
            break
    return body


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kmsd", required=True)
    options = parser.parse_args()
    check("the service answers", works())
    garbage()
    garbage_over_http()
    crowd()
    death(options.kmsd)
    print("survival: %s" % ("all passed" if not failures else "%d FAILED" % len(failures)))
    return 1 if failures else 0


sys.exit(main())
