# SPDX-License-Identifier: Apache-2.0
"""The console from outside, before anybody has signed in: a whole gateway, stock curl and raw TLS.

What a session may is in test_sessions; here is what holds for whoever comes: heads, pages,
refusals, the table of routes as it is served, slow and broken clients, a console that is not ours.
"""
import contextlib
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess

import pytest

import wire
from gate import BIN, SRC, Gate, free_port, until

SECURITY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                               "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
JSON = {"Content-Type": "application/json", "X-FG-CSRF": "1"}


class Console(Gate):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.web_port = free_port()
        self.certificate("localhost", "DNS:localhost,IP:127.0.0.1")
        self.set(f'console = {{ address = "127.0.0.1"; port = {self.web_port}; cert = "web.crt"; key = "web.key"; }};')

    def certificate(self, name, names):
        keys = os.path.join(self.root, "keys")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                        "-keyout", f"{keys}/web.key", "-out", f"{keys}/web.crt", "-subj", f"/CN={name}", "-addext",
                        f"subjectAltName={names}"], check=True, capture_output=True)
        os.chmod(f"{keys}/web.key", 0o600)

    def connect(self, source="127.0.0.1"):
        raw = socket.create_connection(("127.0.0.1", self.web_port), timeout=20, source_address=(source, 0))
        context = ssl.create_default_context(cafile=os.path.join(self.root, "keys/web.crt"))
        return context.wrap_socket(raw, server_hostname="localhost")

    def talk(self, data, **kw):
        """Raw bytes there, and all that comes back until the end: status, heads, body."""
        with self.connect(**kw) as s:
            s.sendall(data)
            return self.answer(s)

    @staticmethod
    def answer(s):
        data = b""
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                return None if not data else (data, {}, b"")
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        heads = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        status = int(lines[0].split()[1])
        while status not in (204, 304) and len(body) < int(heads.get("content-length", 0)):
            more = s.recv(65536)
            if not more:
                break
            body += more
        return status, heads, body

    def web(self, target, method="GET", headers=None, body=b"", host=None, **kw):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'localhost:{self.web_port}'}", "Connection: close"]
        lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
        if body or method not in ("GET", "HEAD"):
            lines.append(f"Content-Length: {len(body)}")
        return self.talk("\r\n".join(lines).encode() + b"\r\n\r\n" + body, **kw)

    def problem(self, *args, **kw):
        """An answer that is a problem: its status and id."""
        status, heads, body = self.web(*args, **kw)
        assert heads["content-type"] == "application/problem+json", (status, heads, body)
        told = json.loads(body)
        assert set(told) == {"type", "title", "status", "detail", "id", "cure"} and told["status"] == status
        self.secure(heads)
        return status, told["id"]

    @staticmethod
    def secure(heads):
        for key, value in SECURITY.items():
            assert heads[key] == value
        assert int(heads["strict-transport-security"].split("=")[1]) >= 31536000
        assert "access-control-allow-origin" not in heads


@pytest.fixture(scope="module")
def console():
    gate = Console(edges=1)
    try:
        gate.start()
        until(lambda: "console" in gate.roles())
        until(lambda: reachable(gate))
        yield gate
    finally:
        gate.close()


def test_pages(console):
    status, heads, body = console.web("/")
    assert status == 200 and heads["content-type"] == "text/html; charset=utf-8"
    console.secure(heads)
    assert heads["etag"] == f'"{hashlib.sha256(body).hexdigest()}"' and heads["cache-control"] == "no-cache"
    for same in ("/index.html", "/reviews/R-1", "/modules/imei:1"):
        assert console.web(same)[2] == body
    assert console.web("/", headers={"If-None-Match": heads["etag"]})[0] == 304
    status, heads, body = console.web("/", method="HEAD")
    assert status == 200 and body == b"" and int(heads["content-length"]) > 0
    for none in ("/x.js", "/../keys/web.key", "/%2e%2e/keys/web.key", "/..%2fkeys%2fweb.key", "//etc/passwd", "/.git/config",
                 "/favicon.ico", "/keys/web.key", "/data/state/state.db"):
        assert console.problem(none) == (404, "NOT-FOUND"), none
    assert console.problem("/", method="POST") == (405, "METHOD")


