# SPDX-License-Identifier: Apache-2.0
"""A thousand people signed in at once: each reads, each listens, and modules are served meanwhile.

What bounds them: 16 sessions of an account (one more ends the oldest: test_sessions), so that a thousand are 63 people;
4096 connections and 1536 of one address; 1024 calls under way and 256 of one address; 2048 who listen.
"""
import contextlib
import json
import os
import re
import resource
import select
import signal
import socket
import ssl

import pytest

from crowd import settle
from gate import until
from test_console import Console, reachable

PEOPLE, EACH, SESSIONS = 63, 16, 1000  # SESSIONS_OF_ONE
CALLS_OF_ONE = 256  # WEBDESK_CALLS_OF_ONE
OFFICE = 300        # of the thousand, behind one address
MEMORY_MAX = 100 << 10  # KiB more than before, of control and console: what TLS, HTTP and a session hold, and no answer kept


@pytest.fixture(scope="module")
def console():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    gate = Console(edges=1)
    try:
        gate.offer()
        gate.start()
        until(lambda: reachable(gate))
        gate.ask()
        gate.review(1)
        gate.approve()
        gate.served()
        yield gate
    finally:
        gate.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Person:
    """One of them, on a connection of their own."""

    def __init__(self, gate, context, cookie, house):
        raw = socket.create_connection(("127.0.0.1", gate.web_port), timeout=30, source_address=(f"127.0.2.{house + 1}", 0))
        self.socket = context.wrap_socket(raw, server_hostname="localhost")
        self.cookie, self.data = cookie, b""

    def send(self, target, body=None):
        head = f"Host: localhost\r\nCookie: __Host-fg={self.cookie}\r\n"
        if body is None:
            self.socket.sendall(f"GET /api/v1{target} HTTP/1.1\r\n{head}\r\n".encode())
            return
        head += "X-FG-CSRF: 1\r\nContent-Type: application/json\r\n"
        self.socket.sendall(f"POST /api/v1{target} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    def answer(self):
        """Status and document; what is over a limit is said in the words of the API."""
        status, heads, body = Console.answer(self.socket)
        told = json.loads(body)
        if status == 429:
            assert heads["content-type"] == "application/problem+json" and told["id"] == "LIMIT" and int(heads["retry-after"]) > 0
        return status, told

    def follows(self):
        """Whether the stream has begun; false: it is over a limit and was told so, and may ask again."""
        assert self.hears(b"\r\n\r\n")
        if not self.data.startswith(b"HTTP/1.1 429 "):
            assert self.hears(b"retry: 2000\n\n") and self.data.startswith(b"HTTP/1.1 200 "), self.data
            return True
        head, _, body = self.data.partition(b"\r\n\r\n")
        while len(body) < int(re.search(rb"(?i)content-length: (\d+)", head)[1]):
            body += self.socket.recv(65536)
        assert json.loads(body)["id"] == "LIMIT"
        self.data = b""
        return False

    def hears(self, text):
        """Whether that comes; false: the stream has ended."""
        while text not in self.data:
            more = self.socket.recv(65536)
            if not more:
                return False
            self.data += more
        return True


def memory(gate):
    """KiB of the two that hold them."""
    total = 0
    for role in ("control", "console"):
        with open(f"/proc/{gate.roles()[role]}/status", encoding="ascii") as f:
            total += next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))
    return total


def done(people, body, target="/session"):
    """All at once; those who were, and those who have to ask again."""
    for p in people:
        p.send(target, body)
    answers = [(p, *p.answer()) for p in people]
    assert {status for _, status, _ in answers} <= {200, 429}, answers
    return [(p, told) for p, status, told in answers if status == 200], [p for p, status, _ in answers if status == 429]


def test_a_thousand_sessions(console):
    made = settle(console, {f"person{n:02d}": "operator" for n in range(PEOPLE)}, EACH)
    owner = [(c, name) for name, cookies in made.items() for c in cookies][:SESSIONS]
    pids, before = console.roles(), memory(console)
    module = console.cli("module", "list")["modules"][0]["id"]
    served = console.ask()
    assert served[0] == 200
    context = ssl.create_default_context(cafile=os.path.join(console.root, "keys/web.crt"))
    with contextlib.ExitStack() as stack:
        people = [Person(console, context, c, 0 if i < OFFICE else i % 7 + 1) for i, (c, _) in enumerate(owner)]
        for p in people:
            stack.enter_context(p.socket)
        assert len(console.cli("session", "list")["sessions"]) == PEOPLE * EACH >= SESSIONS
        # Each is who they are; who was told to wait asks again, and nobody has to sign in anew.
        names = {c: n for c, n in owner}
        left, seen = people, 0
        while left:
            got, left = done(left, None)
            assert got and all(told["session"]["user"] == names[p.cookie] for p, told in got)
            seen += len(got)
        assert seen == SESSIONS
        # What has to wait for the log: so many of one address, the rest are told at once, and none is lost or done twice.
        office, reveal = people[:OFFICE], json.dumps({"reason": "a crowd looks"})
        os.kill(pids["audit"], signal.SIGSTOP)
        try:
            for p in office:
                p.send(f"/modules/{module}/reveal", reveal)
            told = select.select([p.socket for p in office], [], [], 20)[0]
            assert told and console.ask()[2] == served[2]
        finally:
            os.kill(pids["audit"], signal.SIGCONT)
        answers = [p.answer()[0] for p in office]
        assert answers.count(200) == CALLS_OF_ONE and answers.count(429) == OFFICE - CALLS_OF_ONE
        again = [p for p, status in zip(office, answers) if status == 429]
        assert done(again, reveal, f"/modules/{module}/reveal")[1] == []
        assert sum(e["ev"] == "device.revealed" for e in console.entries()) == OFFICE
        left = people
        while left:
            for p in left:
                p.send("/events")
            left = [p for p in left if not p.follows()]
        # One change, and all thousand hear of it; a module is served on the way.
        console.cli("refusal", "add", "digest", "c" * 64, "--reason", "it was withdrawn")
        assert console.ask()[2] == served[2]
        for p in people:
            assert p.hears(b"event: change\n")
        assert memory(console) - before < MEMORY_MAX
        assert console.roles() == pids
    assert len(console.cli("session", "list")["sessions"]) == PEOPLE * EACH
    assert reachable(console)
