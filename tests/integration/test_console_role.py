# SPDX-License-Identifier: Apache-2.0
"""The console alone, supervisor and control played from here: what it makes of control's answers.

Everything that a session would get is seen without one: control is the test.
"""
import contextlib
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading

import pytest

import wire
from gate import BIN, SRC, until
from test_console import JSON, Console
from test_taken_over import memfd

HEX = "ab" * 32
COOKIE = {"Cookie": f"__Host-fg={HEX}"}


def numbers(enum):
    with open(os.path.join(SRC, "gateway/wire/msg.h"), encoding="ascii") as f:
        body = re.search(rf"enum {enum} \{{(.*?)\}};", f.read(), re.S).group(1)
    return {name: n for n, name in enumerate(re.findall(r"^\s*MSG_(?:ROLE|FD)_(\w+)\b", body, re.M))}


class Alone:
    """fotagated --role=console, on descriptors of ours."""
    web, talk, problem = Console.web, Console.talk, Console.problem
    answer, secure = staticmethod(Console.answer), staticmethod(Console.secure)

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="fg-console-")
        self.cert, key = os.path.join(self.dir.name, "crt"), os.path.join(self.dir.name, "key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                        "-keyout", key, "-out", self.cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        listener.setblocking(False)
        self.web_port = listener.getsockname()[1]
        self.supervisor, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fd = theirs.fileno()
        self.process = subprocess.Popen(["/bin/bash", "-c", f'exec "$0" --role=console 3<&{fd} {fd}<&-' if fd != 3 else
                                         'exec "$0" --role=console', os.path.join(BIN, "fotagated")], pass_fds=[fd])
        theirs.close()
        role, kind = numbers("msg_role"), numbers("msg_boot_kind")
        say = lambda type_, fds=(), **msg: wire.send(self.supervisor, type_, msg, fds)
        say("BOOT", role=role["CONSOLE"], index=0, uid=os.getuid(), gid=os.getgid(), drop=False, unsafe_sandbox=False, demo=True,
            instance=bytes(16), machine=bytes(32), product=bytes(32), origin="gw", data_dir="/d", run_dir="/r", edges=1)
        for what, name in (("WEB_CERT", self.cert), ("WEB_KEY", key)):
            fd = os.open(name, os.O_RDONLY)
            say("BOOT_FD", (fd,), kind=kind[what], ordinal=0, part=0, name="console")
            os.close(fd)
        say("BOOT_FD", (listener.fileno(),), kind=kind["WEB_LISTENER"], ordinal=0, part=0, name="console")
        listener.close()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        say("PEER", (theirs.fileno(),), role=role["CONTROL"], index=0)
        theirs.close()
        say("START")
        assert wire.recv(self.supervisor)[0] == "READY"
        self.runouts = wire.recv(self.control)

    def connect(self, source="127.0.0.1"):
        context = ssl.create_default_context(cafile=self.cert)
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.web_port), timeout=20), server_hostname="localhost")

    def asked(self, reply, *args, **kw):
        """One request, answered by reply (status, document, file): what control was asked, and what the browser got."""
        seen = {}

        def control():
            _, seen["call"], fds = wire.recv(self.control)
            seen["files"] = [os.pread(fd, 1 << 20, 0) for fd in fds]
            for fd in fds:
                with pytest.raises(OSError):
                    os.pwrite(fd, b"x", 0)
                os.close(fd)
            self.reply(seen["call"]["token"], *reply)
        t = threading.Thread(target=control)
        t.start()
        got = self.web(*args, **kw)
        t.join(20)
        return seen["call"], seen["files"], got

    def reply(self, token, status, doc, file=None):
        text = json.dumps(doc, sort_keys=True, separators=(",", ":"))
        big = len(text) > 40000
        fds = ([memfd(text.encode())] if big else []) + ([file] if file is not None else [])
        wire.send(self.control, "REPLY", {"token": token, "status": status, "big": big, "file": file is not None,
                                          "json": "" if big else text}, fds)
        for fd in fds:
            os.close(fd)

    def close(self):
        self.supervisor.close()
        self.control.close()
        self.process.wait(20)
        self.dir.cleanup()


@pytest.fixture(scope="module")
def alone():
    a = Alone()
    try:
        yield a
    finally:
        a.close()


