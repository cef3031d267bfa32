# SPDX-License-Identifier: Apache-2.0
"""Passkeys from outside: a software authenticator signs in to a whole gateway, over its API, and what the log says of it."""
import json

import pytest

from gate import until
from passkey import BE, BS, UP, Passkey
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
    assert doc["id"] == "PASSKEY" and status == 403, doc
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
