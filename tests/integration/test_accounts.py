# SPDX-License-Identifier: Apache-2.0
"""Accounts, sessions and tokens from the machine itself: what the console's people are made of."""
import os
import socket
import subprocess

from gate import BIN, until
import wire

PASSWORD = "kettle orbit fjord"


def typed(gate, *args, password=PASSWORD, ok=(0,)):
    """A verb that reads a password from standard input."""
    done = subprocess.run([os.path.join(BIN, "fotagate"), "-C", os.path.join(gate.root, "run"), *args, "--json"],
                          input=password + "\n", capture_output=True, text=True, timeout=60)
    assert done.returncode in ok, (args, done)
    return done.stdout


def state(gate, name):
    return next(a for a in gate.cli("account", "list")["accounts"] if a["account"] == name)


def test_accounts_and_tokens(gate):
    gate.start()
    assert gate.cli("account", "list") == {"accounts": []}
    first, second = (gate.cli("console", "setup-code")["code"] for _ in range(2))
    assert first != second and len(first) == 27
    # Nobody of this machine is a guest of the console, root neither.
    for request in ("setup.open", "session.open"):
        said = raw(gate, request, '{"code":"%s","password":"%s","user":"eve"}' % (second, PASSWORD))
        assert '"id":"DENIED"' in said, said
    for password in ("short", "password1234", "x" * 129):
        assert "PASSWORD" in typed(gate, "account", "add", "ann", "--role", "operator", password=password, ok=(1,))
    assert "SEPARATION" in typed(gate, "account", "add", "ann", "--role", "admin", "--role", "approver", ok=(1,))
    typed(gate, "account", "add", "ann", "--role", "operator", "--role", "viewer", "--principal", "alice@demo.invalid")
    assert "EXISTS" in typed(gate, "account", "add", "ann", "--role", "viewer", ok=(1,))
    a = state(gate, "ann")
    assert a["roles"] == ["viewer", "operator"] and not a["totp"] and a["lent"] and not a["disabled"]
    assert PASSWORD not in str(a) and "scrypt" not in str(a)
    secret = gate.cli("token", "create", "nightly", "--account", "ann", "--scope", "view", "--days", "7")["token"]
    assert secret["token"].startswith("fgt_") and len(secret["token"]) == 47
    gate.cli("token", "create", "more", "--account", "ann", "--scope", "audit", ok=(1,))
    other = gate.cli("token", "create", "other", "--account", "ann", "--scope", "operate")["token"]
    gate.cli("token", "revoke", other["id"], "--reason", "not needed")
    gate.cli("account", "roles", "ann", "--role", "auditor")
    typed(gate, "account", "password", "ann", password="lantern gravel moss")
    gate.cli("account", "totp", "ann")
    assert gate.cli("session", "list") == {"sessions": []}
    gate.cli("session", "end", "00" * 16, ok=(1,))
    # What takes away works without the log; what gives does not.
    with gate.without("audit"):
        until(lambda: gate.cli("status").get("permitting") is not True)
        gate.cli("account", "disable", "ann", "--reason", "left")
        gate.cli("account", "enable", "ann", ok=(3,))
        assert state(gate, "ann")["disabled"]
    until(lambda: gate.cli("status").get("permitting"))
    tokens = {t["name"]: t for t in gate.cli("token", "list")["tokens"]}
    assert {n: t["state"] for n, t in tokens.items()} == {"nightly": "revoked", "other": "revoked"}
    assert not any("token" in t for t in tokens.values())
    gate.cli("account", "enable", "ann")
    entries = gate.entries()
    assert [e["ref"]["change"] for e in entries if e["ev"] == "account.changed"] == [
        "set-up code", "set-up code", "added", "roles", "password", "second factor taken off", "disabled", "enabled"]
    assert [e["ev"] for e in entries if e["ev"].startswith("token.")] == ["token.created", "token.created", "token.revoked"]
    # No secret is anywhere but where it was shown.
    kept = subprocess.run(["grep", "-rlaF", "-e", PASSWORD, "-e", secret["token"], "-e", second, "-e", second.replace("-", ""),
                           os.path.join(gate.root, "data")], capture_output=True, text=True)
    assert kept.returncode == 1, kept.stdout
    gate.stop()
    gate.start()
    assert state(gate, "ann")["roles"] == ["auditor"]
    gate.verify()


def raw(gate, request, args):
    """What control.sock answers, without the command line between: token, name, no descriptors, arguments."""
    texts = [t.encode() for t in (request, args)]
    body = [len(t).to_bytes(4, "big") + t for t in texts]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(20)
        s.connect(os.path.join(gate.root, "run/control.sock"))
        s.sendall(bytes([wire.VERSION, 0]) + wire.TYPE["CALL"].to_bytes(2, "big") + (7).to_bytes(8, "big") + body[0] +
                  bytes(4) + body[1])
        return s.recv(wire.FRAME_MAX).decode("latin-1")
