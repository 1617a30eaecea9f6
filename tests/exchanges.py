# SPDX-License-Identifier: MIT
"""
Exchanges over TCP with known times and bytes, for collect-tcp.

exchanges.py run: a server that waits as it is asked to, in a process of its own, and clients of all kinds. Prints
an exchange a line: what was sent and received, and between which times the exchange must lie: the server tells
how long it took from the question to the last byte, the clients how long they saw it to last. So no limit is a
guess.

exchanges.py check RECORDS EXPECTED: compares, and prints by how much durations exceed the server's.

exchanges.py calls: one exchange by each pair of system calls; prints its path.
exchanges.py odd: questions that are no HTTP/1, or not quite; prints the path that each tells, or `-`.
exchanges.py interim: answers that are not the last word on two ends of a connection; prints method, path, status.
exchanges.py duplex: four threads send and four receive on one connection at once; prints the bytes of each way.
exchanges.py unanswered [SECONDS]: an exchange, and a question that nobody reads; then it waits.
exchanges.py failing: a connection that is reset, and one that is refused.
exchanges.py hold: a connection, then a line on stdout; with each line on stdin an exchange.
"""
import asyncio
import json
import os
import selectors
import signal
import socket
import statistics
import struct
import sys
import threading
import time

now = time.monotonic_ns
listening = 0     # the server's port


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            _, ms, size, parts = head.split()[1].split(b"?")[0].split(b"/")
            began = now()
            if b"Content-Length:" in head:
                await reader.readexactly(int(head.split(b"Content-Length:")[1].split()[0]))
                began = now()
            await asyncio.sleep(int(ms) / 1000)
            if size == b"none":
                break
            size, parts = int(size), int(parts)
            writer.write(b"HTTP/1.1 203 Fine\r\nContent-Length: %d\r\nFirst: %015d\r\n\r\n" % (size, now() - began))
            for part in range(1, parts + 1):
                await asyncio.sleep(0.02 if part > 1 else 0)
                n = size * part // parts - size * (part - 1) // parts
                # The last bytes: how long it took.
                writer.write(b"x" * n if part < parts else b"x" * (n - 15) + b"%015d" % (now() - began))
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


def server(listener):
    async def run():
        async with await asyncio.start_server(serve, sock=listener) as at:
            await at.serve_forever()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(run())


def request(ms, size=100, parts=1, body=b"", method="GET"):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} /{ms}/{size}/{parts}?token=secret HTTP/1.1\r\nHost: h\r\n{length}\r\n".encode(), body


class Answers:
    """Takes bytes until N answers are whole."""
    def __init__(self, n=1):
        self.left, self.data, self.bytes, self.first, self.last = n, b"", 0, 0, 0

    def take(self, data):
        self.data += data
        self.bytes += len(data)
        while self.left and b"\r\n\r\n" in self.data:
            head, rest = self.data.split(b"\r\n\r\n", 1)
            size = int(head.split(b"Content-Length: ")[1].split()[0])
            if len(rest) < size:
                break
            self.first = self.first or int(head.split(b"First: ")[1])
            self.last += int(rest[size - 15:size])
            self.data = rest[size:]
            self.left -= 1
        return not self.left


def told(case, sock, question, answers, began, wall, **more):
    method, target = question.split()[:2]
    print(json.dumps(dict(
        case=case, sport=sock.getsockname()[1], dport=listening, tx=len(question), rx=answers.bytes,
        method=method.decode(), path=target.decode().split("?")[0], status="203", low=answers.last, high=now() - began,
        first_low=answers.first, wall=wall, wall_end=time.time_ns(), **more)), flush=True)


def ask(case, sock, *requests, split=False, **more):
    """Blocking: all requests at once, or a send for the head and one for the body."""
    answers, began, wall = Answers(len(requests)), now(), time.time_ns()
    question = b"".join(head + body for head, body in requests)
    for piece in requests[0] if split else [question]:
        sock.sendall(piece)
        if split:
            time.sleep(0.01)
    while not answers.take(sock.recv(65536)):
        pass
    told(case, sock, question, answers, began, wall, **more)


def poll(case, addresses, delays):
    """One thread, a connection for each delay, all asked at once."""
    selector = selectors.EpollSelector()
    for ms in delays:
        sock = socket.create_connection(addresses)
        sock.setblocking(False)
        question = request(ms)[0]
        selector.register(sock, selectors.EVENT_READ, (question, Answers(), now(), time.time_ns()))
        sock.send(question)
    left = len(delays)
    while left:
        for key, _ in selector.select():
            question, answers, began, wall = key.data
            if answers.take(key.fileobj.recv(65536)):
                told(case, key.fileobj, question, answers, began, wall)
                selector.unregister(key.fileobj)
                key.fileobj.close()
                left -= 1