def test_when_its_certificate_ends(alone):
    told, msg, _ = alone.runouts
    (row,) = msg["rows"]
    assert told == "RUNOUTS" and (row["listener"], row["kind"]) == (0, 1) and row["until"] - row["from"] == 9 * 86400


def test_what_control_is_asked(alone):
    call, files, got = alone.asked((0, {"a": 1}), "/api/v1/modules?held=true&after=00", headers=COOKIE)
    assert (call["request"], call["json"], call["means"], call["secret"].hex()) == ("module.list", '{"after":"00","held":true}', 1, HEX)
    assert call["peer"] == b"\0" * 10 + b"\xff\xff\x7f\0\0\1" and call["key"] == bytes(32) and not files
    assert got[0] == 200 and json.loads(got[2]) == {"a": 1} and got[1]["cache-control"] == "no-store"
    alone.secure(got[1])
    assert not call["background"]
    call, _, _ = alone.asked((0, {}), "/api/v1/status", headers={**COOKIE, "X-FG-Background": "1"})
    assert call["background"]
    call, _, _ = alone.asked((1, {}), "/api/v1/status")
    assert call["means"] == 0 and call["secret"] == bytes(32)
    token = {"Authorization": "Bearer fgt_" + "AAEC" * 10 + "AAA", **COOKIE}
    call, _, _ = alone.asked((0, {}), "/api/v1/status", headers=token)
    assert call["means"] == 2 and call["secret"].hex() == "000102" * 10 + "0000"
    # A token needs no proof of where it comes from, a session does.
    call, _, got = alone.asked((0, {}), "/api/v1/reviews/R-1/reopen", "POST", {**token, "Content-Type": "application/json"})
    assert got[0] == 200 and "etag" not in got[1]
    assert alone.problem("/api/v1/reviews/R-1/reopen", "POST", {**COOKIE, "Content-Type": "application/json"}) == (403, "CSRF")


def test_signed(alone):
    body = json.dumps({"statement": "{\"s\":1}\n", "signature": "-----é"}).encode()
    call, files, got = alone.asked((0, {"ok": True}), "/api/v1/reviews/R-1/submit", "POST", {**JSON, **COOKIE}, body)
    assert (call["request"], call["json"], call["fds"]) == ("review.submit", '{"review":"R-1"}', 2)
    assert files == [b'{"s":1}\n', "-----é".encode()] and got[0] == 200


def test_keys(alone):
    def ask(key, reason):
        headers = {**JSON, **COOKIE, **({"Idempotency-Key": key} if key else {})}
        call, _, _ = alone.asked((0, {}), "/api/v1/reviews/R-1/reject", "POST", headers, json.dumps({"reason": reason}).encode())
        return call["key"], call["asked"]
    first, again, other, more = ask("a", "x"), ask("a", "x"), ask("a", "y"), ask("b", "x")
    assert first == again and first[0] == other[0] != more[0] and first[1] == more[1] != other[1]
    assert ask(None, "x") == (bytes(32), bytes(32))


def test_cookie(alone):
    body = b'{"user":"alice","password":"correct horse"}'
    doc = {"session": {"id": "1", "roles": ["viewer"], "secret": HEX, "user": "alice"}, "x": [1]}
    call, _, (status, heads, answer) = alone.asked((0, doc), "/api/v1/session", "POST", JSON, body)
    assert call["request"] == "session.open" and call["means"] == 0
    assert heads["set-cookie"] == f"__Host-fg={HEX}; Secure; HttpOnly; SameSite=Strict; Path=/"
    assert HEX not in answer.decode()
    del doc["session"]["secret"]
    assert status == 200 and json.loads(answer) == doc
    # Whatever token comes along, a page elsewhere signs nobody in as somebody else.
    token = {"Authorization": "Bearer fgt_" + "AAEC" * 10 + "AAA"}
    assert alone.problem("/api/v1/session", "POST", {**token, "Content-Type": "application/json"}, body) == (403, "CSRF")
    call, _, _ = alone.asked((1, {}), "/api/v1/session", "POST", {**token, **COOKIE, **JSON}, body)
    assert call["means"] == 0 and call["secret"] == bytes(32)
    # Refused, or without a secret, there is none.
    refused = {"error": {"cure": "", "id": "SECOND-FACTOR", "text": "the code is missing"}}
    _, _, (status, heads, answer) = alone.asked((1, refused), "/api/v1/session", "POST", JSON, body)
    assert status == 401 and "set-cookie" not in heads and json.loads(answer)["id"] == "SECOND-FACTOR"
    for broken in ({}, {"session": {}}, {"session": {"secret": HEX[:-1]}}, {"session": {"secret": HEX[:-2] + "\r\n"}}):
        _, _, (status, heads, _) = alone.asked((0, broken), "/api/v1/session", "POST", JSON, body)
        assert status == 503 and "set-cookie" not in heads, broken
    # Elsewhere a secret is a text like others, and never a cookie.
    _, _, (status, heads, _) = alone.asked((0, {"session": {"secret": HEX}}), "/api/v1/session", headers=COOKIE)
    assert status == 200 and "set-cookie" not in heads
    _, _, (status, heads, _) = alone.asked((0, {}), "/api/v1/session", "DELETE", {**JSON, **COOKIE})
    assert status == 200 and heads["set-cookie"].startswith("__Host-fg=; Max-Age=0; Secure; HttpOnly; SameSite=Strict; Path=/")


