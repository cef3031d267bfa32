# SPDX-License-Identifier: Apache-2.0
"""Backup and restore: the log goes on from where others remember it, or they find out."""
import os
import shutil
import stat

import pytest

from gate import Gate, until


@pytest.fixture
def gate():
    g = Gate()
    try:
        yield g
    finally:
        g.close()


def tool(gate, *args, ok=(0,)):
    return gate.tool("fotagate", "--dir", gate.root, *args, ok=ok)


def restore(gate, backup):
    """The disk died: nothing is left of data, keys and configuration."""
    for part in ("data", "keys", "fotagate.conf", "profiles.d"):
        path = os.path.join(gate.root, part)
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    return gate.tool("fotagate", "restore", backup, "--to", gate.root)


def verify(gate, seen, ok=(0,)):
    out = gate.export()
    done = gate.tool("fotagate-verify", out, "--trust", os.path.join(gate.root, "people/trust.txt"), "--seen", seen, ok=ok)
    return done.stdout + done.stderr


def refuse(gate, backup):
    """What may not be restored."""
    said = tool(gate, "restore", backup, ok=(1,)).stderr
    assert "is running" in said
    gate.stop()
    assert "is not empty" in tool(gate, "restore", backup, ok=(1,)).stderr
    bad = os.path.join(gate.dir, "bad")
    shutil.copytree(backup, bad)
    with open(os.path.join(bad, "conf/profiles.d/story.conf"), "a") as f:
        f.write("\n")
    elsewhere = os.path.join(gate.dir, "elsewhere")
    assert "MANIFEST" in gate.tool("fotagate", "restore", bad, "--to", elsewhere, ok=(1,)).stderr
    assert not os.path.exists(elsewhere)


def test_the_log_goes_on_from_where_others_remember_it(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    # Without keys, they are named when it is restored; with keys, it is said.
    bare, backup = (os.path.join(gate.dir, name) for name in ("bare", "backup"))
    tool(gate, "backup", bare)
    assert not os.path.exists(os.path.join(bare, "keys/log.key"))
    assert "keys are in it" in tool(gate, "backup", backup, "--with-keys").stdout
    assert "is there already" in tool(gate, "backup", backup, ok=(1,)).stderr
    assert stat.S_IMODE(os.stat(backup).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(os.path.join(backup, "keys/log.key")).st_mode) == 0o600
    gate.verify(os.path.join(backup, "log"))
    # Which signer set is in force is for the log to say when it comes back: it may have got newer ones by then.
    assert os.path.exists(os.path.join(gate.root, "data/images/approved/signers"))
    assert not os.path.exists(os.path.join(backup, "data/images/approved/signers"))

    # What happens since the backup: one release ends, and others may sign.
    gate.cli("revoke", "R-1", "--reason", "found hostile in the lab")
    until(lambda: gate.ask()[0] == 404)
    gate.enrol("carol")
    newer = gate.export()
    seen = os.path.join(newer, "checkpoint")
    refuse(gate, backup)
    there = gate.tool("fotagate", "restore", bare, "--to", os.path.join(gate.dir, "bare-gateway"))
    assert "keys/log.key: is not in the backup" in there.stderr and "keys/epoch.key" in there.stderr

    # As the text says: the newest export, before the first start.
    assert "audit repair --from" in restore(gate, backup).stdout
    assert "in place: 1" in tool(gate, "audit", "repair", "--from", newer).stdout
    gate.start()
    assert gate.ask()[0] == 404
    assert gate.review(1, "revoked")
    later = gate.offer(version="1.2.0")
    gate.ask(version="1.2.0")
    gate.review(2)
    gate.sign("R-2", "carol")
    gate.sign("R-2", "alice")
    assert gate.served(version="1.2.0") == later
    verify(gate, seen)
    entries = gate.entries()
    assert any(e["ev"] == "log.recovered" for e in entries)
    assert sum(e["ev"] == "log.exported" and e["obj"] == "state" for e in entries) == 2
    gate.stop()

    # Without that step nothing on the machine can know, and everyone who remembers does.
    restore(gate, backup)
    gate.start()
    assert gate.served() == data
    said = verify(gate, seen, ok=(1,))
    assert "ROLLED BACK" in said or "FORK" in said.upper(), said
