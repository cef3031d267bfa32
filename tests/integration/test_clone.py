# SPDX-License-Identifier: Apache-2.0
"""A copied disk with the log's name on it signs nothing, until a person says that the other is stopped."""
import copy as shallow
import os
import subprocess

import pytest

from gate import Gate, free_port, until


@pytest.fixture
def gate():
    g = Gate()
    try:
        yield g
    finally:
        g.close()


def twin_of(gate):
    """The whole folder of a stopped gateway, copied with owners, rights and times, on other ports."""
    twin = shallow.copy(gate)
    twin.root = os.path.join(gate.dir, "twin")
    twin.log = os.path.join(gate.dir, "twin.log")
    twin.port, twin.tls_port = free_port(), free_port()
    subprocess.run(["cp", "-a", gate.root, twin.root], check=True)
    conf = os.path.join(twin.root, "fotagate.conf")
    text = open(conf).read()
    for old, new in ((gate.root, twin.root), (f"port = {gate.port}", f"port = {twin.port}"),
                     (f"port = {gate.tls_port}", f"port = {twin.tls_port}")):
        text = text.replace(old, new)
    with open(conf, "w") as f:
        f.write(text)
    return twin


def state(gate):
    return gate.cli("status", ok=range(0, 9)).get("log", {}).get("state")


def checkpoint(gate):
    with open(os.path.join(gate.root, "data/audit/log/checkpoint")) as f:
        return f.read()


def submit(gate, ok):
    """The second signature, made with the first gateway and never given to it."""
    return gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "review", "submit", "R-1",
                     os.path.join(gate.dir, "bob.json"), os.path.join(gate.dir, "bob.json.sig"), ok=ok)


def test_two_of_one_log(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.sign("R-1", "alice")
    paper = os.path.join(gate.dir, "bob.json")
    gate.cli("review", "statement", "R-1", "--approver", "bob@demo.invalid", "--reason", "looks right to me", "-o", paper)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", os.path.join(gate.root, "people/bob"), "-n",
                    "fotagate-approval@v1", paper], check=True, capture_output=True)
    gate.stop()
    twin = twin_of(gate)
    before = checkpoint(twin)
    try:
        twin.start(ready=False)
        until(lambda: state(twin) == "cloned")
        assert not twin.cli("status")["permitting"]
        submit(twin, range(1, 9))
        assert twin.ask()[0] == 404
        # Beside it the original goes on, and is not asked anything.
        gate.start()
        submit(gate, (0,))
        assert gate.served() == data
        twin.adopt(ok=(1,))  # not while it runs
        assert twin.stop() == 0
        assert checkpoint(twin) == before
        gate.cli("audit", "adopt", "--reason", "without the word", ok=(2,))
        gate.stop()
        # The original is given up before its second signature: the copy has never seen it.
        done = twin.adopt("the first machine burnt down")
        assert done["bound"].startswith("inode ")
        assert twin.adopt("said once more")["bound"] == "none"  # which leaves the first as it is
        twin.start()
        until(lambda: state(twin) == "ok")
        submit(twin, (0,))
        assert twin.served() == data
        seen = os.path.join(gate.dir, "seen")
        with open(seen, "w") as f:
            f.write(before)
        out = twin.export()
        twin.tool("fotagate-verify", out, "--trust", os.path.join(twin.root, "people/trust.txt"), "--seen", seen)
        told = [e["msg"] for e in twin.entries() if e["ev"] == "log.recovered"]
        assert len(told) == 1 and "the first machine burnt down" in told[0]
        assert done["bound"] in told[0] and "bound now to inode" in told[0]
        assert twin.stop() == 0
        twin.start()
        assert state(twin) == "ok"
    finally:
        twin.stop()
