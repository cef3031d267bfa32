# SPDX-License-Identifier: Apache-2.0
"""Who may ask the gateway for what, on the real socket. A role is never a vote: only signatures permit."""
import base64
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading

import pytest

from gate import BIN, IMEI, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become somebody else")

NOBODY = 65534
# Groups that every Debian has, in the parts of the gateway's own.
GROUPS = {"viewer": "games", "operator": "audio", "approver": "video", "admin": "tape", "auditor": "voice"}
ALL = set(GROUPS)
OPERATE, ACT, SIGN = {"operator", "admin"}, {"operator", "approver", "admin"}, {"approver", "admin"}
EVIDENCE = {"auditor", "approver", "admin"}
MATRIX = {
    "status": ALL, "people.list": ALL, "profile.list": ALL, "sighting.list": ALL, "review.list": ALL, "policy.explain": ALL,
    "review.show": ALL, "review.report": ALL, "release.list": ALL, "module.list": ALL, "module.show": ALL,
    "rollout.list": ALL, "rollout.show": ALL, "rollout.pause": ACT, "rollout.abort": ACT,
    "module.explain": ALL, "audit.head": ALL, "audit.open": ALL, "audit.proof": ALL, "file.open": ALL,
    "supplier.list": ALL, "supplier.show": ALL,
    "profile.unknown": ACT, "profile.draft": ACT, "policy.whatif": ACT,
    "review.statement": SIGN, "resume.statement": SIGN,
    "review.submit": ACT, "review.reject": ACT, "review.reopen": ACT, "release.revoke": ACT, "resume.submit": ACT,
    "module.reveal": ACT, "privacy.erase": {"admin"},
    "fetch.retry": OPERATE, "import": OPERATE, "module.import": OPERATE, "egress.import": OPERATE, "module.hold": OPERATE,
    "module.unhold": OPERATE,
    "audit.export": EVIDENCE, "audit.cosigned": EVIDENCE,
    "people.propose": ACT, "people.submit": ACT, "people.suspend": ACT,
}
# One process for many calls: becomes somebody, then asks what it is told to.
CALLER = r"""
import array, json, os, socket, struct, sys
path, uid, gids = sys.argv[1], int(sys.argv[2]), [int(g) for g in sys.argv[3].split(",") if g]
os.setgroups(gids)
os.setgid(uid)
os.setuid(uid)
def blob(b):
    return struct.pack(">I", len(b)) + b
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(30)
s.connect(path)
for n, line in enumerate(sys.stdin, 1):
    request, args, files = json.loads(line)
    fds = [os.open(f, os.O_RDONLY) for f in files]
    text = json.dumps(args, sort_keys=True, separators=(",", ":")).encode()
    socket.send_fds(s, [struct.pack(">BBH", 1, 0, 144) + struct.pack(">Q", n) + blob(request.encode())
                        + struct.pack(">I", len(fds)) + blob(text)], fds)
    data, got, _, _ = socket.recv_fds(s, 1 << 17, 4)
    token, status, big, _ = struct.unpack_from(">QBBB", data, 4)
    assert token == n
    size, = struct.unpack_from(">I", data, 15)
    doc = os.pread(got[0], 1 << 24, 0) if big else data[19:19 + size]
    for fd in fds + list(got):
        os.close(fd)
    print(json.dumps([status, json.loads(doc)]), flush=True)
"""


def gid(group):
    with open("/etc/group") as f:
        return next(int(line.split(":")[2]) for line in f if line.startswith(group + ":"))


def call(gate, who, *calls):
    """who: None for root, a set of roles for a user without any right of its own. [(status, document)]"""
    uid, gids = (0, "0") if who is None else (NOBODY, ",".join(str(gid(GROUPS[r])) for r in sorted(who)))
    path = os.path.join(gate.root, "run/control.sock")
    text = "".join(json.dumps([request, args, files]) + "\n" for request, args, files in calls)
    done = subprocess.run(["/usr/bin/python3", "-c", CALLER, path, str(uid), gids], input=text, capture_output=True,
                          text=True, timeout=60, cwd="/")
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def denied(answer):
    return answer[1].get("error", {}).get("id") == "DENIED"