def test_stock_client(console):
    """curl judges the certificate, and speaks HTTPS only."""
    curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{ssl_verify_result}", "--max-time", "20", "--cacert",
            os.path.join(console.root, "keys/web.crt")]
    run = lambda url, *a: subprocess.run([*curl, *a, url], capture_output=True, text=True)
    assert run(f"https://localhost:{console.web_port}/").stdout == "200 0"
    assert run(f"https://127.0.0.1:{console.web_port}/api/v1/status").stdout == "401 0"
    assert run(f"http://localhost:{console.web_port}/").stdout.startswith("000")
    assert run(f"https://localhost:{console.web_port}/", "--tls-max", "1.1").returncode != 0


def test_host_is_its_certificates(console):
    """A name that resolves here and is not ours is not answered: no page of another's can call us by it."""
    for good in ("localhost", f"127.0.0.1:{console.web_port}", "LOCALHOST"):
        assert console.web("/", host=good)[0] == 200
    for bad in ("evil.example", "evil.example:8443", "localhost.evil.example", "127.0.0.2", "[::1]"):
        assert console.problem("/", host=bad) == (421, "HOST"), bad
        assert console.problem("/api/v1/status", host=bad) == (421, "HOST")


def test_guest_and_forged_secrets(console):
    assert console.problem("/api/v1/status") == (401, "SIGN-IN")
    for headers in ({"Cookie": "__Host-fg=" + "0" * 64}, {"Cookie": "__Host-fg=x"}, {"Authorization": "Bearer fgt_x"},
                    {"Authorization": "Bearer fgt_" + "A" * 43}, {"Authorization": "Basic YTpi"}):
        status, heads, _ = console.web("/api/v1/status", headers=headers)
        assert status == 401 and heads["www-authenticate"] == "Bearer" and heads["cache-control"] == "no-store", headers
    assert console.problem("/api/v1/reviews/R-1/reject", "POST", JSON, b'{"reason":"a guest says so"}') == (401, "SIGN-IN")
    assert console.problem("/api/v1/events") == (401, "SIGN-IN")


def test_whatever_the_console_can_the_command_line_can(console):
    """Each request of the API's is one that fotagate(1) makes, but for those by which a browser is somebody."""
    browsers = {"session.open", "session.sso", "session.show", "session.close", "setup.open", "session.challenge", "session.passkey",
                "passkey.challenge", "passkey.add", "passkey.fresh"}  # here the kernel says who asks, and no authenticator answers
    alone = {"policy.whatif"}  # fotagate policy whatif needs no gateway for it
    with open(os.path.join(BIN, "fotagate"), "rb") as f:
        program = f.read()
    served = json.loads(console.web("/api/v1/openapi.json")[2])["paths"]
    asked = {o["operationId"] for operations in served.values() for o in operations.values()}
    assert {a for a in asked if a.encode() + b"\0" not in program} == browsers | alone  # linkers share ends of texts
    assert "whatif" in console.tool("fotagate", "policy", "--help", ok=(0, 2)).stdout + \
        console.tool("fotagate", "policy", "--help", ok=(0, 2)).stderr