def test_etags_and_pages(alone):
    _, _, (status, heads, body) = alone.asked((0, {"a": 1, "next": "00ff"}), "/api/v1/modules?limit=2&after=00", headers=COOKIE)
    assert heads["etag"] == f'"{hashlib.sha256(body).hexdigest()}"'
    assert heads["link"] == '</api/v1/modules?after=00ff&limit=2>; rel="next"'
    _, _, (status, heads, body) = alone.asked((0, {"a": 1, "next": "00ff"}), "/api/v1/modules?limit=2&after=00",
                                              headers={**COOKIE, "If-None-Match": heads["etag"]})
    assert status == 304 and body == b"" and "content-length" not in heads
    alone.secure(heads)
    # Not with two of them, which would be refused: empty is replaced too, and one in another spelling makes none.
    for query, link in (("?after=&limit=2", "?after=00ff&limit=2"), ("?limit=2&%61fter=", None)):
        _, _, (status, heads, _) = alone.asked((0, {"next": "00ff"}), "/api/v1/modules" + query, headers=COOKIE)
        assert status == 200 and heads.get("link") == (link and f'</api/v1/modules{link}>; rel="next"')
    for cursor in (None, 7, "a\r\nSet-Cookie: x=y", "\"", "0>; rel=\"x\"", "", "a" * 99):
        _, _, (status, heads, _) = alone.asked((0, {"next": cursor}), "/api/v1/modules", headers=COOKIE)
        assert status == 200 and "link" not in heads and "set-cookie" not in heads
    _, _, (status, heads, body) = alone.asked((0, {"a": 1}), "/api/v1/status", "HEAD", headers=COOKIE)
    assert status == 200 and body == b"" and heads["content-length"] == "7"


def test_large_answers_and_files(alone, tmp_path):
    doc = {"rows": ["x" * 1000] * 3000}
    _, _, (status, _, body) = alone.asked((0, doc), "/api/v1/reviews", headers=COOKIE)
    assert status == 200 and json.loads(body) == doc
    data = os.urandom(3 << 20)
    (tmp_path / "f").write_bytes(data)
    read = lambda: os.open(tmp_path / "f", os.O_RDONLY)
    call, _, (status, heads, body) = alone.asked((0, {}, read()), "/api/v1/audit/files/tile/entries/000.p/3", headers=COOKIE)
    assert call["json"] == '{"name":"tile/entries/000.p/3"}'
    assert status == 200 and body == data and heads["content-type"] == "application/octet-stream"
    _, _, (status, heads, body) = alone.asked((0, {}, read()), "/api/v1/reviews/R-1/report", headers=COOKIE)
    assert body == data and heads["content-type"] == "application/json"
    _, _, (status, heads, body) = alone.asked((0, {}, read()), "/api/v1/audit/files/checkpoint", headers=COOKIE)
    assert heads["content-type"].startswith("text/plain")
    # No file where one belongs, a file where none does, one that cannot be sent.
    assert alone.asked((0, {}), "/api/v1/audit/files/checkpoint", headers=COOKIE)[2][0] == 503
    assert alone.asked((0, {"a": 1}, read()), "/api/v1/status", headers=COOKIE)[2][2] == b'{"a":1}'
    pipe = os.pipe()
    assert alone.asked((0, {}, pipe[0]), "/api/v1/audit/files/checkpoint", headers=COOKIE)[2][0] == 503
    os.close(pipe[1])


