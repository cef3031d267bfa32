# SPDX-License-Identifier: Apache-2.0
"""Passkeys from outside: a software authenticator signs in to a whole gateway, over its API, and what the log says of it."""
import hashlib
import json
import os
import struct
import textwrap
import time

import pytest

from gate import until
from passkey import BE, BS, UP, Passkey, b64
from test_accounts import typed
from test_console import JSON, Console, reachable

SITE = "https://localhost:8443"  # where browsers think they are; an authenticator in software says what it likes
LENT, OWN = "seven grey herons wade at dusk", "lantern gravel moss"


@pytest.fixture(scope="module")
def gate():
    g = Console(edges=1, init=("--console", SITE))
    try:
        g.start()
        until(lambda: reachable(g))
        yield g
    finally:
        g.close()


def post(gate, path, body=None, cookie=None):
    """Status, document, cookie that was set."""
    heads = {**JSON, **({"Cookie": f"__Host-fg={cookie}"} if cookie else {})}
    status, got, text = gate.web("/api/v1" + path, "POST", heads, json.dumps(body or {}).encode())
    return status, json.loads(text), got.get("set-cookie", "").partition("__Host-fg=")[2].partition(";")[0]


def sign_in(gate, key, **more):
    status, doc, _ = post(gate, "/session/challenge")
    assert status == 200 and doc["rp_id"] == "localhost" and len(doc["challenge"]) == 64
    return post(gate, "/session/passkey", {**key.show(doc), **more})


def first_hour(gate, name, role, key):
    """From a password that somebody lent to a passkey, and nothing else."""
    typed(gate, "account", "add", name, "--role", role, password=LENT)
    cookie = post(gate, "/session", {"user": name, "password": LENT})[2]
    new = post(gate, f"/accounts/{name}/password", {"old": LENT, "password": OWN}, cookie)[2]
    cookie = new or cookie
    doc = post(gate, "/passkeys/challenge", {"add": True}, cookie)[1]
    status, said, _ = post(gate, "/passkeys", {**key.make(doc), "name": "desk"}, cookie)
    assert status == 200 and said["account"]["passkeys"] == 1 and not said["account"]["password"], said
    assert post(gate, "/passkeys/challenge", {}, cookie)[0] == 401  # that session was a password's


def test_signing_in(gate):
    key = Passkey(gate.dir, "pat", SITE)
    first_hour(gate, "pat", "operator", key)
    status, doc, cookie = sign_in(gate, key)
    assert status == 200 and cookie and doc["session"]["roles"] == ["operator"] and doc["session"]["must"] == []
    assert "secret" not in doc["session"]
    assert gate.cli("session", "list")["sessions"][0]["by"] == "passkey"
    # The password is gone; a session is as any other.
    assert post(gate, "/session", {"user": "pat", "password": OWN})[1]["id"] == "SIGN-IN"
    status, _, text = gate.web("/api/v1/accounts/pat/passkeys", headers={"Cookie": f"__Host-fg={cookie}"})
    shown = json.loads(text)["passkeys"][0]
    assert status == 200 and shown["backup"] == "device-bound" and shown["counter"] == 1 and shown["id"] == key.handle
    # Whoever fails learns one thing, whatever it was.
    said = set()
    eve = Passkey(gate.dir, "eve", SITE)
    eve.handle = key.handle
    said.add(json.dumps(sign_in(gate, eve)[:2]))
    key.flags = UP
    said.add(json.dumps(sign_in(gate, key)[:2]))
    key.flags = UP | 4
    assert len(said) == 1 and '"SIGN-IN"' in said.pop()
    assert sign_in(gate, key)[0] == 200
    ok = [e for e in gate.entries() if e["ev"] == "auth.ok" and e["ref"]["account"] == "pat"]
    assert [e["ref"]["by"] for e in ok] == ["password", "passkey", "passkey"]


def test_for_what_asks_for_a_code(gate):
    """An administrator with a passkey alone: each change takes a touch of its own."""
    key = Passkey(gate.dir, "amy", SITE, UP | 4 | BE | BS)
    first_hour(gate, "amy", "admin", key)
    cookie = sign_in(gate, key)[2]
    body = {"account": "new", "password": LENT, "roles": ["viewer"]}
    assert post(gate, "/accounts", body, cookie)[1]["id"] == "SECOND-FACTOR"
    doc = post(gate, "/passkeys/challenge", {}, cookie)[1]
    shown = key.show(doc, handle=False)
    status, code, _ = post(gate, "/passkeys/fresh", shown, cookie)
    assert status == 200 and len(code["code"]) == 14
    assert post(gate, "/passkeys/fresh", shown, cookie)[1]["id"] == "SIGN-IN"
    assert post(gate, "/accounts", {**body, **{"code": code["code"]}}, cookie)[0] == 200
    assert post(gate, "/accounts/new/enable", {"code": code["code"]}, cookie)[1]["id"] == "SIGN-IN"


