# SPDX-License-Identifier: Apache-2.0
"""A whole disk that is set back takes everything along that this machine remembers; a witness elsewhere is not on it."""
import json
import os
import subprocess

import pytest

from gate import until
from test_witness import lines_by, published
from test_witness_server import NAME, Witness


class Gateway:
    """The log of a gateway, as Witness wants to know it."""

    def __init__(self, gate):
        lines = open(os.path.join(gate.root, "people/trust.txt")).read().splitlines()
        self.vkey = next(line.split(" ")[1] for line in lines if line.startswith("log "))


@pytest.fixture
def witness(gate):
    w = Witness(Gateway(gate))
    yield w
    w.close()


def write_policy(gate, witness, quorum="w1"):
    """The operator's file, at the port the witness has now."""
    path = os.path.join(gate.root, "data/authority/witnesses")
    with open(path, "w") as f:
        f.write(f"log {Gateway(gate).vkey}\nwitness w1 {witness.vkey} {witness.url.replace('/add-checkpoint', '')}\n"
                f"quorum {quorum}\n")
    return path


def ask(gate, policy, ok=(0,)):
    return gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "audit", "witness", "--policy", policy, "--once", ok=ok)


def log(gate):
    done = gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "status", "--json", ok=(0, 1, 3))
    return json.loads(done.stdout).get("log", {}) if done.stdout else {}


def files(top):
    found = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found[os.path.relpath(path, top)] = path
    return found


def set_back(copy, data):
    """The bytes of the copy in the files that are there: a disk image put back has the same inodes as well."""
    was, now = files(copy), files(data)
    for name in now.keys() - was.keys():
        os.unlink(now[name])
    missing = sorted(was.keys() - now.keys())
    for name in missing:
        subprocess.run(["cp", "-a", "--parents", name, data], cwd=copy, check=True)
    for name in was.keys() & now.keys():
        text = open(was[name], "rb").read()
        with open(now[name], "r+b") as f:
            f.write(text)
            f.truncate()


def test_a_disk_that_was_set_back_waits_for_its_witness(gate, witness):
    data = os.path.join(gate.root, "data")
    witness.start()
    policy = write_policy(gate, witness)
    gate.offer(data=os.urandom(2000))
    gate.start()  # a new log has nothing that could be compared
    gate.ask()
    gate.review(1)
    ask(gate, policy)
    note = published(gate)
    assert lines_by(note, NAME) or log(gate)["remote"]
    seen = gate.cli("status")
    assert seen["log"]["remotes"] == 1 and seen["witnesses"][0]["answer"] == "cosigned" and seen["witnesses"][0]["name"] == "w1"
    gate.stop()
    subprocess.run(["cp", "-a", data, os.path.join(gate.dir, "before")], check=True)
    # A start: the witness is asked first, nothing is served meanwhile.
    gate.start(ready=False)
    until(lambda: log(gate).get("state") == "waiting")
    assert not gate.cli("status")["permitting"]
    ask(gate, policy)
    until(gate.up)
    gate.approve()
    gate.served()
    gate.kill_role("audit")
    until(lambda: log(gate).get("state") == "waiting", 30)
    until(lambda: ask(gate, policy, ok=(0, 3)).returncode == 0)
    until(gate.up)
    until(lambda: ask(gate, policy, ok=(0, 3)).returncode == 0)
    witnessed = [e for e in gate.entries() if e["ev"] == "log.witnessed"]
    assert witnessed and witnessed[0]["ref"]["witness"] == "w1"
    # For an auditor its line counts, by the very file that the gateway follows.
    trust = ["--trust", os.path.join(gate.root, "people/trust.txt"), "--trust", policy]

    def exported():
        out = gate.export()
        done = gate.tool("fotagate-verify", out, *trust, ok=(1,))
        assert "0 of your 1 witnesses" in done.stdout  # an export is as new as that
        ask(gate, policy, ok=(0, 3))
        note = published(gate)
        if note.split("\n")[1] != open(f"{out}/checkpoint").read().split("\n")[1] or not lines_by(note, NAME):
            return None  # the log has grown meanwhile
        open(f"{out}/checkpoint", "w").write(note)
        return out
    gate.tool("fotagate-verify", until(exported), *trust)
    gate.stop()
    subprocess.run(["cp", "-a", data, os.path.join(gate.dir, "after")], check=True)
    # The whole disk as it was before the approval: the warden's memory, the database, everything.
    set_back(os.path.join(gate.dir, "before"), data)
    note = published(gate)
    gate.start(ready=False)
    until(lambda: log(gate).get("state") == "waiting")
    done = ask(gate, policy, ok=(1,))
    assert "w1 remembers" in done.stderr and "rolled back?" in done.stderr
    status = gate.cli("status")
    assert not status["permitting"] and status["log"]["state"] == "waiting"
    # No size in it, which grows: an alert is told once while its text stays.
    assert any(a["id"] == "WITNESS" and a["text"].startswith("w1 is said to remember more entries than this log has: ")
               for a in status["alerts"])
    gate.sign("R-1", "alice", ok=(0, 1, 3))
    with pytest.raises(AssertionError):
        gate.served(seconds=1)
    gate.stop()
    assert published(gate) == note  # nothing was signed on the shorter log
    # The line of that earlier day was on the disk all the time, and is no answer of today's.
    gate.start(ready=False)
    until(lambda: log(gate).get("state") == "waiting")
    gate.stop()
    # The newer disk: it goes on where it was.
    set_back(os.path.join(gate.dir, "after"), data)
    gate.start(ready=False)
    until(lambda: log(gate).get("state") == "waiting")
    ask(gate, policy)
    until(gate.up)
    gate.served()


def test_a_policy_that_cannot_be_followed_stops_the_log(gate, witness):
    witness.start()
    path = write_policy(gate, witness, quorum="w2")
    gate.start(ready=False)
    until(lambda: f"{path}:3: " in open(gate.log).read())
    done = ask(gate, path, ok=(2,))
    assert ":3: " in done.stderr