@pytest.fixture
def house(gate):
    gate.set("roles = { " + " ".join(f'{role} = "{group}";' for role, group in GROUPS.items()) + " };")
    gate.start()
    return gate


@pytest.fixture
def story(house):
    """With an image in review and a module."""
    house.offer()
    house.ask()
    house.review(1)
    until(lambda: house.reviews("review")[0]["asked"] == 1)  # written down
    return house


def test_every_request_by_every_caller(house):
    # Without arguments nothing is done: whoever may ask is told what is missing, at most.
    calls = [(request, {}, []) for request in MATRIX]
    for role in GROUPS:
        for request, answer in zip(MATRIX, call(house, {role}, *calls)):
            assert denied(answer) == (role not in MATRIX[request]), (role, request, answer)
    for request, answer in zip(MATRIX, call(house, None, *calls)):
        assert not denied(answer), (request, answer)
    for request, answer in zip(MATRIX, call(house, set(), *calls)):
        assert denied(answer) and answer[0] == 1, (request, answer)
    roles = {"viewer", "approver"}
    for request, answer in zip(MATRIX, call(house, roles, *calls)):
        assert denied(answer) == (not roles & MATRIX[request]), (request, answer)


def test_what_is_not_in_the_table_does_not_exist(house):
    for who in (None, set(), {"admin"}):
        for request in ("release.issue", "review.approve", "halt", "Status", "status "):
            status, doc = call(house, who, (request, {}, []))[0]
            assert status == 2 and doc["error"]["id"] in ("UNKNOWN-REQUEST", "USAGE")


def changes(gate):
    """Everything that a person could want to change, with arguments that are right."""
    csv = os.path.join(gate.dir, "modules.csv")
    with open(csv, "w") as f:
        f.write(f"kind,identity,group,product,version\nimei,{IMEI},canary,FG100,9.9.9\n")
    image = os.path.join(gate.dir, "image")
    with open(image, "wb") as f:
        f.write(os.urandom(1000))
    for path in (csv, image):
        os.chmod(path, 0o644)
    module = f"imei:{IMEI}"
    return [
        ("review.reject", {"review": "R-1", "reason": "because I can"}, []),
        ("review.reopen", {"review": "R-1"}, []),
        ("release.revoke", {"review": "R-1", "reason": "because I can"}, []),
        ("rollout.pause", {"review": "R-1", "reason": "because I can"}, []),
        ("rollout.abort", {"review": "R-1", "reason": "because I can"}, []),
        ("fetch.retry", {"review": "R-1"}, []),
        ("import", {"profile": "story", "product": "FG100", "version": "7.0"}, [image]),
        ("module.import", {}, [csv]),
        ("egress.import", {}, [csv]),
        ("module.hold", {"module": module, "reason": "because I can"}, []),
        ("module.unhold", {"module": module, "reason": "because I can"}, []),
        ("review.submit", {}, [csv, image]),
        ("resume.submit", {}, [csv, image]),
    ]


def state(gate):
    return [gate.cli(*v) for v in (("review", "list"), ("module", "show", f"imei:{IMEI}"), ("release", "list"))]


@pytest.mark.parametrize("who", [set(), {"viewer"}, {"auditor"}], ids=["nobody", "viewer", "auditor"])
def test_a_refused_request_changes_nothing_and_is_told_once(story, who):
    before, events = state(story), [e["ev"] for e in story.entries()]
    assert all(denied(a) for a in call(story, who, *changes(story)))
    assert state(story) == before
    assert story.stop() == 0
    story.start()
    new = story.entries()[len(events):]
    told = [e for e in new if e["cat"] == "authz"]
    assert [(e["ev"], e["out"], e["ref"]["count"]) for e in told] == [("authz.denied", "denied", len(changes(story)))]
    assert {e["cat"] for e in new} <= {"authz", "svc", "log", "policy"}, new
    story.verify()