def test_a_copy_is_told(gate):
    key = Passkey(gate.dir, "kim", SITE)
    first_hour(gate, "kim", "viewer", key)
    cookie = sign_in(gate, key)[2]
    key.counter = 0
    status, doc, _ = sign_in(gate, key)
    assert doc["id"] == "PASSKEY" and status == 409, doc
    assert gate.web("/api/v1/status", headers={"Cookie": f"__Host-fg={cookie}"})[0] == 401
    assert any(a["id"] == "PASSKEY" for a in gate.cli("status", ok=(0, 3))["alerts"])
    shown = gate.cli("account", "passkeys", "kim")["passkeys"][0]
    assert shown["suspended"] and shown["counter"] == 1
    gate.cli("account", "passkey-remove", shown["id"])
    assert not any(a["id"] == "PASSKEY" for a in gate.cli("status", ok=(0, 3))["alerts"])
    assert gate.cli("account", "passkeys", "kim") == {"passkeys": []}
    told = next(e for e in gate.entries() if e.get("ref", {}).get("change") == "passkey suspended")
    assert told["ref"]["counter"] == 1 and told["ref"]["counter.before"] == 1 and told["obj"] == "account:kim"
    gate.verify()


# ---- approving: what an authenticator says beside its signature ----

def armoured(key, statement):
    """PROTOCOL.sshsig: that passkey's signature under a statement, in the form that ssh-keygen -Y verify reads."""
    blob = lambda *parts: struct.pack(">I", len(b"".join(parts))) + b"".join(parts)
    kind, site = b"sk-ecdsa-sha2-nistp256@openssh.com", key.rp.encode()
    digest = hashlib.sha512(statement.encode()).digest()
    head = blob(b"fotagate-approval@v1") + blob() + blob(b"sha512")
    auth, client, der = key.sign(b"SSHSIG" + head + blob(digest))
    r_n = der[3]
    r, s = der[4:4 + r_n], der[6 + r_n:]
    signature = blob(b"webauthn-" + kind) + blob(blob(r), blob(s)) + auth[32:37] + blob(key.origin.encode()) + blob(client) + blob()
    whole = b"SSHSIG\0\0\0\1" + blob(public(key, blob)) + head + blob(signature)
    lines = textwrap.wrap(b64(whole), 70)
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


def public(key, blob):
    return blob(b"sk-ecdsa-sha2-nistp256@openssh.com") + blob(b"nistp256") + blob(key.point) + blob(key.rp.encode())


def take_in(gate, *keys):
    """alice's passkeys, into the set of who may sign."""
    blob = lambda part: struct.pack(">I", len(part)) + part
    args, people = [], os.path.join(gate.root, "people")
    for n, key in enumerate(keys):
        path = os.path.join(gate.dir, f"key{n}.pub")
        with open(path, "w") as f:
            f.write(f"sk-ecdsa-sha2-nistp256@openssh.com {b64(public(key, blob))} alice\n")
        args += ["--add", "alice@demo.invalid", path]
    gate.cli("people", "propose", *args, "--sign", os.path.join(people, "alice"))
    proposal = gate.cli("people", "list")["proposals"][0]["sha256"]
    assert gate.cli("people", "propose", "--proposal", proposal, "--sign", os.path.join(people, "bob"))["state"] == "in-force"


def approve(gate, review, key, *options, ok=(0,)):
    """alice signs with that passkey; what the gateway said."""
    out = os.path.join(gate.dir, f"{review}.{time.monotonic_ns()}")
    gate.cli("review", "statement", review, "--approver", "alice@demo.invalid", "--reason", "read the report, looks right", "-o", out,
             *options)
    with open(out + ".sig", "w") as f:
        f.write(armoured(key, open(out).read()))
    return gate.cli("review", "submit", review, out, out + ".sig", ok=ok)


def signed(gate, review):
    return [e["ref"] for e in gate.entries() if e["ev"] == "approval.signed" and e["obj"] == review]


def test_what_the_authenticator_says(gate):
    """Backup and counter stand in the entry; one that went back is told there and takes nothing away."""
    own, copied = Passkey(gate.dir, "own", SITE), Passkey(gate.dir, "copied", SITE, UP | 4 | BE | BS)
    take_in(gate, own, copied)
    own.counter = 40
    for version, counter in (("1.1.0", 41), ("1.2.0", 7)):
        gate.offer(version)
        gate.ask(version=version)
    gate.review(1)
    gate.review(2)
    approve(gate, "R-1", own)
    own.counter = 6
    approve(gate, "R-2", own)
    (first,), (second,) = signed(gate, "R-1"), signed(gate, "R-2")
    assert first["backup"] == "device-bound" and first["counter"] == 41 and "warning" not in first
    assert second["counter"] == 7 and second["counter.before"] == 41 and second["warning"] == "the key's counter went back"
    assert [s["backup"] for s in gate.cli("review", "show", "R-1")["statements"]] == ["device-bound"]


def test_copies_are_for_canaries(gate):
    """Where the configuration says so: what can be copied signs for no more modules than a canary's number of persons decides."""
    own, copied = Passkey(gate.dir, "own2", SITE), Passkey(gate.dir, "copied2", SITE, UP | 4 | BE)
    take_in(gate, own, copied)
    gate.set("synced_passkeys = false;")
    gate.cli("reload")
    for version in ("1.3.0", "1.4.0"):
        gate.offer(version)
        gate.ask(version=version)
    gate.review(3)
    gate.review(4)
    many = ("--max-devices", "1000")
    said = approve(gate, "R-3", copied, *many, ok=(1,))
    assert "synced_passkeys" in json.dumps(said) and not signed(gate, "R-3"), said
    approve(gate, "R-3", own, *many)
    approve(gate, "R-4", copied, "--max-devices", "50")
    assert signed(gate, "R-3")[0]["backup"] == "device-bound" and signed(gate, "R-4")[0]["backup"] == "can-be-backed-up"
    gate.verify()