def test_csrf(console):
    where = f"https://localhost:{console.web_port}"
    body = b'{"user":"alice","password":"x"}'
    ok = {**JSON, "Origin": where, "Sec-Fetch-Site": "same-origin"}
    assert console.web("/api/v1/session", "POST", ok, body)[0] != 403
    for change in ({"X-FG-CSRF": None}, {"X-FG-CSRF": "0"}, {"Origin": "https://evil.example"}, {"Origin": "null"},
                   {"Origin": where.replace("https", "http")}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}):
        headers = {k: v for k, v in {**ok, **change}.items() if v is not None}
        assert console.problem("/api/v1/session", "POST", headers, body) == (403, "CSRF"), change
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert console.problem("/api/v1/session", "POST", {**ok, "Content-Type": kind}, body) == (415, "MEDIA-TYPE")
    status, heads, _ = console.web("/api/v1/session", "OPTIONS", {"Origin": "https://evil.example",
                                                                  "Access-Control-Request-Method": "POST"})
    assert status == 405 and not [k for k in heads if k.startswith("access-control")]


def test_forced_browsing(console):
    """What is not in the table is not there, whoever asks."""
    for path in ("/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/status", "/api/v1/backup", "/api/v1/reviews/R-1/approve",
                 "/api/v1/status/", "/api/v1//status", "/api/v1/keys", "/api/v1/state.db"):
        assert console.problem(path)[0] == 404, path
    for path in ("/api/v1/audit/files/../state/state.db", "/api/v1/audit/files/%2e%2e/x", "/api/v1/reviews/a%2fb",
                 "/api/v1/reviews/%00", "/api/v1/reviews/%ff"):
        assert console.problem(path) == (400, "USAGE"), path
    for query in ("state=a&state=b", "unheard=1", "after=x", "state"):
        assert console.problem("/api/v1/reviews?" + query) == (400, "USAGE"), query


