# SPDX-License-Identifier: Apache-2.0
"""People of the console by the hundred: accounts and sessions written where control keeps them.

Signing in takes a fifth of a second of scrypt each, and is shown where it is the matter (test_accounts,
tests/browser). What is written here is what signing in leaves: of each secret its SHA-256 alone.
"""
import hashlib
import os
import secrets
import sqlite3
import time

ROLE = {"viewer": 1, "operator": 2, "approver": 4, "admin": 8, "auditor": 16}
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