def test_long_answers_that_nobody_reads(alone):
    """They are memory of the console's: so much of it, then others wait, and it comes back."""
    fd = memfd(b'{"a":"' + b"x" * ((8 << 20) - 8) + b'"}')
    big = {"status": 0, "big": True, "file": False, "json": ""}
    with contextlib.ExitStack() as stack:
        for n in range(33):
            s = stack.enter_context(alone.connect())
            s.sendall(f"GET /api/v1/reviews HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-fg={HEX}\r\n\r\n".encode())
            _, call, _ = wire.recv(alone.control)
            wire.send(alone.control, "REPLY", {"token": call["token"], **big}, (fd,))
            head = s.recv(20)
            assert head.startswith(b"HTTP/1.1 200" if n < 32 else b"HTTP/1.1 429"), (n, head)
        assert alone.asked((0, {"a": 1}), "/api/v1/status", headers=COOKIE)[2][0] == 200
    doc = {"rows": ["x" * 1000] * 3000}
    until(lambda: alone.asked((0, doc), "/api/v1/reviews", headers=COOKIE)[2][0] == 200)
    os.close(fd)


def test_problems(alone):
    for status, ident, http in ((1, "DENIED", 403), (1, "NOT-FOUND", 404), (1, "STATE", 409), (2, "USAGE", 400), (3, "LOG-AWAY", 503),
                                (1, "LIMIT", 429), (1, "SIGN-IN", 401), (2, "KEY-REUSED", 422)):
        doc = {"error": {"cure": "do so", "id": ident, "text": "because"}}
        _, _, (got, heads, body) = alone.asked((status, doc), "/api/v1/status", headers=COOKIE)
        told = json.loads(body)
        assert got == http == told["status"] and (told["id"], told["cure"], told["detail"]) == (ident, "do so", "because")
        assert ("retry-after" in heads) == (http in (429, 503))


def test_events(alone):
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(alone.connect())
        s.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-fg={HEX}\r\n\r\n".encode())
        _, call, _ = wire.recv(alone.control)
        assert (call["request"], call["json"], call["background"]) == ("audit.head", "{}", True)
        alone.reply(call["token"], 0, {"size": 5})
        data = b""

        def hears(text):
            nonlocal data
            while text not in data:
                more = s.recv(4096)
                assert more, data
                data += more
        hears(b"retry: 2000\n\n")
        head = data.split(b"\r\n\r\n")[0].decode()
        assert "Content-Type: text/event-stream" in head and "Content-Length" not in head and "Content-Security-Policy" in head
        for size in (6, 9):
            wire.send(alone.control, "WEB_LOG", {"size": size})
            hears(b'event: change\nid: %d\ndata: {"log":%d}\n\n' % (size, size))
        # Lost and found: it hears at once what it missed.
        again = stack.enter_context(alone.connect())
        again.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-fg={HEX}\r\nLast-Event-ID: 6\r\n\r\n".encode())
        _, call, _ = wire.recv(alone.control)
        alone.reply(call["token"], 0, {"size": 9})
        s, data = again, b""
        hears(b'data: {"log":9}\n\n')
    # Who may not look at the log does not hear that it grows.
    refused = {"error": {"cure": "", "id": "DENIED", "text": "no"}}
    assert alone.asked((1, refused), "/api/v1/events", headers=COOKIE)[2][0] == 403


def test_control_leaves(alone):
    """Last: who waits is told, and who comes later too."""
    with alone.connect() as s:
        s.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert wire.recv(alone.control)[0] == "WEB_CALL"
        alone.control.close()
        status, heads, body = alone.answer(s)
    assert status == 503 and json.loads(body)["id"] == "COULD-NOT" and heads["retry-after"]
    assert alone.problem("/api/v1/status") == (503, "COULD-NOT")
    assert alone.web("/")[0] == 200
    wire.send(alone.supervisor, "STOP", {"grace_ms": 1000})
    assert alone.process.wait(20) == 0