def test_approvers_may_not_permit_without_signatures(story):
    who = {"approver"}
    path = os.path.join(story.dir, "statement")
    status, doc = call(story, who, ("review.statement", {"review": "R-1", "reason": "I would like it",
                                                         "approver": "alice@demo.invalid"}, []))[0]
    assert status == 0
    with open(path, "w") as f:
        f.write(doc["statement"] if isinstance(doc.get("statement"), str) else json.dumps(doc, sort_keys=True))
    # A key of one's own is no person's.
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path + ".key"], check=True)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-approval@v1", "-f", path + ".key", path], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
    for name in (path, path + ".sig"):
        os.chmod(name, 0o644)
    answer = call(story, who, ("review.submit", {}, [path, path + ".sig"]))[0]
    assert answer[0] != 0 and not denied(answer)
    shown = story.cli("review", "show", "R-1")
    assert shown["have"] == 0 and shown["state"] == "review"
    assert story.ask()[0] == 404
    assert "release.issued" not in [e["ev"] for e in story.entries()]


def test_members_bring_signatures_of_others_and_those_count(story):
    """Who hands a signature in does not matter; whose it is does."""
    for person in ("alice", "bob"):
        status, doc = call(story, {"approver"}, ("review.statement", {
            "review": "R-1", "reason": "read the report", "approver": f"{person}@demo.invalid"}, []))[0]
        assert status == 0
        path = os.path.join(story.dir, person)
        with open(path, "w") as f:
            f.write(doc["statement"])
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-approval@v1", "-f",
                        os.path.join(story.root, "people", person), path], check=True, stdin=subprocess.DEVNULL,
                       capture_output=True)
        for name in (path, path + ".sig"):
            os.chmod(name, 0o644)
        answer = call(story, {"operator"}, ("review.submit", {}, [path, path + ".sig"]))[0]
        assert answer[0] == 0, answer
    story.served()
    story.verify()


def test_an_auditor_forwards_the_log(story):
    """What systemd/fotagate-forward.service runs: nothing but the auditors' group, and every entry arrives."""
    got, path = [], os.path.join(story.dir, "collector")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        os.chmod(path, 0o666)
        s.settimeout(1)

        def collect():
            with contextlib.suppress(TimeoutError):
                while True:
                    got.append(s.recv(1 << 20).decode("ascii"))
        t = threading.Thread(target=collect)
        t.start()
        done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", f"--groups={gid(GROUPS['auditor'])}",
                               os.path.join(BIN, "fotagate"), "-C", os.path.join(story.root, "run"), "audit", "forward", "--once",
                               "--to", f"unix:{path}"], capture_output=True, text=True, timeout=60, cwd="/")
        t.join()
    assert done.returncode == 0, done.stderr
    with open(os.path.join(story.export(), "entries.jsonl"), "rb") as f:
        lines = f.read().splitlines()
    leaves = [hashlib.sha256(b"\0" + line).hexdigest() for line in lines]
    assert len(got) > 10 and " log.checkpoint " in got[-1]
    assert [re.search(r' leaf="([0-9a-f]+)"', m)[1] for m in got[:-1]] == leaves[:len(got) - 1]
    note = base64.b64decode(re.search(r' note="([^"]+)"', got[-1])[1]).decode()
    assert note.splitlines()[1] == str(len(got) - 1) and "\u2014 " in note
    assert IMEI not in "".join(got)


REASON = "CHG-4901: the driver is on the phone"


