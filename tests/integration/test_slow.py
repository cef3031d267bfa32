# SPDX-License-Identifier: Apache-2.0
"""Slow, idle and hostile modules by the thousand, behind the real jail: the good ones do not notice."""
import concurrent.futures
import contextlib
import os
import re
import resource
import signal
import socket
import subprocess

import pytest

from gate import Gate, luhn, until

IDLE = 20000
CROWD = 5000
GOOD = 100
ATTACKS = {  # what slowhttptest does with 300 connections each, and a source address of its own for none of them
    "headers": ["-H", "-i", "1"],
    "body": ["-B", "-i", "1", "-s", "60000", "-t", "POST"],
    "range": ["-R", "-a", "1", "-b", "500"],
    "read": ["-X", "-n", "5", "-z", "8", "-w", "128", "-y", "256", "-k", "4"],
}


@pytest.fixture
def served():
    gate = Gate(edges=2)
    try:
        # Short patience, so that a story can wait for its end. No module is cut off by it: it takes no pauses here.
        gate.set("limits: { header_seconds = 3; body_seconds = 3; stall_seconds = 3; idle_seconds = 300; "
                 "connections_per_module = 1000; };") # the attackers all claim to be the same one
        gate.image = gate.offer(data=os.urandom(2 << 20))
        gate.start()
        gate.ask()
        gate.review(1)
        gate.approve()
        assert gate.served() == gate.image
        yield gate
    finally:
        gate.close()


def sockets_of(pid):
    """How many sockets a process has; one that goes meanwhile is none."""
    n = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            n += os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
    return n


def crowd(gate, n, part=0):
    """n connections that say nothing after their first answer; no address has more than its share."""
    held = []
    for i in range(n):
        s = socket.socket()
        s.bind((f"127.0.{1 + part}.{1 + i // 2000}", 0))
        s.connect(("127.0.0.1", gate.port))
        s.sendall(b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        held.append(s)
    for s in held:
        s.settimeout(60)
        assert s.recv(4096).startswith(b"HTTP/1.1 404 ")
    return held


class Crowd:
    """One process full of them: no process may have more than so many descriptors."""

    def __init__(self, gate, part):
        ready = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
                resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
                held = crowd(gate, CROWD, part)
                os.write(ready[1], b"!" if len(held) == CROWD else b"?")
                signal.pause()
            os._exit(0)
        os.close(ready[1])
        self.ready = ready[0]

    def wait(self):
        assert os.read(self.ready, 1) == b"!", "the connections could not be made"

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.ready)


def good_ones(gate, n=GOOD):
    """So many modules, each new to the gateway, until each has the image; what they got."""
    def one(i):
        return gate.served(60, imei=luhn(f"3569380{i:07d}"))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        return list(pool.map(one, range(n)))


def test_both_edges_get_their_share(served):
    edges = [served.roles()[f"edge[{i}]"] for i in range(2)]
    before = [sockets_of(pid) for pid in edges]
    held = crowd(served, 400)
    share = [sockets_of(pid) - b for pid, b in zip(edges, before)]
    assert sum(share) == 400 and min(share) > 100, share
    # One that does not come to it keeps nobody waiting: the other looks after its queue.
    os.kill(edges[0], signal.SIGSTOP)
    try:
        held += crowd(served, 50)
        assert sockets_of(edges[1]) - before[1] == share[1] + 50
    finally:
        os.kill(edges[0], signal.SIGCONT)
    # And one that dies loses its connections only.
    old = served.kill_role("edge[0]")
    held += crowd(served, 50)
    until(lambda: served.roles().get("edge[0]") not in (None, old), 30)
    assert served.served() == served.image
    for s in held:
        s.close()


def test_twenty_thousand_idle_ones(served):
    crowds = [Crowd(served, part) for part in range(IDLE // CROWD)]
    try:
        for c in crowds:
            c.wait()
        assert good_ones(served) == [served.image] * GOOD
        # None of them had to go for it.
        assert sum(sockets_of(served.roles()[f"edge[{i}]"]) for i in range(2)) >= IDLE
    finally:
        for c in crowds:
            c.close()
    served.verify()


def test_slow_attacks_end_and_nobody_waits_for_them(served):
    edges = [served.roles()[f"edge[{i}]"] for i in range(2)]
    imei = luhn("35693809999999")
    assert served.served(imei=imei) == served.image
    before = sum(map(sockets_of, edges))
    running = {}
    for name, how in ATTACKS.items():
        running[name] = subprocess.Popen(["slowhttptest", "-c", "300", "-r", "300", "-l", "60", "-p", "5", "-u",
                                          served.url(imei=imei), *how], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         text=True)
    try:
        assert good_ones(served, 20) == [served.image] * 20
        # Whoever reads eight bytes in five seconds learns of his reset in half an hour: here it is known.
        for name in set(running) - {"read"}:
            said = re.sub(r"\x1b\[[0-9;]*m", "", running[name].communicate(timeout=90)[0])
            # Not "Hit test time limit": it was ours that ended every one of them.
            assert "No open connections left" in said, f"{name}: {said[-1500:]}"
        until(lambda: sum(map(sockets_of, edges)) <= before, 60)
        assert running["read"].poll() is None, "and it was under way"
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    assert served.served() == served.image
    assert [served.roles()[f"edge[{i}]"] for i in range(2)] == edges
