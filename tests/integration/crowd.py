# SPDX-License-Identifier: Apache-2.0
"""People of the console by the hundred, and lists that grew for years: rows written where control keeps them.

Signing in takes a fifth of a second of scrypt each, and is shown where it is the matter (test_accounts,
tests/browser). What is written here is what signing in leaves: of each secret its SHA-256 alone.
"""
import hashlib
import os
import secrets
import sqlite3
import time

ROLE = {"viewer": 1, "operator": 2, "approver": 4, "admin": 8, "auditor": 16}
HOSTILE = "<img src=x onerror=pwned=1>\u202e"  # in what modules asked for, and in the names of who stopped a rollout
SECRET_OF_TOTP = bytes(range(20))


def settle(gate, accounts, each=1):
    """accounts: name to role. Cookies of that many sessions for each of them, by name."""
    now, cookies = int(time.time()), {}
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db"), timeout=20) as db:
        for name, role in accounts.items():
            db.execute("INSERT INTO account VALUES (?, '', '', ?, '', 0, ?, 0, 0, ?)", (name, ROLE[role], SECRET_OF_TOTP, now))
            cookies[name] = [secrets.token_hex(32) for _ in range(each)]
            db.executemany("INSERT INTO session (digest, id, account, factors, made, last, until, ended, peer) "
                           "VALUES (?, ?, ?, 2, ?, ?, ?, 0, ?)", (
                (hashlib.sha256(bytes.fromhex(c)).digest(), secrets.token_bytes(16), name, now, now, now + 28800,
                 bytes(10) + b"\xff\xff\x7f\0\0\1") for c in cookies[name]))
    db.close()
    return cookies


def crowded(gate):
    """Lists that grew for years: 450 releases that ran out, with a rollout of each, some in the same second; 1,100 addresses."""
    release = gate.cli("release", "list")["releases"][0]["id"]
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db"), timeout=20) as db:
        columns = [c[1] for c in db.execute("PRAGMA table_info(resource)") if c[1] != "id"]
        hostile = ", ".join("?2 || url" if c == "url" else c for c in columns)
        for n in range(1100):
            db.execute(f"INSERT INTO resource (id, {', '.join(columns)}) SELECT ?1, {hostile} FROM resource WHERE id = "
                       "(SELECT min(id) FROM resource)", (b"\xff" + os.urandom(15), f"{n}{HOSTILE}"))
        for n in range(450):
            key = os.urandom(16)
            db.execute("INSERT INTO release SELECT ?, candidate, issued - ?, 3, 1, who, reason, record FROM release WHERE id = ?",
                       (key, n // 3, bytes.fromhex(release)))
            db.execute("INSERT INTO rollout (release_id, state, ring, since, plan, who, reason) VALUES (?, 4, 0, ?, 'careful', ?, '')",
                       (key, 1700000000 - n // 3, HOSTILE))
        want = {"releases": [k.hex() for (k,) in db.execute("SELECT id FROM release ORDER BY issued DESC, id DESC")],
                "rollouts": [k.hex() for (k,) in db.execute("SELECT release_id FROM rollout ORDER BY since DESC, release_id DESC")],
                "sightings": [k.hex() for (k,) in db.execute("SELECT id FROM resource ORDER BY id")]}
    db.close()
    return want
