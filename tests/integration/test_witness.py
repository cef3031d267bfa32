# SPDX-License-Identifier: Apache-2.0
"""A log that cannot go back: the warden remembers what audit has signed, and says so before anything is permitted."""
import base64
import json
import os
import shutil
import subprocess

import pytest

from gate import until
from test_witness_server import openssl_verifies


def cosign_key(gate):
    """The public half of the warden's key, from its seed, by openssl."""
    text = open(os.path.join(gate.root, "keys/cosign.key")).read().strip()
    _, _, name, key_id, material = text.split("+", 4)
    seed = base64.b64decode(material)[1:]
    pem = os.path.join(gate.dir, "cosign.der")
    open(pem, "wb").write(bytes.fromhex("302e020100300506032b657004220420") + seed)
    der = subprocess.run(["openssl", "pkey", "-inform", "DER", "-in", pem, "-pubout", "-outform", "DER"], check=True,
                         capture_output=True)
    os.unlink(pem)
    return name, bytes.fromhex(key_id), der.stdout[-32:]


def lines_by(note, name):
    return [line.split(" ")[2] for line in note.split("\n\n", 1)[1].splitlines() if line.split(" ")[1] == name]


def audit(gate):
    return os.path.join(gate.root, "data/audit")


def published(gate):
    return open(os.path.join(audit(gate), "log/checkpoint")).read()


def copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", source, target], check=True)  # owners too: roles may have users of their own


def snapshot(gate, name):
    gate.stop()
    copy(audit(gate), os.path.join(gate.dir, name))


def restore(gate, name):
    copy(os.path.join(gate.dir, name), audit(gate))


def test_the_warden_cosigns_what_audit_publishes(gate):
    name, key_id, public = cosign_key(gate)
    gate.start()
    note = until(lambda: (lambda n: n if lines_by(n, name) else None)(published(gate)))
    raw = base64.b64decode(lines_by(note, name)[0])
    when = int.from_bytes(raw[4:12], "big")
    assert raw[:4] == key_id
    text = note.split("\n\n", 1)[0] + "\n"
    assert openssl_verifies(public, raw[12:], f"cosignature/v1\ntime {when}\n{text}".encode(), gate.dir)
    # A warden that is killed is missed by nobody but the checkpoint, and not for long.
    gate.kill_role("warden")
    until(lambda: lines_by(published(gate), name) and int(published(gate).split("\n")[1]) > int(note.split("\n")[1]))
    until(lambda: gate.cli("status")["log"]["witnessed"] >= 3)
    out = gate.export()
    assert gate.verify(out).returncode == 0


def state(gate):
    """What status says of the log; None while nobody answers yet."""
    done = gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "status", "--json", ok=(0, 1, 3))
    return json.loads(done.stdout).get("log", {}).get("state")


def test_a_log_that_was_set_back_permits_nothing(gate):
    gate.offer(data=os.urandom(2000))
    gate.start()
    gate.ask()
    gate.review(1)
    snapshot(gate, "before")
    gate.start()
    gate.approve()
    gate.served()
    snapshot(gate, "after")
    # Everything of the log as it was before the approval: as a restored disk has it.
    restore(gate, "before")
    gate.start(ready=False)
    until(lambda: state(gate) == "rolled-back")
    with pytest.raises(AssertionError):
        gate.served(seconds=2)
    size = published(gate).split("\n")[1]
    gate.stop()
    assert published(gate).split("\n")[1] == size  # nothing was signed on the shorter log
    # The whole log again, but in other files: still condemned, until a person takes the way out.
    restore(gate, "after")
    gate.start(ready=False)
    until(lambda: state(gate) == "cloned")
    gate.stop()
    gate.adopt()
    gate.start()
    until(lambda: gate.cli("status")["log"]["state"] == "ok")
    gate.served()