def test_bodies(console):
    post = lambda body, path="/api/v1/refusals": console.problem(path, "POST", JSON, body)
    for body in (b"[]", b"{", b"{}{}", b'{"a":1,"a":2}', b'{"a":1.5}', b'{"A":1}', b"\xff", b'{"a":"\xff"}', b"[" * 5000,
                 b'{"a":' * 100 + b"1" + b"}" * 100, json.dumps({f"a{chr(97 + i)}": 1 for i in range(25)}).encode()):
        assert post(body) == (400, "USAGE"), body[:40]
    assert post(b'{"statement":"x"}', "/api/v1/people/submit") == (400, "USAGE")
    assert post(json.dumps({"a": "x" * 60000}).encode()) == (413, "TOO-LONG")
    big = json.dumps({"statement": "{" + "s" * 32000 + "}", "signature": "s" * 16000}).encode()
    assert post(big, "/api/v1/people/submit") == (401, "SIGN-IN")
    # Beyond the limit it is not read, and is no empty one either; in chunks the engine notices.
    assert console.problem("/api/v1/refusals", "POST", JSON, b"x" * 65537) == (413, "TOO-LONG")
    chunk = b"4000\r\n" + b"x" * 16384 + b"\r\n"
    status, heads, _ = console.talk(b"POST /api/v1/refusals HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    + chunk * 5 + b"0\r\n\r\n")
    assert status == 413
    console.secure(heads)


def test_openapi_is_the_table(console):
    status, heads, body = console.web("/api/v1/openapi.json")
    assert status == 200 and heads["content-type"] == "application/json"
    doc = json.loads(body)
    assert doc["openapi"].startswith("3.1") and len(doc["paths"]) > 50
    assert set(doc["components"]["schemas"]["Problem"]["required"]) == {"type", "title", "status", "detail", "id", "cure"}
    with console.connect() as s:
        for path, operations in doc["paths"].items():
            at = doc["servers"][0]["url"] + path
            names = [p["name"] for p in next(iter(operations.values()))["parameters"] if p["in"] == "path"]
            assert names == [n.split("}")[0] for n in path.split("{")[1:]]
            for n in names:
                at = at.replace("{" + n + "}", "1")
            for method in ("get", "post", "delete", "put", "patch"):
                s.sendall(f"{method.upper()} {at} HTTP/1.1\r\nHost: localhost\r\nX-FG-CSRF: 1\r\nContent-Type: application/json\r\n"
                          "Content-Length: 0\r\n\r\n".encode())
                status, heads, answer = console.answer(s)
                told = json.loads(answer)
                if method not in operations:
                    assert status == 405 and {m.lower() for m in heads["allow"].split(", ")} - {"head"} == set(operations), at
                    continue
                operation = operations[method]
                assert set(operation) >= {"operationId", "parameters", "responses", "security", "summary"}
                if operation["operationId"] == "session.challenge":  # which whoever signs in asks for with nothing in hand
                    assert status == 200 and set(told) == {"challenge", "rp_id", "seconds"}
                    continue
                # It exists, and asks who is there; a body that must be there, or control's own row, is missed first.
                assert status in (401, 400, 404) and told["id"] in ("SIGN-IN", "USAGE", "UNKNOWN-REQUEST"), (at, method, told)


def test_slow_clients_and_many(console):
    """Who dribbles holds up nobody; a thousand connections stand side by side."""
    slow = []
    for _ in range(20):
        s = console.connect("127.0.0.3")
        s.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        slow.append(s)
    context = ssl.create_default_context(cafile=os.path.join(console.root, "keys/web.crt"))
    many = []
    with contextlib.ExitStack() as stack:
        for i in range(1000):
            raw = socket.create_connection(("127.0.0.1", console.web_port), timeout=30, source_address=(f"127.0.1.{i % 5 + 1}", 0))
            many.append(stack.enter_context(context.wrap_socket(raw, server_hostname="localhost")))
        for s in many:
            s.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answers = [console.answer(s) for s in many]
        assert {a[0] for a in answers} <= {401, 429}
        assert sum(a[0] == 401 for a in answers) >= 100
        for s in many:  # each on the connection it has
            s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert {console.answer(s)[0] for s in many} == {200}
    for s in slow:
        s.close()


def local(gate, request, args):
    """One call on control.sock, as who runs this: status and document."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(os.path.join(gate.root, "run/control.sock"))
        wire.send(s, "CALL", {"token": 1, "request": request, "fds": 0, "json": json.dumps(args, sort_keys=True)})
        _, msg, fds = wire.recv(s)
        assert not fds
        return msg["status"], json.loads(msg["json"])


@pytest.fixture(scope="module")
def token(console):
    """Heads of a machine that may view and operate."""
    if local(console, "token.list", {})[1].get("error", {}).get("id") == "UNKNOWN-REQUEST":
        pytest.skip("this gateway has no accounts")
    account = {"account": "probe", "password": "a long enough pass phrase", "roles": ["operator"]}
    status, told = local(console, "account.add", account)
    assert status == 0, told
    status, told = local(console, "token.create", {"account": "probe", "name": "story", "scopes": ["view", "operate"]})
    assert status == 0, told
    return {"Authorization": "Bearer " + re.search(r"fgt_[A-Za-z0-9_-]{43}", json.dumps(told)).group(0),
            "Content-Type": "application/json"}


def test_token_views(console, token):
    """Every view that names nothing, and again with its ETag."""
    doc = json.loads(console.web("/api/v1/openapi.json")[2])
    seen = 0
    for path, operations in doc["paths"].items():
        if "get" not in operations or "{" in path or operations["get"]["operationId"] in ("session.list", "account.list", "token.list",
                                                                                                "policy.show"):
            continue  # the last: not signed here
        seen += 1
        status, heads, body = console.web("/api/v1" + path, headers=token)
        assert status == 200 and heads["content-type"] == "application/json", (path, status, body)
        json.loads(body)
        if operations["get"]["operationId"] not in ("status", "session.show"):  # they say what time it is
            assert console.web("/api/v1" + path, headers={**token, "If-None-Match": heads["etag"]})[0] == 304, path
    assert seen > 10
    assert console.web("/api/v1/audit/files/checkpoint", headers=token)[0] == 200
    assert console.problem("/api/v1/reviews/R-7", headers=token) == (404, "NOT-FOUND")


def test_papers_of_the_authority(console, token):
    """By number, as they lie in its folder; signatures one after the other."""
    authority = os.path.join(console.root, "data/authority")
    got = lambda kind, number: console.web(f"/api/v1/files/{kind}?number={number}", headers=token)
    status, _, body = got("signers-signatures", 0)
    sigs = [open(os.path.join(authority, f"genesis.sig.{n}"), "rb").read() for n in range(2)]
    assert status == 200 and body == b"".join(sigs) and not os.path.exists(os.path.join(authority, "genesis.sig.2"))
    for kind in ("signers", "signers-signatures", "policy-set", "policy-set-signatures"):
        for number in (*((0,) if kind != "signers-signatures" else ()), 1, 2**32 - 1, 2**32, 2**52):
            assert got(kind, number)[0] == 404, (kind, number)
        assert console.web(f"/api/v1/files/{kind}", headers=token)[0] == 404
    assert console.web("/export/VERIFY.md")[2] == open(os.path.join(SRC, "gateway/audit/VERIFY.md"), "rb").read()
    names = json.loads(console.web("/export/names.json")[2])
    assert sorted(names) == sorted(n for n in os.listdir(os.path.join(SRC, "gateway/audit")) if n == "VERIFY.md" or n.endswith("40.py"))
    assert console.web("/export/verify40.py")[1]["content-type"] == "text/plain; charset=utf-8"
    assert console.problem("/export/more.py") == (404, "NOT-FOUND")


def test_token_permits_nothing(console, token):
    """Not even with somebody's signature in hand."""
    body = json.dumps({"statement": "{}", "signature": "x"}).encode()
    for path in ("/api/v1/reviews/R-1/submit", "/api/v1/people/submit", "/api/v1/resume/submit", "/api/v1/continue/submit",
                 "/api/v1/standing/S-1/submit", "/api/v1/policy/submit"):
        assert console.problem(path, "POST", token, body) == (403, "DENIED"), path
    assert console.problem("/api/v1/privacy/erase", "POST", token, b'{"reason":"because","before":1}') == (403, "DENIED")


def test_idempotency_and_events(console, token):
    refuse = lambda key, value, headers=token: console.web(
        "/api/v1/refusals", "POST", {**headers, "Idempotency-Key": key},
        json.dumps({"reason": "it was withdrawn", "kind": "digest", "value": value * 64}).encode())
    count = lambda: len(json.loads(console.web("/api/v1/refusals", headers=token)[2])["refusals"])
    with console.connect() as s:
        s.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token['Authorization']}\r\n\r\n".encode())
        data = b""
        while b"retry: " not in data:
            data += s.recv(4096)
        first = refuse("k1", "a")
        assert first[0] == 200, first
        assert count() == 1
        while b"event: change" not in data:
            data += s.recv(4096)
    assert refuse("k1", "a")[2] == first[2] and count() == 1
    status, _, body = refuse("k1", "b")
    assert (status, json.loads(body)["id"]) == (422, "KEY-REUSED")
    assert count() == 1


