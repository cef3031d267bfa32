# SPDX-License-Identifier: Apache-2.0
"""A gate whose policy people sign, on another machine: from a backup, from a newer export, as a copied disk. What was
in force is in force there, whatever lies in the new folder, and auditors say so."""
import copy as shallow
import json
import os
import shutil

import pytest

from gate import PROFILE, Gate, free_port, until
from test_clone import checkpoint, state, twin_of
from test_signed_policy import Desk, released

SECOND = PROFILE.replace("max_seconds = 60;", "max_seconds = 61;")


@pytest.fixture
def gate():
    g = Gate(edges=1, init=("--signed-policy",))
    g.desk = Desk(g)
    g.start()
    g.desk.enact()
    until(lambda: not g.desk.alerts())
    yield g
    g.close()


def desk(gate, twin):
    """Of papers it takes other names."""
    new = Desk(twin)
    new.serial = gate.desk.serial + 10
    return new


def second(gate):
    """Another policy in force, which people signed."""
    gate.write_profile(SECOND)
    gate.desk.reload()
    until(lambda: "POLICY-UNSIGNED" in gate.desk.alerts())
    gate.desk.enact()
    until(lambda: not gate.desk.alerts())


def elsewhere(gate, backup, name):
    """Restored into a folder that was never there, on other ports; the old one is stopped."""
    twin = shallow.copy(gate)
    twin.root, twin.log = os.path.join(gate.dir, name), os.path.join(gate.dir, name + ".log")
    twin.port, twin.tls_port = free_port(), free_port()
    twin.desk = desk(gate, twin)
    gate.tool("fotagate", "restore", backup, "--to", twin.root)
    shutil.copytree(os.path.join(gate.root, "people"), os.path.join(twin.root, "people"))  # who sign with the keys they have
    with open(twin.desk.conf) as f:
        text = f.read()
    for old, new in ((gate.root, twin.root), (f"port = {gate.port}", f"port = {twin.port}"),
                     (f"port = {gate.tls_port}", f"port = {twin.tls_port}")):
        text = text.replace(old, new)
    with open(twin.desk.conf, "w") as f:
        f.write(text)
    return twin


def in_force(gate):
    show = gate.desk.show()
    return show["number"], show["bundle"]


def verified(gate, seen):
    """By the people of the first machine, and by a checkpoint that somebody remembers of it."""
    path = os.path.join(gate.dir, "seen")
    with open(path, "w") as f:
        f.write(seen)
    people = os.path.join(gate.dir, "gateway/people/trust.txt")
    gate.tool("fotagate-verify", gate.export(), "--trust", people, "--seen", path)


def test_from_a_backup(gate):
    released(gate, "1.1.0")
    data = gate.served(version="1.1.0")
    backup = os.path.join(gate.dir, "backup")
    gate.tool("fotagate", "--dir", gate.root, "backup", backup, "--with-keys")
    first = in_force(gate)
    gate.stop()
    seen = open(os.path.join(backup, "log/checkpoint")).read()
    twin = elsewhere(gate, backup, "other")
    try:
        twin.start()
        assert in_force(twin) == first and first[0] == 1
        assert not twin.desk.alerts()
        assert twin.served(version="1.1.0") == data
        # What lies in the new folder counts for no more there than it did in the old one.
        twin.write_profile(SECOND)
        twin.desk.reload()
        until(lambda: "profile story changed" in twin.desk.alerts().get("POLICY-UNSIGNED", ""))
        assert in_force(twin) == first
        second(twin)
        assert in_force(twin)[0] == 2
        assert twin.served(version="1.1.0") == data
        verified(twin, seen)
    finally:
        twin.stop()