def clients(port):
    four, six, mapped = ("127.0.0.1", port), ("::1", port), ("::ffff:127.0.0.1", port)
    idle = socket.create_connection(four)
    kept = socket.create_connection(four)
    for ms in (3, 40, 7, 30, 1):
        ask("keep-alive", kept, request(ms))
        time.sleep(0.05)
    for address, shown in (six, "::1"), (mapped, "127.0.0.1"), (four, "127.0.0.1"):
        with socket.create_connection(address) as sock:
            ask("address", sock, request(20), address=shown)
    poll("epoll", four, (60, 20, 40))
    ask("pipelined", kept, request(10), request(20), request(30))
    ask("body", kept, request(30, body=b"b" * 400000, method="POST"), split=True)
    ask("large", kept, request(30, size=5000000, parts=5))
    numbers = set()
    for ms in (25, 5, 15):
        with socket.create_connection(four) as sock:
            numbers.add(sock.fileno())
            ask("again", sock, request(ms))
    assert len(numbers) == 1
    with socket.create_connection(four) as sock:
        answers, began, wall = Answers(), now(), time.time_ns()
        question = request(30)[0]
        sock.sendall(question)
        sock.shutdown(socket.SHUT_WR)
        while data := sock.recv(65536):
            answers.take(data)
        told("half-close", sock, question, answers, began, wall)
    with socket.create_connection(four) as sock:
        answers, began, wall = Answers(), now(), time.time_ns()
        question = request(40, size="none", parts="none")[0]
        sock.sendall(question)
        sock.recv(1)
        answers.last = 40000000
        told("none", sock, question, answers, began, wall)
    time.sleep(0.1)
    kept.close()
    idle.close()