def test_no_view_shows_an_identity_in_clear(story):
    """Whatever is asked without arguments, or about the one module: masked for everybody, root too."""
    story.get(f"/strange/{IMEI}/x.bin?token=a1b2c3d4e5f6a7b8", headers={"User-Agent": f"EC21 {IMEI}"})
    until(lambda: story.cli("profile", "unknown")["unknown"])
    module = story.cli("module", "list")["modules"][0]["id"]
    calls = [(request, {}, []) for request in MATRIX]
    calls += [("module.show", {"module": module}, []), ("module.explain", {"module": module}, []),
              ("review.show", {"review": "R-1"}, []), ("profile.list", {}, [])]
    for who in [None] + [{role} for role in GROUPS]:
        answers = call(story, who, *calls)
        assert IMEI not in json.dumps(answers) and "a1b2c3d4e5f6a7b8" not in json.dumps(answers), who
        shown = answers[len(MATRIX)][1]["identities"]
        assert [i["text"] for i in shown] == ["*" * 11 + IMEI[-4:]], who
    assert IMEI not in story.text("module", "list") + story.text("module", "show", module) + story.text("profile", "unknown")
    assert IMEI not in open(story.log, errors="replace").read()


def test_an_identity_is_revealed_to_whom_the_log_names(story):
    module = story.cli("module", "list")["modules"][0]["id"]
    reveal = ("module.reveal", {"module": module, "reason": REASON}, [])
    for who in ({"viewer"}, {"auditor"}, {"viewer", "auditor"}, set()):
        assert denied(call(story, who, reveal)[0])
        # Nor may they try out who it is.
        for request in ("module.show", "module.explain"):
            assert denied(call(story, who, (request, {"module": f"imei:{IMEI}"}, []))[0]), who
    for n, who in enumerate([{"operator"}, {"approver"}, {"admin"}, None], 1):
        status, doc = call(story, who, reveal)[0]
        assert status == 0 and [i["text"] for i in doc["identities"]] == [IMEI]
    assert IMEI in story.text("module", "reveal", module, "--reason", REASON)
    # Reasons are kept for years: the identity may not be in them, however it is written.
    for reason in (f"who is {IMEI}?", " ".join(IMEI), ""):
        for request in ("module.reveal", "privacy.erase", "module.hold", "module.unhold"):
            status, doc = call(story, {"admin"}, (request, {"module": module, "reason": reason}, []))[0]
            assert status != 0 or (not reason and request.startswith("module.") and "hold" in request), (request, reason)
    entries = [e for e in story.entries() if e["ev"] == "device.revealed"]
    assert [(e["dev"], e["msg"], e["out"]) for e in entries] == [(module, REASON, "ok")] * 5
    assert len({e["act"] for e in entries}) == 2 and IMEI not in json.dumps(story.entries())
    story.verify()


def test_nothing_is_revealed_that_the_log_does_not_take(story):
    module = story.cli("module", "list")["modules"][0]["id"]
    os.kill(story.roles()["audit"], signal.SIGSTOP)
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([os.path.join(BIN, "fotagate"), "-C", os.path.join(story.root, "run"), "module", "reveal", module,
                        "--reason", REASON], capture_output=True, timeout=2)
    story.kill_role("audit")
    until(lambda: story.cli("status")["permitting"])