def test_broken_requests(console):
    for data in (b"GET / HTTP/1.1\nHost: localhost\n\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                 b"GET / HTTP/1.1\r\n\r\n", b"GET http://localhost/a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"):
        answer = console.talk(data)
        assert answer is None or answer[0] in (400, 501), data


def test_away_and_back(console):
    """Killed, it is started again, and the gateway has gone on without it; a renewed certificate is taken by a reload."""
    pid = console.kill_role("console")
    assert console.up()
    until(lambda: console.cli("status")["console"])
    until(lambda: console.roles().get("console") not in (None, pid))
    until(lambda: reachable(console))
    console.certificate("localhost", "DNS:localhost,IP:127.0.0.1,DNS:renewed.example")
    console.process.send_signal(1)
    until(lambda: reachable(console, "renewed.example"))
    # Without control it says so, and does not hang.
    console.kill_role("control")
    status, told = console.problem("/api/v1/status")
    assert (status, told) in ((503, "COULD-NOT"), (401, "SIGN-IN"))
    until(lambda: console.problem("/api/v1/status") == (401, "SIGN-IN"))


def test_checked_before(console):
    """fotagated -n, and a reload, say what is wrong with the certificate; the one in force stays."""
    check = lambda: subprocess.run([*console.command(), "-n"], capture_output=True, text=True, timeout=60)
    assert check().returncode == 0
    name = os.path.join(console.root, "keys/web.key")
    key = open(name).read()
    with open(name, "w") as f:
        f.write("no key\n")
    done = check()
    assert done.returncode == 1 and "console: " in done.stderr
    console.process.send_signal(1)
    until(lambda: "the console keeps its certificate as it was" in open(console.log).read())
    assert reachable(console)
    with open(name, "w") as f:
        f.write(key)


def reachable(console, host="localhost"):
    try:
        return console.web("/", host=host)[0] == 200
    except OSError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to reach into another process")
def test_taken_over(console):
    """Its channel in somebody else's hands: no unix account, no statement of its own, nobody's session."""
    from test_taken_over import Taken, memfd
    before = len(console.entries())
    taken = Taken(console, "console")
    assert set(taken.channel) == {"supervisor", "control"}
    peer = b"\0" * 10 + b"\xff\xff\x7f\0\0\1"
    call = lambda token, means, request, args, fds=(), via=0, person=0: wire.send(taken.channel["control"], "WEB_CALL", {
        "token": token, "means": means, "background": False, "secret": bytes([7] * 32), "peer": peer, "key": bytes(32), "asked": bytes(32),
        "via": via, "via_uid": 0, "via_key": bytes(32), "person": bytes([person] * 32),
        "request": request, "fds": len(fds), "json": json.dumps(args)}, fds)
    asked = [("status", {}, 0), ("people.submit", {}, 2), ("review.submit", {}, 2), ("resume.submit", {}, 2),
             ("review.reject", {"review": "R-1", "reason": "because it can"}, 0), ("backup.state", {}, 0),
             ("privacy.erase", {"reason": "because it can", "before": 1}, 0)]
    for token, (request, args, n) in enumerate(asked, 1):
        for means in (0, 1, 2):
            fds = tuple(memfd(b"{}") for _ in range(n))
            call(token * 10 + means, means, request, args, fds)
            for fd in fds:
                os.close(fd)
    told = {}
    while len(told) < 3 * len(asked):
        name, msg, fds = wire.recv(taken.channel["control"])
        assert not fds
        if name == "REPLY":
            told[msg["token"]] = (msg["status"], json.loads(msg["json"])["error"]["id"])
    assert set(told.values()) == {(1, "SIGN-IN")}, told
    # Nor is it a front: none is configured, whatever it says of a connection.
    for token, (via, person) in enumerate(((0, 7), (1, 0), (1, 7), (2, 7)), 1000):
        call(token, 0, "session.sso", {"issuer": "https://id.example", "subject": "a-1", "amr": "mfa"}, via=via, person=person)
        while (got := wire.recv(taken.channel["control"]))[0] != "REPLY":
            pass
        assert (got[1]["token"], got[1]["status"], json.loads(got[1]["json"])["error"]["id"]) == (token, 1, "FRONT")
    # It cannot even spell a unix account: the channel is gone, and that is an incident.
    call(99, 3, "status", {})
    assert until(lambda: closed(taken.channel["control"]))
    taken.release()
    until(lambda: reachable(console))
    new = console.entries()[before:]
    assert not [e for e in new if e["ev"].startswith(("approval.", "release.", "authority.", "restrict."))]
    assert any("console" in line and "contract" in line for line in open(console.log)), "an incident is in the journal"


def closed(s):
    try:
        return wire.recv(s, 1) is None
    except (TimeoutError, socket.timeout):
        return False
