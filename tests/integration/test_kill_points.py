# SPDX-License-Identifier: Apache-2.0
"""Control, warden and audit killed in the middle of a write: at the Nth call of some kind by which they change the disk.

strace does the killing, from outside. The role comes back, what was asked is asked again as people
and modules do, and nothing is lost, unapproved or served early. tests/fault kills audit and warden at every
single change; this is for control, which it does not run whole, and for all of them behind their jail.
"""
import os
import subprocess

import pytest

from gate import until

CHANGES = "pwrite64,write,fsync,fdatasync,rename,renameat,renameat2,linkat,unlink,unlinkat,ftruncate,mkdirat"
# strace counts each kind of call by itself. Control writes hundreds of times in the story, the others a dozen.
POINTS = [("control", n) for n in (1, 2, 5, 13, 34, 89, 144)] + [("warden", n) for n in (1, 2, 3, 5, 8)] + [
    ("audit", n) for n in (1, 3, 8)]


class Assassin:
    """Kills that role at the Nth of its calls of one kind from now on."""

    def __init__(self, gate, role, nth):
        self.gate, self.role, self.pid = gate, role, gate.roles()[role]
        self.strace = subprocess.Popen(
            ["strace", "-qq", "-f", "-o", "/dev/null", "-e", f"trace={CHANGES}", "-e",
             f"inject={CHANGES}:signal=KILL:when={nth}", "-p", str(self.pid)])
        until(lambda: self.traced(), 10)

    def traced(self):
        assert self.strace.poll() is None, "strace ended"
        with open(f"/proc/{self.pid}/status") as f:
            return "TracerPid:\t0\n" not in f.read()

    def struck(self):
        return self.gate.roles().get(self.role) != self.pid

    def end(self):
        self.strace.terminate()
        self.strace.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may trace a role")
@pytest.mark.parametrize("role,nth", POINTS)
def test_killed_at_a_write(gate, role, nth):
    data = gate.offer()
    gate.start()
    assassin = Assassin(gate, role, nth)
    try:
        until(lambda: gate.ask()[0] == 404 and gate.reviews("review"), 60, 0.3)
        for person in ("alice", "bob"):
            assert gate.ask()[0] == 404, f"served before {person} signed"
            # The answer may be lost with the role: the statement is made and handed in again, and counts once.
            until(lambda: signed(gate, person), 60, 0.3)
        assert until(lambda: gate.ask()[0] == 200 and gate.ask()[2] == data, 60, 0.3)
        gate.cli("revoke", "R-1", "--reason", "found hostile in the lab", ok=(0, 1, 3))
        until(lambda: revoked(gate), 60, 0.3)
        until(lambda: gate.ask()[0] == 404, 30)
    finally:
        struck = assassin.struck()
        assassin.end()
    assert struck, "the role was never killed: the story changes the disk less often than that by now"
    until(gate.up, 30)
    assert gate.ask()[0] == 404, "revoked stays revoked"
    gate.stop()
    gate.start()
    assert gate.ask()[0] == 404, "also over a start"
    assert gate.verify().stdout.rstrip().endswith("ok")


def signed(gate, person):
    done = gate.sign("R-1", person, ok=(0, 1, 3))
    if done.get("have") or done.get("state") in ("approved", "review"):
        return True
    shown = gate.cli("review", "show", "R-1", ok=(0, 1, 3))
    return shown.get("state") == "approved" or person in str(shown.get("statements", ""))


def revoked(gate):
    shown = gate.cli("review", "show", "R-1", ok=(0, 1, 3))
    if shown.get("state") == "revoked":
        return True
    gate.cli("revoke", "R-1", "--reason", "found hostile in the lab", ok=(0, 1, 3))
    return False
