# SPDX-License-Identifier: Apache-2.0
"""The console from outside: where it is, whose accounts it has, and its API as a program would ask it."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl
import struct
import subprocess
import time

import world  # noqa: F401: it knows where tests/integration lies
import wire
from gate import free_port, until

LENT, PASSWORD = "lent by whoever made it", "seven grey herons wade at dusk"


def totp(secret, ahead=0):
    """RFC 6238: six digits of now, or of so many steps of 30 seconds later."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30 + ahead), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 10**6:06d}"


class Refused(Exception):
    def __init__(self, status, doc):
        super().__init__(f"{status} {doc}")
        self.status, self.doc = status, doc


class Console:
    """prepare() before the gateway starts, start() after it."""

    def __init__(self, gate):
        self.gate, self.url = gate, None

    def prepare(self):
        """A certificate for localhost, and the section of the configuration."""
        keys = os.path.join(self.gate.root, "keys")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        "console.key", "-out", "console.pem", "-days", "30", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost"], check=True, capture_output=True, cwd=keys)
        self.port = free_port()
        self.gate.set(f'console = {{ address = "127.0.0.1"; port = {self.port}; cert = "console.pem"; key = "console.key"; }};')
        self.url = f"https://localhost:{self.port}"

    def start(self):
        """Waits until it answers."""
        def there():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        until(there)

    def control(self, request, args):
        """What root asks of control directly, as fotagate(1) does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(os.path.join(self.gate.root, "run", "control.sock"))
            wire.send(s, "CALL", {"token": 1, "request": request, "fds": 0,
                                  "json": json.dumps(args, sort_keys=True, separators=(",", ":"))})
            _, reply, _ = wire.recv(s)
        doc = json.loads(reply["json"])
        assert reply["status"] == 0, doc
        return doc

    def add(self, name, roles, principal=""):
        """An account whose password is not its owner's yet."""
        args = {"account": name, "password": LENT, "roles": roles}
        self.control("account.add", {**args, "principal": principal} if principal else args)

    def setup_code(self):
        return self.control("setup.code", {})["code"]

    def ask(self, method, path, body=None, cookie=None, headers=None):
        """(document, cookie that it set or None); Refused with what it said."""
        c = http.client.HTTPSConnection(self.url.split("/")[2], timeout=30, context=ssl._create_unverified_context())
        head = {"X-FG-CSRF": "1", "Content-Type": "application/json", "Origin": self.url, **(headers or {})}
        if cookie:
            head["Cookie"] = f"__Host-fg={cookie}"
        try:
            c.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, head)
            r = c.getresponse()
            text = r.read()
        finally:
            c.close()
        doc = json.loads(text) if text else {}
        if r.status >= 400:
            raise Refused(r.status, doc)
        new = (r.getheader("Set-Cookie") or "").partition("__Host-fg=")[2].partition(";")[0]
        return doc, new or None

    def enrol(self, name):
        """The account's first hour, by the API: a password and a second factor of its own. Its secret."""
        _, cookie = self.ask("POST", "/session", {"user": name, "password": LENT})
        _, new = self.ask("POST", f"/accounts/{name}/password", {"old": LENT, "password": PASSWORD}, cookie)
        secret = self.ask("POST", f"/accounts/{name}/totp", {}, new or cookie)[0]["secret"]
        self.ask("POST", f"/accounts/{name}/totp", {"code": totp(secret)}, new or cookie)
        return secret

    def session(self, name, roles, principal=""):
        """Somebody new, signed in: their cookie. A code is good once, so that each of them signs in once."""
        self.add(name, roles, principal)
        secret = self.enrol(name)
        return self.ask("POST", "/session", {"user": name, "password": PASSWORD, "code": totp(secret, 1)})[1]