def test_from_a_backup_and_a_newer_export(gate):
    """The policy that people signed after the backup comes with the export, and not the one that they replaced."""
    backup = os.path.join(gate.dir, "backup")
    gate.tool("fotagate", "--dir", gate.root, "backup", backup, "--with-keys")
    second(gate)
    now = in_force(gate)
    newer = gate.export()
    seen = open(os.path.join(newer, "checkpoint")).read()
    gate.stop()
    twin = elsewhere(gate, backup, "other")
    try:
        done = gate.tool("fotagate", "--dir", twin.root, "--json", "audit", "repair", "--from", newer)
        assert json.loads(done.stdout)["policies"] == 1
        twin.start()
        # Its configuration is the backup's, which people replaced, and no export has the one that they signed then.
        assert in_force(twin) == now and now[0] == 2
        assert set(until(twin.desk.alerts)) == {"POLICY-LOST", "POLICY-UNSIGNED"}
        assert "what was signed is not here" in twin.desk.alerts()["POLICY-UNSIGNED"]
        twin.write_profile(SECOND)
        twin.desk.reload()
        until(lambda: not twin.desk.alerts())
        assert in_force(twin) == now
        released(twin, "1.1.0")
        verified(twin, seen)
    finally:
        twin.stop()


def kept(gate):
    """What the gateway keeps of a policy in force beside the statement: the configuration, and its files."""
    found = {}
    for folder, suffix in (("config", ".bundle"), ("reports", ".policy.json")):
        path = os.path.join(gate.root, "data", folder)
        for name in os.listdir(path):
            if name.endswith(suffix):
                with open(os.path.join(path, name), "rb") as f:
                    found[os.path.join(path, name)] = f.read()
    return found


def damage(first, second):
    """first, second: what was kept under either policy."""
    conf = [path for path in second if path not in first and path.endswith(".bundle")]
    old = [data for path, data in first.items() if path.endswith(".bundle")]
    assert len(conf) == 1 and old
    flip = lambda data: data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:]
    yield "gone", {conf[0]: None}
    yield "one bit", {conf[0]: flip(second[conf[0]])}
    yield "an older one", {conf[0]: old[0]}
    yield "cut", {conf[0]: second[conf[0]][:100]}
    yield "everything, one bit", {path: flip(data) for path, data in second.items()}
    yield "everything gone", {path: None for path in second}


def test_copies_that_are_damaged(gate):
    """With other files on disk nothing is granted, whatever the copy says; the files that people signed put it right."""
    released(gate, "1.1.0")
    before = kept(gate)
    second(gate)
    until(lambda: gate.ask(version="1.1.0")[0] == 200)
    gate.stop()
    copies, lines = kept(gate), 0
    for what, files in damage(before, copies):
        for path, data in {**copies, **files}.items():
            with open(path, "wb") as f:
                f.write(data or b"")
            owner = os.stat(os.path.dirname(path))
            os.chown(path, owner.st_uid, owner.st_gid)
            if data is None:
                os.unlink(path)
        gate.write_profile(PROFILE)
        gate.start(ready=False)
        assert "POLICY-LOST" in until(lambda: state(gate) and gate.desk.alerts()), what
        assert in_force(gate)[0] == 2, what
        assert gate.ask(version="1.1.0")[0] == 404, what
        gate.write_profile(SECOND)
        gate.desk.reload()
        until(lambda: not gate.desk.alerts())
        until(lambda: gate.ask(version="1.1.0")[0] == 200)
        gate.stop()
        now = kept(gate)
        assert all(now.get(path) == copies[path] for path in files if path.endswith(".bundle")), what
        lines += 1
    assert lines == 6


def test_a_copied_disk(gate):
    """It permits nothing until somebody says that the other is stopped; then it goes on with the same policy."""
    released(gate, "1.1.0")
    second(gate)
    now = in_force(gate)
    gate.stop()
    twin = twin_of(gate)
    twin.desk = desk(gate, twin)
    before = checkpoint(twin)
    try:
        twin.start(ready=False)
        until(lambda: state(twin) == "cloned")
        assert twin.ask(version="1.1.0")[0] == 404
        path, _ = twin.desk.propose(ok=range(9))
        if os.path.exists(path):  # nothing is put in force either
            twin.desk.submit(path, twin.desk.sign(path, "alice"), twin.desk.sign(path, "bob"), ok=range(1, 9))
        assert twin.stop() == 0 and checkpoint(twin) == before
        twin.adopt("the first machine burnt down")
        twin.start()
        assert in_force(twin) == now and now[0] == 2
        assert not twin.desk.alerts()
        assert twin.ask(version="1.1.0")[0] == 200
        verified(twin, before)
    finally:
        twin.stop()