def files_hold(gate, needle):
    found = []
    for folder, _, names in os.walk(os.path.join(gate.root, "data")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                if needle in f.read():
                    found.append(name)
    return found


def test_a_module_is_forgotten(story):
    module = story.cli("module", "list")["modules"][0]["id"]
    story.approve()
    data = story.served()
    story.get(f"/strange/{IMEI}/x.bin")
    until(lambda: story.cli("profile", "unknown")["unknown"])
    assert files_hold(story, IMEI.encode())
    erase = ("privacy.erase", {"module": module, "reason": REASON}, [])
    for who in ({"viewer"}, {"auditor"}, {"operator"}, {"approver"}):
        assert denied(call(story, who, erase)[0])
    # Forgetting a restriction would lift it.
    story.cli("module", "hold", module, "--reason", "asked for")
    assert call(story, {"admin"}, erase)[0][1]["error"]["id"] == "HELD"
    story.cli("module", "unhold", module, "--reason", "agreed")
    assert call(story, {"admin"}, erase)[0] == (0, {"erased": 1})
    assert not story.cli("module", "list")["modules"] and files_hold(story, IMEI.encode()) == []
    assert call(story, {"admin"}, erase)[0][1]["error"]["id"] == "NOT-FOUND"
    story.cli("privacy", "erase", "--before", "2001", "--reason", REASON, ok=(1,))
    assert "has not begun" in story.cli("privacy", "erase", "--before", "9999", "--reason", REASON, ok=(2,))["error"]["text"]
    entry, = [e for e in story.entries() if e["ev"] == "device.erased"]
    assert (entry["dev"], entry["msg"], entry["obj"]) == (module, REASON, "module")
    # The log still proves what was done, and by whom it was asked for stays a pseudonym.
    story.verify()
    # Back again under the same key: the same pseudonym, and no second grant. (Edges tell of a module once a minute.)
    assert story.stop() == 0
    story.start()
    assert story.served() == data
    until(lambda: [m for m in story.cli("module", "list")["modules"] if m["id"] == module])
    assert len([e for e in story.entries() if e["ev"] == "device.grant"]) == 1
    # With another key nobody can try out any more who the erased one was.
    story.cli("privacy", "erase", "--module", module, "--reason", REASON)
    story.cli("privacy", "rotate", "--dir", story.root, ok=(1,))  # it is running
    with open(os.path.join(story.root, "keys/epoch.key"), "rb") as old:
        assert story.stop() == 0
        story.tool("fotagate", "privacy", "rotate", "--dir", story.root)
        old.seek(0)
        assert set(old.read()) == {0}
    assert os.stat(os.path.join(story.root, "keys/epoch.key")).st_mode & 0o777 == 0o600
    story.start()
    assert story.served() == data
    assert [m["id"] for m in until(lambda: story.cli("module", "list")["modules"])] != [module]
    assert len([e for e in story.entries() if e["ev"] == "device.grant"]) == 2
    story.verify()


def test_a_known_module_keeps_its_pseudonym_and_grant_over_a_new_key(story):
    module = story.cli("module", "list")["modules"][0]["id"]
    story.approve()
    data = story.served()
    assert story.stop() == 0
    story.tool("fotagate", "privacy", "rotate", "--dir", story.root)
    story.start()
    assert story.served() == data
    assert [m["id"] for m in story.cli("module", "list")["modules"]] == [module]
    assert len([e for e in story.entries() if e["ev"] == "device.grant"]) == 1
    story.verify()


def halt(gate, who):
    gids = ",".join(str(gid(GROUPS[r])) for r in who)
    groups = f"--groups={gids}" if gids else "--clear-groups"
    return subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", groups, os.path.join(BIN, "fotagate"),
                           "-C", os.path.join(gate.root, "run"), "halt"], capture_output=True, timeout=60,
                          cwd="/").returncode


def test_only_operators_halt(house):
    for who in (set(), {"viewer"}, {"auditor"}):
        assert halt(house, who) != 0
        assert house.cli("status")["halt"] is None
    assert halt(house, {"operator"}) == 0
    assert house.cli("status")["halt"]


@pytest.mark.parametrize("garbage", [b"", b"\0", b"\1\0\0\x90", b"\1\0\0\x90" + b"\xff" * 60, b"\1\0\0\x01" + b"\0" * 40,
                                     b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_call_ends_the_connection_and_nothing_else(house, garbage):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(20)
        s.connect(os.path.join(house.root, "run/control.sock"))
        before = sorted(house.roles().values())
        s.send(garbage or struct.pack(">BBH", 1, 0, 999))
        assert s.recv(4096) == b""
    assert house.cli("status")["permitting"]
    assert sorted(house.roles().values()) == before