def run():
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    child = os.fork()
    if child == 0:
        server(listener)
    global listening
    listening = listener.getsockname()[1]
    listener.close()
    try:
        clients(listening)
        time.sleep(0.1)
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def calls():
    client, other = pair()
    ways = {
        "send": (lambda s, b: s.send(b), lambda s: s.recv(4096)),
        "write": (lambda s, b: os.write(s.fileno(), b), lambda s: os.read(s.fileno(), 4096)),
        "writev": (lambda s, b: os.writev(s.fileno(), [b[:20], b[20:]]),
                   lambda s: os.readv(s.fileno(), [bytearray(4000), bytearray(96)])),
        "sendmsg": (lambda s, b: s.sendmsg([b]), lambda s: s.recvmsg(4096)),
        "sendto": (lambda s, b: s.sendto(b, other.getsockname()), lambda s: s.recvfrom_into(bytearray(4096))),
    }
    for name, (send, receive) in ways.items():
        send(client, f"GET /{name} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        receive(other)
        send(other, b"HTTP/1.1 200 OK\r\n\r\n")
        receive(client)
        print(f"/{name}")


def odd():
    client, other = pair()
    for question, answer, path in (
            (b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n", "-"),
            (b"\x16\x03\x01\x02\x00\x01\x00", b"\x16\x03", "-"),
            (b"GET /rtsp RTSP/1.0\r\n\r\n", b"RTSP/1.0 200 OK\r\n\r\n", "-"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00\x00", "-"),
            (b"get /small HTTP/1.1\r\n\r\n", b"HTTP/1.1 20", "-"),
            (b"GET  HTTP/1.1\r\n\r\n", b"HTTP/1.1 2000 OK", "-"),
            (b"GET", b"HTTP", "-"),
            (b"GET /evil\x1b[2J\tx HTTP/1.1\r\n\r\n", b"x", "-"),
            (b"GET /\xc3\xa9\\ HTTP/1.0\r\n\r\n", b"x", "/\u00e9\\\\"),
            (b"GET /" + b"a" * 500 + b" HTTP/1.1\r\n\r\n", b"x" * 20, "-"),
            (b"GET /" + b"a" * 500 + b" HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not", "/" + "a" * 123),
            (b"GET /" + b"a" * 110 + b"?" + b"s" * 300, b"HTTP/1.1 404 Not", "/" + "a" * 110),
            (b"OPTIONS * HTTP/1.1\r\n\r\n", b"HTTP/1.1 204\r\n\r\n", "*")):
        client.send(question)
        other.recv(4096)
        other.send(answer)
        client.recv(4096)
        print(path)


def interim():
    client, other = pair()
    for path, steps in (
            ("/continue", ("100 Continue", "body " * 9, "201 Created")),
            ("/refused", ("100", "body", "413 Content Too Large")),
            ("/twice", ("102 Processing", "", "102 Processing", "", "200 OK")),
            ("/joined", ("100 Continue\r\n\r\nHTTP/1.1 204 No Content",)),
            ("/upgrade", ("101 Switching",))):
        client.send(f"PUT {path} HTTP/1.1\r\nExpect: 100-continue\r\n\r\n".encode())
        other.recv(4096)
        for i, step in enumerate(steps):
            if i % 2 == 0:
                other.send(f"HTTP/1.1 {step}\r\n\r\n".encode())
                client.recv(4096)
            elif step:
                client.send(step.encode())
                other.recv(4096)
        print("PUT", path, steps[-1][:3])


def duplex():
    client, other = pair()
    totals = [0, 0]
    end = now() + 10**9

    def send(sock, way):
        n = 0
        while now() < end:
            n += sock.send(b"x" * 100)
        totals[way] += n

    def receive(sock):
        while sock.recv(70):
            pass

    senders = [threading.Thread(target=send, args=a) for a in ((client, 0), (other, 1)) * 2]
    receivers = [threading.Thread(target=receive, args=(s,)) for s in (client, other) * 2]
    for thread in senders + receivers:
        thread.start()
    for thread in senders:
        thread.join()
    for sock in client, other:
        sock.shutdown(socket.SHUT_WR)
    for thread in receivers:
        thread.join()
    print(*totals)


def hold():
    client, other = pair()
    print(client.getsockname()[1], client.getpeername()[1], flush=True)
    for line in sys.stdin:
        client.send(b"ask" * int(line))
        other.recv(65536)
        time.sleep(0.01)
        other.send(b"tell" * int(line))
        client.recv(65536)
        print("told", flush=True)


def unanswered(seconds=60):
    client, other = pair()
    time.sleep(0.5)
    client.send(b"1")
    other.recv(1)
    other.send(b"22")
    client.recv(2)
    client.send(b"333")
    time.sleep(int(seconds))


def failing():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    other = listener.accept()[0]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.send(b"x")
    other.recv(1)
    client.close()
    other.close()
    socket.create_connection(listener.getsockname()).close()
    other = listener.accept()[0]
    other.recv(1)
    other.close()
    closed = listener.getsockname()
    listener.close()
    try:
        socket.create_connection(closed)
    except ConnectionRefusedError:
        pass


def compare(row, want, client):
    none = want["case"] == "none"
    sent, received = ("tx_bytes", "rx_bytes") if client else ("rx_bytes", "tx_bytes")
    exact = {sent: want["tx"], received: want["rx"], "http_method": want["method"], "http_path": want["path"],
             "http_status": None if none else want["status"], "unfinished": "1" if none else None,
             "saddr": want.get("address", "127.0.0.1"), "daddr": want.get("address", "127.0.0.1"),
             "sport" if client else "dport": want["sport"], "dport" if client else "sport": want["dport"],
             "comm": "python3"}
    for key, value in exact.items():
        assert row.get(key) == (None if value is None else str(value)), (key, value, row)
    dur, ts, high = int(row["dur_ns"]), int(row["ts"]), want["high"]
    # Where receives are not seen themselves, nor is one that gets nothing: the end is that of the connection.
    slack = 1e9 if none and os.environ.get("COUNTED") else 0
    # The server begins to measure after it has received, which is where its own exchange begins.
    assert want["low"] <= dur <= high + slack, (want, row)
    # Two clocks, of which one is adjusted.
    assert want["wall"] - 5e6 <= ts - dur and ts <= want["wall_end"] + 5e6 + slack, (want, row)
    assert ("ttfb_ns" in row) != none
    if not none:
        assert want["first_low"] <= int(row["ttfb_ns"]) <= dur, (want, row)
    if want["case"] == "large":
        assert dur - int(row["ttfb_ns"]) >= 70e6
    return dur - want["low"]


def check(records, expected):
    rows = [dict(f.split("=", 1) for f in line.rstrip("\n").split("\t")) for line in open(records)]
    wants = [json.loads(line) for line in open(expected)]
    assert len(wants) == 19
    for role, port in ("client", "sport"), ("server", "dport"):
        own = [r for r in rows if r["ev"] == "tcp" and r["role"] == role]
        assert len(own) == len(wants), (role, len(own), len(wants))
        excess = []
        for want in wants:
            row = next(r for r in own if r[port] == str(want["sport"]))
            own.remove(row)
            excess.append(compare(row, want, role == "client"))
        print(f"{role}: above the server's time by {statistics.median(excess) / 1e6:.3f} ms (median), "
              f"{max(excess) / 1e6:.3f} ms (most)")


modes = {"run": run, "check": check, "calls": calls, "odd": odd, "duplex": duplex, "interim": interim,
         "unanswered": unanswered, "failing": failing, "hold": hold}
modes[sys.argv[1]](*sys.argv[2:])
