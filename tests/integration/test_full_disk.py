# SPDX-License-Identifier: Apache-2.0
"""The log's disk runs full: nothing new is permitted, what was granted goes on, and nothing is lost."""
import errno
import gzip
import os
import signal
import socket
import subprocess

import pytest

from gate import Gate, luhn, until

ROOM = 24 << 20  # a segment of the write-ahead log, and some tiles


@pytest.fixture
def gate():
    if os.geteuid() != 0:
        pytest.skip("takes root to mount a small disk")
    g = Gate(edges=1)  # one edge holds all leases
    disk = os.path.join(g.root, "data/audit")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0755", "tmpfs", disk], capture_output=True).returncode:
        g.close()
        pytest.skip("nothing can be mounted here")
    try:
        yield g
    finally:
        g.stop()
        subprocess.run(["umount", disk], check=True)
        g.close()


def fill(gate, name="data/audit/filler"):
    """Takes all the space there is; the file that holds it."""
    path = os.path.join(gate.root, name)
    with open(path, "wb", buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    f.write(b"\0" * size)
            except OSError as e:
                assert e.errno == errno.ENOSPC
    return path


def alerts(gate):
    return {a["id"] for a in gate.cli("status")["alerts"]}


def broken(gate):
    """An entry is made that can no longer be published, and the gateway says so."""
    gate.cli("module", "hold", f"imei:{luhn('35693800000009')}", "--reason", "only to have something to write")

    def seen():
        return "LOG" in alerts(gate) and not gate.cli("status")["permitting"]
    until(seen, 40)


def test_nothing_new_is_granted_and_nothing_is_lost(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    gate.ask(imei=luhn("35693800000009"), current="1.1.0")
    until(lambda: len(gate.cli("module", "list")["modules"]) == 2)
    gate.export()
    filler = fill(gate)
    broken(gate)
    for n in range(4):
        assert gate.ask(imei=luhn(f"3569380000001{n}"))[0] == 404  # no grant is durable
        assert gate.ask()[2] == data  # leased
    status = gate.cli("status")
    assert status["log"]["state"] == "full"
    assert "FULL: no more room for the log" in open(gate.log).read()
    gate.cli("revoke", "R-1", "--reason", "restricting needs no log")
    until(lambda: gate.ask()[0] == 404)
    os.unlink(filler)
    until(lambda: alerts(gate) == set())  # by itself
    assert gate.cli("status")["permitting"]
    assert gate.ask()[0] == 404  # revoked it stays
    events = [e["ev"] for e in gate.entries()]
    assert events.count("device.grant") == 1
    full, again = events.index("disk.full"), events.index("log.recovered")
    assert "approval.revoked" in events[full:again]  # from the reserve
    gate.verify()


def test_without_room_for_the_log_nothing_begins(gate):
    data = gate.offer()
    disk = os.path.join(gate.root, "data/audit")
    subprocess.run(["mount", "-o", f"remount,size={ROOM // 16}", disk], check=True)
    gate.start(ready=False)
    until(lambda: os.path.exists(os.path.join(gate.root, "run/control.sock")))
    until(lambda: "No space left" in open(gate.log).read())
    until(lambda: "LOG" in alerts(gate))
    assert not gate.cli("status")["permitting"]
    assert gate.ask()[0] == 404
    subprocess.run(["mount", "-o", f"remount,size={ROOM}", disk], check=True)
    until(gate.up, 90)  # by itself
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    gate.verify()


def test_the_story_goes_on_after_there_is_space_again(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.sign("R-1", "alice")
    gate.ask(imei=luhn("35693800000009"), current="1.1.0")
    until(lambda: len(gate.cli("module", "list")["modules"]) == 2)
    filler = fill(gate)
    broken(gate)
    gate.sign("R-1", "bob", ok=(1, 3))  # cannot be written down, so it cannot count
    assert gate.ask()[0] == 404
    os.unlink(filler)
    gate.stop()
    gate.start()
    assert gate.cli("review", "show", "R-1")["have"] == 1
    assert gate.ask()[0] == 404
    gate.sign("R-1", "bob")
    assert gate.served() == data
    events = [e["ev"] for e in gate.entries()]
    assert events.count("approval.signed") == 2 and events.count("release.issued") == 1
    gate.verify()


@pytest.fixture
def small():
    """All of the gateway's data on one small disk."""
    if os.geteuid() != 0:
        pytest.skip("takes root to mount a small disk")
    g = Gate(edges=2)
    data = os.path.join(g.root, "data")
    aside = os.path.join(g.dir, "aside")
    subprocess.run(["cp", "-a", data, aside], check=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m,mode=0755", "tmpfs", data], capture_output=True).returncode:
        g.close()
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["cp", "-a", aside + "/.", data], check=True)
        yield g
    finally:
        g.stop()
        subprocess.run(["umount", data], check=True)
        g.close()


@pytest.fixture
def cramped():
    """Images, and what is unpacked of them to be compared, on one small disk; everything else has room."""
    if os.geteuid() != 0:
        pytest.skip("takes root to mount a small disk")
    g = Gate(edges=1)
    disk = os.path.join(g.root, "data/images/quarantine")
    g.start()  # makes the folder
    g.stop()
    owner = os.stat(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m,mode=0700", "tmpfs", disk], capture_output=True).returncode:
        g.close()
        pytest.skip("nothing can be mounted here")
    try:
        os.chown(disk, owner.st_uid, owner.st_gid)
        yield g
    finally:
        g.stop()
        subprocess.run(["umount", disk], check=True)
        g.close()


def test_what_there_is_no_room_to_compare_does_not_pass(cramped):
    gate = cramped
    gate.set("quarantine = { reserve_bytes = 0; };")
    data = os.urandom(1 << 20) * 24
    gate.offer(data=gzip.compress(data, 1))
    gate.start()
    gate.ask()
    gate.review(1, seconds=60)
    gate.approve()
    gate.offer(version="1.2.0", data=gzip.compress(data + b"new", 1))
    gate.ask(version="1.2.0")

    def inspector():
        return next((pid for name, pid in gate.roles().items() if "inspect" in name), None)
    pid = until(inspector, 60, 0.002)
    os.kill(pid, signal.SIGSTOP)  # at the first stage
    filler = fill(gate, "data/images/quarantine/filler")
    os.kill(pid, signal.SIGCONT)
    # The second stage never began: nothing is said of the image, and it waits for room.
    held = until(lambda: (r := gate.cli("review", "show", "R-2"))["held"] and r, 60)
    assert held["state"] == "judging" and "could not be compared" in held["text"] and not held["report"]
    gate.sign("R-2", "alice", ok=(1,))
    assert gate.ask(version="1.2.0")[0] == 404
    os.unlink(filler)
    gate.stop()
    gate.start()
    gate.review(2, seconds=60)


def test_halt_with_the_disk_full_and_control_and_audit_stopped(small):
    """Everything that could be in the way at once: the transfer under way is reset, and nobody is served any more."""
    gate = small
    gate.set("quarantine = { reserve_bytes = 0; };")
    gate.offer(data=os.urandom(1 << 20) * 24)
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    until(lambda: gate.ask("HEAD")[0] == 200)
    filler = fill(gate, "data/filler")
    pids = [gate.roles()[r] for r in ("control", "audit")]
    with socket.create_connection(("127.0.0.1", gate.port)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        path = gate.url().split("/", 3)[3]
        s.settimeout(30)
        s.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert s.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            gate.text("halt")
            with pytest.raises(ConnectionResetError):
                while s.recv(1 << 16):
                    pass
                raise AssertionError("closed, or served to the end")
            assert all(gate.ask()[0] != 200 for _ in range(4))
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
    assert all(gate.ask()[0] != 200 for _ in range(4))
    os.unlink(filler)
    gate.stop()
    gate.start(ready=False)
    until(lambda: gate.cli("status", ok=(0, 3)).get("halt"), 60)
    assert gate.ask()[0] != 200
