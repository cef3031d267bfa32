# SPDX-License-Identifier: Apache-2.0
"""Each role killed at the named points of the story: nothing lost, nothing unapproved served."""
import os
import signal

import pytest

from gate import until

ROLES = ["edge[0]", "control", "warden", "audit"]
POINTS = ["before anybody asks", "after the first request", "in review", "after one signature", "after approval",
          "after serving"]


def back(gate, name, old):
    """The role is there again, as another process."""
    until(lambda: gate.roles().get(name) not in (None, old), 30)
    until(gate.up, 30)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("role", ROLES)
def test_killed(gate, role, point):
    data = gate.offer()
    gate.start()

    def here(name):
        if name == point:
            back(gate, role, gate.kill_role(role))

    here("before anybody asks")
    until(lambda: gate.ask()[0] == 404)
    here("after the first request")
    # A request that was lost with its role is simply made again, as modules do.
    until(lambda: gate.ask()[0] == 404 and gate.reviews("review"), 40, 0.3)
    here("in review")
    assert gate.ask()[0] == 404
    gate.sign("R-1", "alice")
    here("after one signature")
    assert gate.ask()[0] == 404
    gate.sign("R-1", "bob")
    here("after approval")
    assert gate.served() == data
    here("after serving")
    assert gate.served() == data
    assert gate.vendor.count["/FG100/1.1.0/rootfs.img"] <= 2
    out = gate.export()
    exits = [e for e in gate.entries(out) if e["ev"] == "svc.exit"]
    assert exits, "the log knows that a role died"
    assert gate.verify(out).stdout.rstrip().endswith("ok")


def test_the_whole_daemon_killed_and_started_again(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.sign("R-1", "alice")
    gate.stop(signal.SIGKILL)
    gate.start()
    assert gate.ask()[0] == 404
    gate.sign("R-1", "bob")
    assert gate.served() == data
    gate.stop(signal.SIGKILL)
    gate.start()
    assert gate.served() == data
    assert gate.stop() == 0
    gate.start()
    assert gate.served() == data
    gate.verify()


def test_edges_go_on_with_leases_while_control_is_away(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    # Two edges share the port, and a lease is of one of them: one connection stays with the edge that holds it.
    with gate.kept() as get:
        assert until(lambda: get()[0] == 200, 20)
        pid = gate.roles()["control"]
        os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(5):
                assert get() == (200, data)
        finally:
            os.kill(pid, signal.SIGCONT)
    gate.verify()


def test_halt_works_with_control_and_audit_stopped(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    pids = [gate.roles()[r] for r in ("control", "audit")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        gate.text("halt")
        assert all(gate.ask()[0] != 200 for _ in range(4))
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_without_audit_nothing_new_is_permitted(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    pid = gate.roles()["audit"]
    os.kill(pid, signal.SIGSTOP)
    try:
        # Another module has no grant yet, and there is nobody to write it down.
        assert gate.ask(imei="356938035643809")[0] == 404
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: gate.ask(imei="356938035643809")[0] == 200, 20)


def job(gate):
    """pid of a job that runs just now: a child of the supervisor that is none of the standing roles."""
    for name, pid in gate.roles().items():
        if not name.startswith(("edge", "control", "warden", "audit")):
            return name, pid
    return None


def test_a_killed_fetch_is_a_failed_fetch_and_can_be_retried(gate):
    path = "/FG100/1.1.0/rootfs.img"
    data = gate.offer()
    gate.vendor.modes[path] = ["stall"]
    gate.vendor.release.clear()
    gate.start()
    gate.ask()
    until(lambda: gate.vendor.count.get(path))
    os.kill(until(lambda: job(gate))[1], signal.SIGKILL)
    gate.vendor.release.set()
    gate.review(1, state="fetch-failed")
    gate.cli("fetch", "retry", "R-1")
    gate.review(1)
    gate.approve()
    assert gate.served() == data


def test_a_killed_inspection_blocks(gate):
    # Large enough to be met at work.
    gate.offer(data=os.urandom(1 << 20) * 200)
    gate.start()
    gate.ask()
    def inspecting():
        found = job(gate)
        return found if found and "inspect" in found[0] else None
    os.kill(until(inspecting, 60, 0.002)[1], signal.SIGKILL)
    gate.review(1, state="blocked", seconds=60)
    ids = [f["id"] for f in gate.cli("review", "show", "R-1")["findings"]]
    assert "INSPECT-CRASHED" in ids
    assert gate.ask()[0] == 404


def stopped_inspection(gate, after=None):
    """Pid of the next inspector met at work, stopped; not that one."""
    def met():
        found = job(gate)
        return found[1] if found and "inspect" in found[0] and found[1] != after else None
    pid = until(met, 60, 0.002)
    os.kill(pid, signal.SIGSTOP)
    return pid


def test_a_killed_comparison_blocks(gate):
    """The second stage: that the signature was good does not let through what nobody compared."""
    data = os.urandom(1 << 20) * 50
    gate.offer(data=data)
    gate.start()
    gate.ask()
    gate.review(1, seconds=60)
    gate.approve()
    gate.offer(version="1.2.0", data=data + os.urandom(1 << 20))
    gate.ask(version="1.2.0")
    first = stopped_inspection(gate)
    os.kill(first, signal.SIGCONT)
    os.kill(stopped_inspection(gate, first), signal.SIGKILL)
    gate.review(2, state="blocked", seconds=60)
    ids = [f["id"] for f in gate.cli("review", "show", "R-2")["findings"]]
    assert "INSPECT-CRASHED" in ids and "SIG-ABSENT" not in ids
    gate.sign("R-2", "alice", ok=(1,))
    assert gate.ask(version="1.2.0")[0] == 404
    gate.cli("review", "reopen", "R-2")
    gate.review(2, seconds=60)
