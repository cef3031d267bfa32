# SPDX-License-Identifier: Apache-2.0
"""A role that is not ours any more: its own channels, held by somebody else.

The role is stopped, its sockets are taken out of it (pidfd_getfd), and the worst
that its channels can carry is said on them, as gateway/PRIVSEP.md says it may be.
Each sentence of "it cannot" there is a test here, or names the one it is:
roles with files and sockets at hand: tests/sandbox; the warden against a hostile
control: unit test_warden_hostile; a session that only views: test_roles_control.
"""
import contextlib
import ctypes
import fcntl
import os
import re
import signal
import socket
import struct
import time

import pytest

import wire
from gate import PROFILE, SRC, Gate, luhn, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="takes root to reach into another process")

LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_OPEN, PIDFD_GETFD = 434, 438  # the same number everywhere
JOB_FD = 3  # a job's one channel
EVENT = {}


def events():
    """Numbers of events between roles, from the header."""
    if not EVENT:
        with open(os.path.join(SRC, "crypto/entry.h"), encoding="ascii") as f:
            body = re.search(r"enum entry_event \{(.*?)\};", f.read(), re.S).group(1)
        for n, name in enumerate(re.findall(r"^\s*ENTRY_(\w+)\b", body, re.M)):
            EVENT[name] = n
    return EVENT


def unix_peers():
    """inode of each unix socket -> inode of the one at its other end (sock_diag)."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as s:
        body = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xffffffff, 0, 4, 0xffffffff, 0xffffffff)
        s.send(struct.pack("=IHHII", 16 + len(body), 20, 0x301, 1, 0) + body)
        found = {}
        while True:
            data = s.recv(1 << 17)
            while data:
                n, kind = struct.unpack_from("=IH", data)
                if kind == 3:
                    return found
                assert kind == 20, "sock_diag does not answer"
                ino, = struct.unpack_from("=I", data, 16 + 4)
                at = 16 + 16
                while at + 4 <= n:
                    size, what = struct.unpack_from("=HH", data, at)
                    if what == 2:
                        found[ino], = struct.unpack_from("=I", data, at + 4)
                    at += (size + 3) & ~3
                data = data[(n + 3) & ~3:]


def sockets(pid):
    """descriptor -> inode"""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        m = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
        if m:
            found[int(fd)] = int(m.group(1))
    return found


class Taken:
    """One role of a running gateway, stopped, its channels in our hands; afterwards it is killed and replaced."""

    def __init__(self, gate, role):
        self.gate, self.role, self.channel = gate, role, {}
        roles = gate.roles()
        self.pid = roles[role]
        owner = {ino: name for name, pid in {**roles, "supervisor": gate.process.pid}.items() if name != role
                 for ino in sockets(pid).values()}
        os.kill(self.pid, signal.SIGSTOP)
        peers = unix_peers()
        pidfd = LIBC.syscall(PIDFD_OPEN, self.pid, 0)
        assert pidfd >= 0
        for fd, ino in sockets(self.pid).items():
            peer = owner.get(peers.get(ino))
            if fd == JOB_FD and role in ("upstream", "inspect"):
                peer = "control"  # made in its network namespace, which is not ours to list
            if peer:
                ours = LIBC.syscall(PIDFD_GETFD, pidfd, fd, 0)
                assert ours >= 0, os.strerror(ctypes.get_errno())
                self.channel[peer] = socket.socket(fileno=ours)
        os.close(pidfd)

    def say(self, peer, name, fds=(), **fields):
        """False when that channel is closed to us by now."""
        try:
            wire.send(self.channel[peer], name, fields, fds)
            return True
        except OSError:
            return False

    def append(self, event, obj, **more):
        fields = {"token": 7, "event": events()[event], "severity": 5, "out": "ok", "act": "alice@demo.invalid", "obj": obj,
                  "have_dev": False, "dev": bytes(16), "refs": [], "msg": "so it is", "doc": "", **more}
        return self.say("audit", "APPEND", **fields)

    def kill(self):
        """Unless the supervisor, told of a broken contract, was quicker."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def release(self):
        """The role dies with what it has said; another one comes."""
        time.sleep(0.5)  # what was said is heard
        for s in self.channel.values():
            s.close()
        self.kill()
        until(lambda: self.gate.roles().get(self.role) not in (None, self.pid), 30)
        until(self.gate.up, 40)


@pytest.fixture
def story(gate):
    """R-1 is served, R-2 waits in review."""
    gate.first = gate.offer()
    gate.second = gate.offer(version="2.0.0")
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == gate.first
    gate.ask(version="2.0.0")
    gate.review(2)
    gate.before = len(gate.entries())
    return gate


def new(gate):
    return gate.entries()[gate.before:]


def memfd(data, seal=True):
    fd = os.memfd_create("x", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if seal:
        fcntl.fcntl(fd, 1033, 15)  # F_ADD_SEALS: seal, shrink, grow, write
    return fd


FORGED = ["RELEASE_ISSUED", "APPROVAL_SIGNED", "APPROVAL_EFFECTIVE", "RESTRICT_RESUME", "AUTHORITY_SIGNERS",
          "AUTHORITY_GENESIS", "AUTHORITY_POLICY", "POLICY_UNSIGNED", "STANDING_EFFECTIVE", "STANDING_REVOKED", "ROLLOUT_RESUMED",
          "APPROVAL_BREAKGLASS", "APPROVAL_AFTERREVIEW",
          "DEVICE_GRANT", "LOG_CHECKPOINT", "SVC_STOP"]


def test_edge_cannot_write_as_somebody_else(story):
    taken = Taken(story, "edge[0]")
    for event in FORGED:
        taken.append(event, "R-2")
    taken.append("DEVICE_FAILED", "release:" + "0" * 32, have_dev=True, msg="by its own name it may")
    taken.release()
    told = new(story)
    mine = [e for e in told if e.get("msg") in ("so it is", "by its own name it may")]
    assert [(e["ev"], e["src"].split("/")[1]) for e in mine] == [("device.failed", "edge0")]
    assert not [e for e in told if e["ev"] in ("release.issued", "approval.signed", "restrict.resume", "authority.signers",
                                               "authority.policy", "policy.unsigned", "standing.revoked", "rollout.resumed",
                                               "approval.breakglass", "approval.afterreview")]
    assert story.ask(version="2.0.0")[0] == 404


def test_edge_cannot_release_restrict_or_halt(story):
    taken = Taken(story, "edge[0]")
    fds = (memfd(b"evil"), memfd(b"\0\0\0\0"))
    for peer in list(taken.channel):
        taken.say(peer, "RESTRICT", token=1, kind=1, image=bytes(32), release=bytes(16), log_size=0)
        taken.say(peer, "UNHALT", at=1)
        taken.say(peer, "RELEASE", fds, release=bytes(16), image=bytes(32), size=4, block_size=65536, hot=True, record="{}")
    taken.release()
    assert story.served() == story.first
    assert story.ask(version="2.0.0")[0] == 404
    assert not [e for e in new(story) if e["ev"] in ("release.issued", "approval.revoked", "restrict.resume")]
    story.verify()


def test_edge_grants_of_nothing_convict_it(story):
    """It may lie about grants, on its own channel: the log then shows it, and so does whoever checks the log."""
    taken = Taken(story, "edge[0]")
    assert taken.say("audit", "GRANT_APPEND", generation=1, grants=[
        {"token": 1, "module": bytes([9] * 16), "release": bytes([8] * 16)}])
    taken.release()
    lies = [e for e in new(story) if e["ev"] == "device.grant" and e["obj"] == "release:" + "08" * 16]
    assert len(lies) <= 1
    if lies:
        assert "for what was never released" in story.verify(ok=(1,)).stdout
    assert story.ask(version="2.0.0")[0] == 404


def issue(image, **more):
    return {"token": 1, "review": "R-2", "image": image, "report": bytes(32), "policy": bytes(32), "resource": bytes(16),
            "subject": "story/FG100/*->2.0.0/rootfs.img", "profile": "story", "product": "FG100", "target": "2.0.0",
            "from": [{"text": "*"}], "groups": [{"text": "*"}], "max_devices": 1, "not_before": 0,
            "not_after": int(time.time()) + 86400, "findings": [], "checklist": [], "waived": [], "requesters": [], "quorum": 0, "terms_quorum": 0,
            "have_plan": False, "plan": bytes(32), "made": 0, "applier": "", "base": bytes(32), "target_image": bytes(32),
            "have_signer": False, "signer": bytes(32), "opened_at": 0,
            "now": 0, **more}


def test_control_cannot_release(story):
    taken = Taken(story, "control")
    for n in range(3):
        bundle = (b"\0\0\0\0", b"\0\0\0\1\0\0\0\2{}\0\0\0\3sig", b"")[n]
        assert taken.say("warden", "ISSUE", (memfd(story.second), memfd(bundle or b"x", seal=n < 2)), **issue(bytes(32)))
    assert taken.say("warden", "RESUME", (memfd(b"\0\0\0\0"),), token=1, halted_at=1, now=0)
    taken.release()
    assert story.ask(version="2.0.0")[0] == 404
    assert "release.issued" not in [e["ev"] for e in new(story)]
    assert story.served() == story.first
    story.verify()


def test_control_cannot_put_bytes_or_rows_before_modules(story):
    """Bytes come to edges from the warden alone; a table row beyond the records is refused."""
    taken = Taken(story, "control")
    edges = [p for p in taken.channel if p.startswith("edge")]
    assert len(edges) == 2
    fds = (memfd(story.second), memfd(bytes(32)))
    assert taken.say(edges[0], "RELEASE", fds, release=bytes(16), image=bytes(32), size=len(story.second), block_size=65536,
                     hot=True, record="{}")
    assert taken.say(edges[1], "TABLE", (memfd(os.urandom(4096)),), generation=1 << 40)
    for edge in edges:
        taken.say(edge, "GRANT_SAY", says=[{"token": t, "yes": True, "reason": 11, "lease_s": 3600} for t in range(32)])
    for n in range(4):
        status, _, body = story.ask(version="2.0.0", imei=luhn(f"3569380000001{n}"))
        assert status == 404 and story.second not in body
    taken.release()
    assert story.ask(version="2.0.0")[0] == 404
    assert story.served() == story.first
    story.verify()


def test_control_cannot_write_what_is_the_wardens_or_an_edges(story):
    taken = Taken(story, "control")
    for event in ("RELEASE_ISSUED", "RESTRICT_RESUME", "RESTRICT_HALT", "AUTHORITY_SIGNERS", "AUTHORITY_GENESIS",
                  "DEVICE_GRANT", "DEVICE_SERVED", "LOG_TAMPER", "SVC_EXIT"):
        taken.append(event, "release:" + "0" * 32)
    taken.append("MODULE_SIGHTING", "made up", msg="false sightings it may")
    taken.release()
    mine = [e for e in new(story) if e.get("msg") in ("so it is", "false sightings it may")]
    assert [(e["ev"], e["src"].split("/")[1]) for e in mine] == [("module.sighting", "control")]
    story.verify()


def test_control_cannot_end_a_halt(story):
    story.text("halt")
    at = story.cli("status")["halt"]["at"]
    assert at
    taken = Taken(story, "control")
    for peer in list(taken.channel):
        for t in (1, int(time.time()), int(time.time()) - 1, int(time.time()) - 2):
            taken.say(peer, "UNHALT", at=t)
    for n in range(4):
        assert story.ask(imei=luhn(f"3569380000001{n}"))[0] != 200
    time.sleep(0.5)
    for s in taken.channel.values():
        s.close()
    taken.kill()
    until(lambda: story.roles().get("control") not in (None, taken.pid), 30)
    until(lambda: story.cli("status", ok=(0, 3)).get("halt"), 30)
    assert story.ask()[0] != 200
    assert "restrict.resume" not in [e["ev"] for e in new(story)]


@pytest.fixture
def signed():
    """A gate whose policy people sign: number 1 is in force, number 2 lies on disk and alice alone has signed it."""
    gate = Gate(init=("--signed-policy",))
    conf = os.path.join(gate.root, "fotagate.conf")

    def propose(name, who):
        path = os.path.join(gate.dir, name)
        gate.cli("policy", "propose", "-c", conf, "-o", path)
        sigs = [f"{path}.{w}" for w in who]
        for w, sig in zip(who, sigs):
            gate.cli("policy", "sign", path, "--key", os.path.join(gate.root, "people", w), "-c", conf, "-o", sig)
        return [path, *sigs]

    try:
        gate.start()
        gate.one = propose("one.json", ("alice", "bob"))
        gate.cli("policy", "submit", *gate.one)
        until(lambda: not [a for a in gate.cli("status")["alerts"] if a["id"].startswith("POLICY")])
        gate.first = gate.offer()
        gate.ask()
        gate.review(1)
        gate.approve()
        assert gate.served() == gate.first
        gate.write_profile(PROFILE.replace("quorum = 2;", "quorum = 1;"))
        gate.cli("reload")
        until(lambda: [a for a in gate.cli("status")["alerts"] if a["id"] == "POLICY-UNSIGNED"])
        gate.two = propose("two.json", ("alice",))
        gate.before = len(gate.entries())
        yield gate
    finally:
        gate.close()


def handed_in(*paths):
    """As control hands a statement and its signatures to the warden."""
    parts = []
    for path in paths:
        with open(path, "rb") as f:
            parts.append(f.read())
    blob = lambda b: struct.pack(">I", len(b)) + b
    return blob(parts[0]) + struct.pack(">I", len(parts) - 1) + b"".join(map(blob, parts[1:]))


def in_force(gate):
    with open(os.path.join(gate.root, "data/images/approved/policy"), "rb") as f:
        return f.read(), sorted(os.listdir(os.path.join(gate.root, "data/authority/policy"))), gate.cli("policy", "show")["number"]


def no_other_policy(gate, was):
    assert in_force(gate) == was and was[2] == 1
    assert [a["id"] for a in gate.cli("status")["alerts"] if a["id"].startswith("POLICY")] == ["POLICY-UNSIGNED"]
    assert "authority.policy" not in [e["ev"] for e in new(gate)]
    assert gate.served() == gate.first
    gate.verify()


def test_control_cannot_put_a_policy_in_force(signed):
    """One person's signature, the same twice, another's over another text, the one before, and none: all at the warden."""
    was = in_force(signed)
    path, alice = signed.two
    taken = Taken(signed, "control")
    for token, data in enumerate((handed_in(path, alice), handed_in(path, alice, alice), handed_in(path, alice, signed.one[2]),
                                  handed_in(*signed.one), handed_in(path), handed_in(path, path), b"\0\0\0\0", b"x")):
        assert taken.say("warden", "POLICY", (memfd(data),), token=token)
    assert taken.say("warden", "POLICY", (memfd(handed_in(*signed.one), seal=False),), token=99)
    taken.release()
    no_other_policy(signed, was)


def test_others_words_put_no_policy_in_force(signed):
    """Nobody but the warden may say that one is; and its word alone, without its files and the log, makes none either."""
    was = in_force(signed)
    others = {n: p for n, p in signed.roles().items() if n in ("warden", "audit")}
    for role in ("control", "edge[0]"):
        taken = Taken(signed, role)
        for peer in list(taken.channel):
            taken.say(peer, "POLICY_TAKEN", token=1, ok=True, why="", number=2)
            taken.say(peer, "POLICY", (memfd(handed_in(*signed.two)),), token=1)
        taken.release()
    now = signed.roles()
    assert all(now.get(n) == p for n, p in others.items()), (others, now)
    no_other_policy(signed, was)
    taken = Taken(signed, "warden")
    for number in (0, 2, 1 << 31):
        for peer in ("control", "supervisor"):
            assert taken.say(peer, "POLICY_TAKEN", token=0, ok=True, why="", number=number)
    taken.release()
    no_other_policy(signed, was)


@pytest.mark.parametrize("role", ["edge[1]", "control", "warden", "audit"])
def test_nonsense_ends_the_channel_and_nothing_else(story, role):
    """Whatever a role says that nobody may say: those who hear it go on."""
    taken = Taken(story, role)
    others = {n: p for n, p in story.roles().items() if n != role}
    for peer, s in taken.channel.items():
        if peer == "supervisor":
            continue
        for data in (b"\1\0\0\xff" + os.urandom(40), b"\1\0\0\x30", os.urandom(64), b"\0"):
            try:
                s.send(data)
            except OSError:
                break
    taken.release()
    now = story.roles()
    assert all(now.get(n) == p for n, p in others.items()), (others, now)
    assert story.served() == story.first
    story.verify()


def take_job(gate, name):
    """A job of that name; one that ended before it was stopped is let go, another comes."""
    def take():
        try:
            return Taken(gate, name)
        except (KeyError, FileNotFoundError, ProcessLookupError):
            return None
    return until(take, 20, 0)


# What a job's one channel may be made to carry -> what control says of the job then.
OTHERS_WORDS = {
    "another job's answer": "the answer names another job",
    "an entry for the log": "not the message that was due",
    "a grant": "not the message that was due",
    "a restriction": "not the message that was due",
    "a halt": "not the message that was due",
    "noise": "not the message that was due",
    "nothing": "signal 9",
}


def say_as_job(taken, answer, fields, what):
    assert set(taken.channel) == {"control"}, "a job reaches control and nobody else"
    s = taken.channel["control"]
    if what == "another job's answer":
        wire.send(s, answer, fields, (memfd(b"{}"),))
    elif what == "an entry for the log":
        taken.channel["audit"] = s
        taken.append("RELEASE_ISSUED", "R-2")
    elif what == "a grant":
        taken.say("control", "GRANT_SAY", says=[{"token": 1, "yes": True, "reason": 11, "lease_s": 3600}])
    elif what == "a restriction":
        taken.say("control", "RESTRICT", token=1, kind=1, image=bytes(32), release=bytes(16), log_size=0)
    elif what == "a halt":
        taken.say("control", "HALT", at=1, by_uid=0)
    elif what == "noise":
        s.send(os.urandom(64))
    time.sleep(0.1)
    s.close()
    taken.kill()


def nothing_came_of_it(gate, others):
    now = gate.roles()
    assert all(now.get(n) == p for n, p in others.items()), (others, now)
    assert gate.up() and not gate.cli("status").get("halt")
    assert gate.served() == gate.first
    assert not [e for e in new(gate) if e["ev"] in ("release.issued", "restrict.halt") or e.get("msg") == "so it is"]
    gate.verify()


def test_upstream_cannot_speak_for_others(story):
    others = story.roles()
    for n, (what, told) in enumerate(OTHERS_WORDS.items()):
        version = f"3.0.{n}"
        story.offer(version=version)
        path = f"/FG100/{version}/rootfs.img"
        story.vendor.release.clear()
        story.vendor.modes[path] = "stall"
        assert story.ask(version=version)[0] == 404
        taken = take_job(story, "upstream")
        say_as_job(taken, "FETCH_DONE", {"job": 7, "outcome": 1, "finding": 0, "http_status": 200, "bytes": 5,
                                         "signature_bytes": 0, "kept": [], "shown": [], "shown_more": False,
                                         "detail": ""}, what)
        story.vendor.release.set()
        assert told in story.review(n + 3, "fetch-failed")["text"], what
        assert story.ask(version=version)[0] == 404
    nothing_came_of_it(story, others)


def test_inspect_cannot_speak_for_others(story):
    others = story.roles()
    data = os.urandom(64 << 20)  # so that it can be met at work
    for n, (what, told) in enumerate(OTHERS_WORDS.items()):
        version = f"3.0.{n}"
        story.offer(version=version, data=data + bytes([n]))
        assert story.ask(version=version)[0] == 404
        taken = take_job(story, "inspect")
        say_as_job(taken, "INSPECTED", {"job": 7, "stage": 1}, what)
        assert "not end with a whole report" in story.review(n + 3, "blocked")["text"], what
        found = {f["id"]: f["severity"] for f in story.cli("review", "show", f"R-{n + 3}")["findings"]}
        assert found["INSPECT-CRASHED" if "signal" in told else "INSPECT-MALFORMED"] == "block", what
        story.sign(f"R-{n + 3}", "alice", ok=(1,))
    nothing_came_of_it(story, others)
