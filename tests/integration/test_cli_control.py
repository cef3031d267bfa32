# SPDX-License-Identifier: Apache-2.0
"""The command line against a control that is ours to make lie: what it shows, refuses to sign, and takes away."""
import base64
import hashlib
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

import fcntl
import pytest

BIN = os.environ.get("FG_BIN", "")
SRC = os.environ.get("FG_SRC", "")
FOTAGATE = os.path.join(BIN, "fotagate")

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")

CALL, REPLY, HALT = 144, 145, 9
SEALS = 0x0F


def blob(b):
    return struct.pack(">I", len(b)) + b


def frame(kind, body):
    return struct.pack(">BBH", 1, 0, kind) + body


def canonical(doc):
    return json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def memfd(data, seals=SEALS):
    fd = os.memfd_create("reply", os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if seals:
        fcntl.fcntl(fd, 1033, seals)
    return fd


class Reply:
    """status and document; big: in a memfd with these seals; file: bytes behind a read-only descriptor."""

    def __init__(self, doc, status=0, big=None, file=None, raw=None):
        self.doc, self.status, self.big, self.file, self.raw = doc, status, big, file, raw

    def pack(self, token, tmp):
        if self.raw is not None:
            return self.raw(token), []
        text, fds = self.doc if isinstance(self.doc, bytes) else canonical(self.doc), []
        if self.big is not None:
            fds.append(memfd(text, self.big))
        if self.file is not None:
            path = os.path.join(tmp, hashlib.sha256(self.file).hexdigest())
            with open(path, "wb") as f:
                f.write(self.file)
            fds.append(os.open(path, os.O_RDONLY))
        body = struct.pack(">QBBB", token, self.status, self.big is not None, self.file is not None)
        return frame(REPLY, body + blob(b"" if self.big is not None else text)), fds


def error(ident, text, status=1, cure="do this"):
    return Reply({"error": {"cure": cure, "id": ident, "text": text}}, status)


class Control(threading.Thread):
    def __init__(self, run, tmp):
        super().__init__(daemon=True)
        self.tmp, self.answers, self.calls, self.over = str(tmp), {}, [], False
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(os.path.join(run, "control.sock"))
        self.sock.listen()
        self.start()

    def run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            if self.over:
                conn.close()
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def stop(self):
        """Closed under a thread that waits in accept, the number of the socket would be the next test's."""
        self.over = True
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(self.sock.getsockname())
            self.join(60)
        assert not self.is_alive()
        self.sock.close()

    def serve(self, conn):
        self.conn = conn
        with conn:
            while True:
                data, fds, _, _ = socket.recv_fds(conn, 65536, 4)
                if not data:
                    return
                assert data[:4] == struct.pack(">BBH", 1, 0, CALL)
                token, n = struct.unpack_from(">QI", data, 4)
                request = data[16:16 + n].decode()
                count, size = struct.unpack_from(">II", data, 16 + n)
                args = data[24 + n:]
                assert len(args) == size and count == len(fds) and canonical(json.loads(args)) == args
                sent = []
                for fd in fds:
                    os.lseek(fd, 0, 0)
                    sent.append(os.read(fd, 1 << 20))
                    os.close(fd)
                self.calls.append((request, json.loads(args), sent))
                answer = self.answers.get(request)
                if callable(answer):
                    answer = answer(json.loads(args))
                if answer is None:
                    return  # hangs up
                out, out_fds = answer.pack(token, self.tmp)
                socket.send_fds(conn, [out], out_fds)
                for fd in out_fds:
                    os.close(fd)


@pytest.fixture
def control(tmp_path):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    c = Control(str(run_dir), tmp_path)
    c.dir = tmp_path
    yield c
    c.stop()


def cli(control, *args, want=0, cwd=None):
    env = {k: v for k, v in os.environ.items() if k != "FOTAGATE_DIR"}
    r = subprocess.run([FOTAGATE, *map(str, args), "--run-dir", control.dir / "run"], capture_output=True, timeout=120,
                       cwd=cwd, env=env)
    assert r.returncode == want, (r.stdout, r.stderr)
    r.out, r.err = r.stdout.decode(), r.stderr.decode()
    return r


PEOPLE = {"floors": {"canary": 1, "canary_max": 50, "production": 2}, "number": 0, "people": [
    {"keys": [{"fingerprint": "SHA256:abc", "require_uv": False, "valid_after": "2026-01-01T00:00:00Z",
               "valid_before": "2028-01-01T00:00:00Z"}], "principal": "alice@x.example", "user": "alice"}], "threshold": 2}


def line(who, key, **other):
    """One signer of a set."""
    return {"key": key, "principal": who, "require_uv": False, "user": "", "valid_after": "2026-01-01T00:00:00Z",
            "valid_before": "2028-01-01T00:00:00Z", **other}


def fresh(who, key, **other):
    """One that the set of statement_of_set brings."""
    return line(who, key, **{"valid_after": "2026-01-02T00:00:00Z", "valid_before": "2028-01-02T00:00:00Z", **other})


def statement_of_set(*signers, threshold=1, number=2, previous="", predicate=None, **other):
    """The statement of a signer set of gate.example.net/log, as a gateway writes it."""
    members = {"number": number, "previous": previous, "threshold": threshold, "time": "2026-01-02T00:00:00Z",
               "signers": list(signers), **other}
    return canonical({"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:fotagate:signers:v1", "predicate": {
        "gateway": "gate.example.net/log", "set": members, **(predicate or {})}, "subject": [{"name": "signers", "digest": {
            "sha256": hashlib.sha256(canonical(members)).hexdigest()}}]}).decode()


class Board:
    """A control that shows a set in force, with alice, bob and (suspended) dave, and proposes what a test says."""

    def __init__(self, control, tmp_path):
        self.control, self.dir, self.out, self.prints = control, tmp_path, tmp_path / "set", {}
        for name in ("alice", "bob", "carol", "dave", "mallory"):
            path = str(tmp_path / name)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True)
            setattr(self, name, (f"{name}@x.example", " ".join((tmp_path / f"{name}.pub").read_text().split()[:2])))
            self.prints[name] = subprocess.run(["ssh-keygen", "-lf", path], check=True, capture_output=True,
                                               text=True).stdout.split()[1]
        self.kept = [line(*self.alice, user="alice"), line(*self.bob)]
        self.now = statement_of_set(*self.kept, line(*self.dave), threshold=2, number=1, previous="ab" * 32)
        self.previous = hashlib.sha256(self.now.encode()).hexdigest()
        self.shows(self.now)
        self.tells("alice", "bob")

    def tells(self, *names):
        """What people.list says: these count, dave is suspended."""
        key = PEOPLE["people"][0]["keys"][0]
        gone = {"at": "2026-01-01T00:00:00Z", "by": "root", "reason": "lost"}
        self.control.answers["people.list"] = Reply({**PEOPLE, "people": [
            {"keys": [{**key, "fingerprint": self.prints[n], **({"suspended": gone} if n == "dave" else {})}],
             "principal": getattr(self, n)[0], "user": ""} for n in (*names, "dave")]})

    def shows(self, text):
        def answer(args):
            assert args == {"kind": "signers", "number": 1}
            return Reply({"digest": "00" * 32}, file=text.encode())
        self.control.answers["file.open"] = answer

    def text(self, *signers, **other):
        return statement_of_set(*signers, **{"previous": self.previous, "threshold": 2, **other})

    def ask(self, text, *options, want=0, name="signers.2.json"):
        self.control.answers["people.propose"] = Reply({"gateway": "gate.example.net/log", "name": name, "statement": text})
        self.out.unlink(missing_ok=True)
        r = cli(self.control, "people", "propose", *options, "-o", self.out, want=want)
        assert self.out.exists() == (want == 0)
        return r

    def add(self, name, account=""):
        return "--add", f"{name}@x.example{account} {self.dir}/{name}.pub"

    def refused(self, why, text, *options):
        r = self.ask(text, *(options or self.add("carol")), want=1)
        assert why in r.err and "You decide" not in r.err, r.err


def marks(r):
    return re.findall(r"(?m)^(\w*) +(\w+)@", r.err)


@pytest.fixture
def board(control, tmp_path):
    return Board(control, tmp_path)


def test_a_signer_set_is_looked_at_before_anybody_signs_it(board):
    """What control proposes must be what was asked for: nobody comes, comes back or goes unasked."""
    alice, bob = board.kept
    carol, mallory, dave = fresh(*board.carol), fresh(*board.mallory), line(*board.dave)
    board.refused("leaves out " + board.prints["carol"], board.text(alice, bob, mallory), *board.add("carol"),
                  *board.add("mallory"))
    board.refused("a key that nobody asked for", board.text(alice, bob, carol, mallory))
    board.refused("nobody asked to take out", board.text(alice, carol))
    board.refused("a suspended key", board.text(alice, bob, dave, carol))
    board.refused("not one in the form", board.text(alice, bob, carol) + " ")
    board.refused("not one in the form", "{}")
    board.refused("threshold", board.text(alice, bob, carol), *board.add("carol"), "--threshold", "3")
    r = board.ask(board.text(alice, bob, carol), *board.add("carol"))
    assert board.out.read_text() == board.text(alice, bob, carol)
    assert marks(r) == [("", "alice"), ("", "bob"), ("new", "carol"), ("suspended", "dave")]
    assert [c[:2] for c in board.control.calls[-2:]] == [("people.propose", {"add": [" ".join(board.carol)]}),
                                                         ("file.open", {"kind": "signers", "number": 1})]
    # Whoever is named may go, come back, run longer, or have another key.
    longer = {**bob, "valid_before": "2026-04-12T00:00:00Z"}
    for options, signers, mark in (
            (("--remove", "bob@x.example"), (alice, carol), ("out", "bob")),
            (("--remove", board.prints["bob"]), (alice, carol), ("out", "bob")),
            (("--restore", "dave@x.example"), (alice, bob, dave, carol), ("back", "dave")),
            (("--replace", f"{board.prints['bob']} {board.dir}/mallory.pub"), (alice, {**mallory, "principal": bob["principal"]},
                                                                              carol), ("out", "bob"))):
        assert mark in marks(board.ask(board.text(*signers), *board.add("carol"), *options))
    r = board.ask(board.text(alice, longer), "--renew", board.prints["bob"], "--valid-days", "100")
    assert marks(r) == [("", "alice"), ("changed", "bob"), ("was", "bob"), ("suspended", "dave")]
    second = fresh(board.alice[0], board.carol[1], user="alice")
    board.ask(board.text(alice, bob, second), "--add", f"alice@x.example {board.dir}/carol.pub")
    board.ask(board.text(alice, bob, {**carol, "user": "cc"}), *board.add("carol", "=cc"))
    assert "it was 2" in board.ask(board.text(alice, bob, threshold=1), "--threshold", "1").err
    board.control.answers["people.propose"] = Reply({
        "gateway": "gate.example.net/log", "name": "../set", "statement": board.text(alice, bob, threshold=1)})
    assert "name" in cli(board.control, "people", "propose", "--threshold", "1", want=1, cwd=board.dir).err


def test_a_control_that_lies_about_who_may_sign_now(board):
    """people.list is control's word as the statement is: what was before is the text whose digest the statement names."""
    alice, bob = board.kept
    carol, mallory = fresh(*board.carol), fresh(*board.mallory)
    # Her key in both: the list and the statement agree, and the set in force does not know her.
    board.tells("alice", "bob", "mallory")
    board.refused("lists " + board.prints["mallory"] + " of mallory@x.example", board.text(alice, bob, mallory, carol))
    board.tells("alice", "bob")
    # One person who counts as two, another account, dates, keys with and without a PIN.
    for which, other, field in ((0, {"principal": "alice2@x.example"}, "the person"), (0, {"user": "mallory"}, "the account"),
                                (1, {"user": "bob"}, "the account"), (1, {"valid_before": "2038-01-01T00:00:00Z"}, "the dates"),
                                (1, {"valid_after": "2027-01-01T00:00:00Z"}, "the dates")):
        changed = [dict(alice), dict(bob)]
        changed[which].update(other)
        board.refused(field + " of " + board.prints[("alice", "bob")[which]], board.text(*changed, carol))
    for other, field in (({"principal": "alice@x.example"}, "the person"), ({"user": "mallory"}, "the account"),
                         ({"valid_before": "2030-01-01T00:00:00Z"}, "the dates"), ({"valid_after": "2026-01-01T00:00:00Z"}, "the dates")):
        board.refused(field + " of " + board.prints["carol"], board.text(alice, bob, {**carol, **other}))
    board.refused("the dates", board.text(alice, {**bob, "valid_before": "2038-01-01T00:00:00Z"}), "--renew", "bob@x.example")
    board.refused("has a threshold of 1, and nobody asked for another than 2", board.text(alice, bob, carol, threshold=1))
    floors = {"floors": {"canary": 1, "canary_max": 50, "production": 1}}
    board.refused("not one in the form", board.text(alice, bob, carol, predicate=floors))
    board.refused("not one in the form", board.text(alice, bob, carol, **floors))
    # Another predecessor: one that it does not show, one that is no set, and one of another number or gateway.
    board.refused("another predecessor", board.text(alice, bob, carol, previous="cd" * 32))
    follows = lambda old, **other: board.text(alice, bob, carol, previous=hashlib.sha256(old.encode()).hexdigest(), **other)
    for shown in (board.now + " ", board.now.replace("gate.example", "gate2.example"), "{}", board.text(alice, bob, number=7)):
        board.shows(shown)
        board.refused("another predecessor", board.text(alice, bob, carol))
        board.refused("no signer set 1 of this gateway", follows(shown))
    board.shows(board.now)
    # What is there already is the one of that digest, and is shown against the set in force.
    smuggled = board.text(alice, bob, mallory)
    digest = hashlib.sha256(smuggled.encode()).hexdigest()
    board.tells("alice", "bob", "mallory")
    assert ("new", "mallory") in marks(board.ask(smuggled, "--proposal", digest))
    board.refused("another one than you asked for", smuggled, "--proposal", board.previous)


# ---- the protocol ----

def test_table_and_json(control):
    control.answers["people.list"] = Reply(PEOPLE)
    out = cli(control, "people", "list").out.splitlines()
    assert out[0].split() == ["person", "account", "key", "from", "until", "pin", "state"]
    assert out[1].split()[:3] == ["alice@x.example", "alice", "SHA256:abc"]
    assert out[0].index("account") == out[1].index("alice ")
    assert json.loads(cli(control, "people", "list", "--json").out) == PEOPLE
    assert control.calls == [("people.list", {}, [])] * 2


def test_csv_is_for_spreadsheets_and_runs_nothing_in_them(control):
    control.answers["sighting.list"] = Reply({"sightings": [
        {"count": 3, "last": None, "modules": -1, "product": '=cmd|"/c calc"!A1', "profile": "a,b", "resource": "ab" * 16,
         "review": "", "target": "+1.0"},
        {"count": 0, "last": "2027-01-15T08:00:00Z", "modules": 2, "product": "@x\ny", "profile": "-", "resource": "cd" * 16,
         "review": "R-1", "target": "1.0-rc \u00e4"}]})
    out = cli(control, "sighting", "list", "--csv").stdout
    assert out == (b"resource,profile,product,version,count,modules,last,review\r\n"
                   + b"ab" * 16 + b',"a,b","\'=cmd|""/c calc""!A1",\'+1.0,3,-1,,\r\n'
                   + b"cd" * 16 + b",'-,'@x<0A>y,1.0-rc <U+00E4>,0,2,2027-01-15T08:00:00Z,R-1\r\n"), out
    control.answers["sighting.list"] = Reply({"sightings": []})
    assert cli(control, "sighting", "list", "--csv").stdout == b"resource,profile,product,version,count,modules,last,review\r\n"
    control.answers["review.list"] = Reply({"reviews": [{"id": "R-1", "have": 1, "need": 2, "image": "ef" * 32}]})
    assert cli(control, "review", "list", "--csv").out.splitlines()[1] == "R-1,,,,1/2,,,,," + "ef" * 32 + ","
    control.answers["exposure.list"] = Reply({"held": [], "versions": [{"product": "EC25", "version": "=1", "modules": 7}]})
    assert cli(control, "exposure", "--csv", "--versions").out.splitlines() == ["product,version,modules", "EC25,'=1,7"]
    control.answers["exposure.list"] = Reply({"data": [{"bytes": 9, "group": "=lab", "modules": 1, "release": "ab", "review": "R-1"}]})
    assert cli(control, "exposure", "--csv", "--data").out.splitlines() == ["review,release,group,modules,bytes", "R-1,ab,'=lab,1,9"]
    assert cli(control, "exposure", "--csv").out.splitlines()[0].startswith("review,state,product,")
    for args in (("sighting", "list"), ("review", "list"), ("module", "list"), ("exposure",)):
        assert "two forms" in cli(control, *args, "--csv", "--json", want=2).out
    assert "goes with --csv" in cli(control, "exposure", "--versions", want=2).err
    cli(control, "exposure", "--csv", "--versions", "--data", want=2)


def test_big_reply(control):
    doc = {"reviews": [{"id": f"R-{i}", "have": 0, "need": 2, "state": "review"} for i in range(3000)]}
    control.answers["review.list"] = Reply(doc, big=SEALS)
    assert len(cli(control, "review", "list").out.splitlines()) == 3001
    assert json.loads(cli(control, "review", "list", "--json").out) == doc
    # A page that does not go on is no page; an empty one that does is asked on from.
    control.answers["review.list"] = Reply({"next": "x", "reviews": []})
    assert "cannot be read" in cli(control, "review", "list", want=3).err
    control.answers["review.list"] = Reply({"next": "7", "reviews": []})
    assert "cannot be read" in cli(control, "review", "list", want=3).err


def test_error_reply(control):
    control.answers["review.show"] = error("NOT-FOUND", "there is no R-9")
    r = cli(control, "review", "show", "R-9", want=1)
    assert r.out == "" and "there is no R-9" in r.err and "do this" in r.err
    r = cli(control, "review", "show", "R-9", "--json", want=1)
    assert r.err == "" and json.loads(r.out)["error"]["id"] == "NOT-FOUND"


@pytest.mark.parametrize("answer", [
    None,
    Reply(PEOPLE, big=0),                                     # not sealed
    Reply(PEOPLE, big=0x1 | 0x2 | 0x4),                       # F_SEAL_WRITE missing
    Reply(b"[]"), Reply(b"{"), Reply(b""), Reply(b'{"a":1,"a":2}'), Reply(b'{"a":"\xff"}'),
    Reply(PEOPLE, status=4),
    Reply(None, raw=lambda t: frame(REPLY, struct.pack(">QBBB", t, 0, 0, 0) + blob(b"{}") + b"x")),
    Reply(None, raw=lambda t: frame(REPLY, struct.pack(">QBBB", t, 0, 1, 0) + blob(b""))),  # big without its memfd
    Reply(None, raw=lambda t: frame(REPLY, struct.pack(">QBBB", t, 0, 2, 0) + blob(b"{}"))),
    Reply(None, raw=lambda t: frame(CALL, struct.pack(">Q", t) + blob(b"x") + struct.pack(">I", 0) + blob(b"{}"))),
    Reply(None, raw=lambda t: b"\x02\0" + frame(REPLY, struct.pack(">QBBB", t, 0, 0, 0) + blob(b"{}"))[2:]),
    Reply(None, raw=lambda t: b"\x01"),
], ids=range(15))
def test_what_is_no_reply(control, answer):
    control.answers["people.list"] = answer
    r = cli(control, "people", "list", want=3)
    assert r.out == "" and r.err.startswith("fotagate: people.list: ")


def test_an_answer_to_another_question_is_passed_over(control):
    def both(token):
        return frame(REPLY, struct.pack(">QBBB", token + 1, 0, 0, 0) + blob(b"{}"))

    class Twice(Reply):
        """The stray one goes out here, the right one as every answer does."""

        def pack(self, token, tmp):
            control.conn.send(both(token))
            return super().pack(token, tmp)
    control.answers["people.list"] = Twice(PEOPLE)
    assert json.loads(cli(control, "people", "list", "--json").out) == PEOPLE


def test_hostile_text_never_reaches_the_terminal(control):
    nasty = "\x1b]0;owned\x07\u202egnp.exe\u2028\x9b31m"
    control.answers["sighting.list"] = Reply({"sightings": [{"product": nasty, "profile": "p"}]})
    out = cli(control, "sighting", "list").stdout
    assert all(b == 10 or 0x20 <= b <= 0x7E for b in out) and b"<U+202E>" in out
    out = cli(control, "sighting", "list", "--json").stdout
    assert all(b == 10 or 0x20 <= b <= 0x7E for b in out)
    assert json.loads(out)["sightings"][0]["product"] == nasty
    control.answers["sighting.list"] = error("LIMIT", nasty)
    err = cli(control, "sighting", "list", want=1).stderr
    assert all(b == 10 or 0x20 <= b <= 0x7E for b in err)


def test_arguments_are_canonical(control):
    control.answers["release.revoke"] = Reply({"granted": 3, "releases": ["ab"], "reset": 1, "served": 2, "warden": False})
    r = cli(control, "revoke", "R-1", "--reason", 'it is "bad" \u00e9')
    assert "away" in r.out
    assert control.calls[-1] == ("release.revoke", {"reason": 'it is "bad" \u00e9', "review": "R-1"}, [])
    cli(control, "release", "revoke", "ab" * 16, "--reason=why")
    assert control.calls[-1][1] == {"reason": "why", "release": "ab" * 16}
    env = {**os.environ}
    r = subprocess.run([os.fsencode(FOTAGATE), b"revoke", b"R-\xff", b"--reason", b"why", b"--run-dir",
                        os.fsencode(control.dir / "run")], capture_output=True, env=env)
    assert r.returncode == 2 and b"UTF-8" in r.stderr


def test_rollouts(control):
    ring = {"failure": 0, "granted": 4, "name": "canary", "open": True, "silent": 1, "success": 3}
    shown = {"by": "control", "failure": 0, "granted": 4, "id": "ab" * 16, "next": "It waits.", "plan": "careful",
             "reason": "", "review": "R-1", "ring": "canary", "rings": [ring], "silent": 1,
             "since": "2026-01-01T00:00:00Z", "state": "running", "success": 3}
    control.answers["rollout.show"] = control.answers["rollout.pause"] = Reply(shown)
    r = cli(control, "rollout", "show", "R-1")
    assert control.calls[-1] == ("rollout.show", {"review": "R-1"}, []) and "It waits." in r.out and "canary" in r.out
    cli(control, "rollout", "pause", "ab" * 16, "--reason", "R-1 was no better")
    assert control.calls[-1] == ("rollout.pause", {"reason": "R-1 was no better", "release": "ab" * 16}, [])
    cli(control, "rollout", "pause", "R-1", want=2)
    control.answers["rollout.hold"] = Reply(shown)
    cli(control, "rollout", "hold", "R-1", "canary", "--reason", "R-1 was no better")
    assert control.calls[-1] == ("rollout.hold", {"reason": "R-1 was no better", "review": "R-1", "ring": "canary"}, [])
    cli(control, "rollout", "hold", "R-1", "--reason", "which ring", want=2)
    for verb, options, step in (("resume", [], "resume"), ("resume", ["--ring", "canary"], "unhold"), ("open", [], "open")):
        control.answers["rollout.statement"] = Reply({"statement": "{}"})
        cli(control, "rollout", verb, "ab" * 16, *options, "--reason", "it was bricked by hand", want=1)
        name, said, _ = control.calls[-1]
        assert name == "rollout.statement" and said["step"] == step and said["release"] == "ab" * 16
        assert said.get("ring") == ("canary" if options else None)
    cli(control, "rollout", "open", "R-1", "--ring", "half", "--reason", "which it says itself", want=2)
    over = {"by": "alice", "id": "cd" * 16, "plan": "careful", "reason": "no", "state": "aborted"}
    control.answers["rollout.list"] = Reply({"rollouts": [{**shown, "rings": []}, over]})
    out = cli(control, "rollout", "list").out
    assert "running" in out and "aborted" in out
    control.answers["rollout.abort"] = Reply({"granted": 4, "releases": ["ab"], "reset": 1, "served": 2, "warden": True})
    assert "reopen" in cli(control, "rollout", "abort", "R-1", "--reason", "no").out


def test_import(control, tmp_path):
    image, sig = tmp_path / "fw.bin", tmp_path / "fw.sig"
    image.write_bytes(b"firmware")
    sig.write_bytes(b"signature")
    states = iter(["judging", "judging", "review"])
    control.answers["import"] = Reply({"review": "R-1", "sha256": "ab" * 32, "state": "judging"})
    control.answers["review.show"] = lambda a: Reply({"id": "R-1", "state": next(states), "text": "people may look",
                                                      "verdict": "review"})
    args = ["import", image, "--signature", sig, "--profile", "p", "--product", "x", "--version", "2", "--from", "1"]
    r = cli(control, *args)
    assert "R-1" in r.out and "people may look" in r.out
    assert control.calls[0] == ("import", {"from": "1", "product": "x", "profile": "p", "version": "2"},
                                [b"firmware", b"signature"])
    states = iter(["blocked"])
    assert json.loads(cli(control, *args, "--json", want=1).out)["state"] == "blocked"
    assert cli(control, *args, "--no-wait").out.count("judging") == 1
    cli(control, "import", tmp_path, *args[2:], want=3)


def test_modules_page_by_page(control):
    def page(a):
        first = int(a.get("after", "0"), 16)
        rows = [{"id": f"{i:032x}", "held": False} for i in range(first + 1, min(first + a["limit"], 1200) + 1)]
        return Reply({"modules": rows, "next": rows[-1]["id"] if rows and first + a["limit"] < 1200 else None})
    control.answers["module.list"] = page
    assert len(cli(control, "module", "list").out.splitlines()) == 1201
    assert len(control.calls) == 3
    assert len(json.loads(cli(control, "module", "list", "--json").out)["modules"]) == 1200


def test_a_page_of_which_the_filter_left_nothing_is_not_the_last(control):
    def page(a):
        first = int(a.get("after", "0"), 16)
        rows = [{"id": f"{1700:032x}", "held": True}] if first == 1500 else []
        return Reply({"modules": rows, "next": f"{first + 500:032x}" if first < 1500 else None})
    control.answers["module.list"] = page
    assert [m["id"] for m in json.loads(cli(control, "module", "list", "--held", "--json").out)["modules"]] == [f"{1700:032x}"]
    assert len(control.calls) == 4
    control.answers["module.list"] = Reply({"modules": [], "next": "00" * 16})  # the same again, for ever
    assert "in order" in cli(control, "module", "list", want=3).err


def test_where_the_gateway_is_may_come_first(control):
    control.answers["people.list"] = Reply(PEOPLE)
    for args in (["-C", control.dir / "run", "people", "list", "--json"], ["people", "-C", control.dir / "run", "list", "--json"],
                 ["--json", "--run-dir", control.dir / "run", "people", "list"], ["--dir", control.dir, "people", "list", "--json"],
                 [f"--dir={control.dir}", "people", "list", "--json"]):
        r = subprocess.run([FOTAGATE, *map(str, args)], capture_output=True)
        assert r.returncode == 0 and json.loads(r.stdout) == PEOPLE, args


# ---- what people sign ----

def at(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


class Review:
    """A review of a real report, and the statement an honest control would propose for it."""

    def __init__(self, control, tmp_path):
        image = tmp_path / "image.bin"
        image.write_bytes(os.urandom(20000))
        r = subprocess.run([FOTAGATE, "inspect", "--json", image], capture_output=True, timeout=120)
        assert r.returncode == 1
        self.report = r.stdout.rstrip(b"\n")
        doc = json.loads(self.report)
        now = int(time.time())
        self.now = now
        self.verdict = doc["verdict"]
        self.findings = sorted(f["id"] for f in doc["findings"] if f["severity"] != "info")
        assert self.findings
        self.predicate = {
            "approver": "alice@x.example", "decision": "approve", "findings": self.findings, "gateway": "gate.example.net",
            "log": {"root": "ab" * 32, "size": 7}, "nonce": "cd" * 16, "policy": {"digest": {"sha256": "ef" * 32}},
            "product": "rtr9", "profile": "acme", "reason": "tested in the lab for a week",
            "report": {"digest": {"sha256": hashlib.sha256(self.report).hexdigest()}}, "resource": "12" * 16,
            "review": "R-1", "scope": {"from_versions": ["*"], "groups": ["*"], "max_devices": 50,
                                       "not_after": at(now + 30 * 86400), "not_before": at(now)},
            "target": "1.2.0", "time": at(now)}
        self.image = doc["image"]["sha256"]
        self.control = control
        self.control.answers["review.report"] = lambda a: Reply(
            {"sha256": hashlib.sha256(self.report).hexdigest(), "verdict": "blocked"}, file=self.report)
        self.control.answers["review.submit"] = Reply({"approver": "alice@x.example", "have": 1, "need": 2, "release": None,
                                                       "review": "R-1", "state": "review", "text": "one more is needed"})
        self.name = "R-1.alice@x.example.json"
        self.offer()

    def statement(self):
        return canonical({"_type": "https://in-toto.io/Statement/v1", "predicate": self.predicate,
                          "predicateType": "urn:fotagate:approval:v1",
                          "subject": [{"digest": {"sha256": self.image}, "name": "acme/rtr9/*->1.2.0/fw.bin"}]})

    def offer(self):
        text = self.statement()
        self.control.answers["review.statement"] = Reply(
            {"approver": "alice@x.example", "have": 0, "name": self.name, "need": 2,
             "sha256": hashlib.sha256(text).hexdigest(), "statement": text.decode(), "summary": []})


ASK = ["review", "statement", "R-1", "--reason", "tested in the lab for a week"]


@pytest.fixture
def review(control, tmp_path):
    return Review(control, tmp_path)


def test_statement(review, control, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    r = cli(control, *ASK, cwd=out)
    assert (out / review.name).read_bytes() == review.statement()
    assert [p.name for p in out.iterdir()] == [review.name]
    assert f"ssh-keygen -Y sign -n fotagate-approval@v1 -f KEY {review.name}" in r.out
    told = " ".join(r.err.split())
    for word in (review.image, "rtr9 version 1.2.0", "at most 50 modules", "every older one", "says " + review.verdict,
                 "as alice@x.example", "tested in the lab", *review.findings):
        assert word in told, word
    # Never overwritten.
    cli(control, *ASK, cwd=out, want=1)
    cli(control, *ASK, "-o", tmp_path / "other.json", cwd=out)
    assert (tmp_path / "other.json").read_bytes() == review.statement()


def test_statement_arguments(review, control, tmp_path):
    review.predicate["scope"].update(groups=["canary", "lab"], from_versions=["1.0", "1.1"], max_devices=5,
                                     not_after=at(review.now + 3 * 86400))
    review.predicate["approver"] = "bob@x.example"
    review.offer()
    cli(control, *ASK, "--approver", "bob@x.example", "--group", "lab", "--group", "canary", "--from", "1.1", "--from", "1.0",
        "--max-devices", "5", "--days", "3", cwd=tmp_path)
    assert control.calls[0] == ("review.statement", {
        "approver": "bob@x.example", "days": 3, "from": ["1.1", "1.0"], "groups": ["lab", "canary"], "max_devices": 5,
        "reason": ASK[4], "review": "R-1"}, [])


LIES = {
    "reason": (lambda v: v.predicate.update(reason="something else entirely"), []),
    "review": (lambda v: v.predicate.update(review="R-2"), []),
    "approver": (lambda v: v.predicate.update(approver="mallory@x.example"), ["--approver", "alice@x.example"]),
    "image": (lambda v: setattr(v, "image", "00" * 32), []),
    "report": (lambda v: v.predicate.update(report={"digest": {"sha256": "00" * 32}}), []),
    "finding left out": (lambda v: v.predicate.update(findings=v.findings[1:]), []),
    "finding made up": (lambda v: v.predicate.update(findings=sorted(v.findings + ["SIG-INVALID"])), []),
    "modules": (lambda v: v.predicate["scope"].update(max_devices=51), ["--max-devices", "50"]),
    "groups": (lambda v: v.predicate["scope"].update(groups=["canary", "field"]), ["--group", "canary"]),
    "from": (lambda v: v.predicate["scope"].update(from_versions=["*"]), ["--from", "1.1"]),
    "days": (lambda v: None, ["--days", "29"]),
    "time": (lambda v: v.predicate.update(time=at(v.now - 3600)), []),
    "name": (lambda v: setattr(v, "name", "../R-1.json"), []),
    "hidden name": (lambda v: setattr(v, "name", ".ssh"), []),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_control_that_lies(review, control, tmp_path, lie):
    out = tmp_path / "out"
    out.mkdir()
    change, args = LIES[lie]
    change(review)
    review.offer()
    r = cli(control, *ASK, *args, cwd=out, want=1)
    assert "Do not sign" in r.err and not list(out.iterdir())
    assert not list(tmp_path.glob("*.json"))


def test_a_report_that_is_another(review, control, tmp_path):
    honest = review.report
    control.answers["review.report"] = lambda a: Reply({"sha256": hashlib.sha256(honest).hexdigest(), "verdict": "review"},
                                                      file=honest.replace(b'"size":20000', b'"size":20001'))
    cli(control, *ASK, cwd=tmp_path, want=1)
    control.answers["review.report"] = lambda a: Reply({"sha256": hashlib.sha256(b"{}").hexdigest(), "verdict": "review"},
                                                      file=b"{}")
    cli(control, *ASK, cwd=tmp_path, want=1)
    assert not list(tmp_path.glob("R-1*"))


def test_not_a_statement(review, control, tmp_path):
    review.statement = lambda: b"{}"
    review.offer()
    cli(control, *ASK, cwd=tmp_path, want=1)


def key(folder, name="alice"):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    return folder / name


def good_signature(tmp_path, k, statement, signature, who="alice@x.example"):
    (tmp_path / "allowed").write_text(f"{who} " + (k.parent / (k.name + ".pub")).read_text())
    (tmp_path / "sig").write_bytes(signature)
    return subprocess.run(["ssh-keygen", "-Y", "verify", "-f", tmp_path / "allowed", "-I", who, "-n", "fotagate-approval@v1",
                           "-s", tmp_path / "sig"], input=statement, capture_output=True).returncode == 0


def test_sign_at_once(review, control, tmp_path):
    k = key(tmp_path)
    r = cli(control, *ASK, "--sign", k, cwd=tmp_path)
    assert "one more is needed" in r.out
    request, args, fds = control.calls[-1]
    assert (request, args) == ("review.submit", {})
    assert fds[0] == review.statement() and good_signature(tmp_path, k, *fds)
    assert not list(tmp_path.glob("R-1*"))
    control.answers["review.submit"] = error("REFUSED", "the key is not in the set")
    cli(control, *ASK, "--sign", k, cwd=tmp_path, want=1)
    cli(control, *ASK, "--sign", tmp_path / "absent", cwd=tmp_path, want=3)


def test_submit(review, control, tmp_path):
    k, f = key(tmp_path), tmp_path / review.name
    cli(control, *ASK, cwd=tmp_path)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-approval@v1", "-f", k, f], check=True)
    cli(control, "review", "submit", "R-1", f, f"{f}.sig")
    assert control.calls[-1][2][0] == f.read_bytes() and good_signature(tmp_path, k, *control.calls[-1][2])
    n = len(control.calls)
    assert "R-1" in cli(control, "review", "submit", "R-2", f, f"{f}.sig", want=2).err
    f.write_bytes(f.read_bytes() + b"\n")
    cli(control, "review", "submit", "R-1", f, f"{f}.sig", want=1)
    assert len(control.calls) == n


def test_resume(control, tmp_path):
    now = int(time.time())
    name = f"halt of gate.example.net at {at(now - 60)}"
    text = canonical({"_type": "https://in-toto.io/Statement/v1", "predicate": {
        "approver": "alice@x.example", "decision": "resume", "gateway": "gate.example.net", "halted_at": at(now - 60),
        "log": {"root": "ab" * 32, "size": 7}, "nonce": "cd" * 16, "reason": "it was a false alarm", "time": at(now)},
        "predicateType": "urn:fotagate:approval:v1",
        "subject": [{"digest": {"sha256": hashlib.sha256(name.encode()).hexdigest()}, "name": name}]})
    control.answers["resume.statement"] = Reply({"approver": "alice@x.example", "name": "resume.json", "sha256": "",
                                                 "statement": text.decode()})
    control.answers["resume.submit"] = Reply({"have": 1, "need": 2, "state": "halted", "text": "one more is needed"})
    r = cli(control, "resume", "statement", "--reason", "it was a false alarm", cwd=tmp_path)
    assert (tmp_path / "resume.json").read_bytes() == text and at(now - 60) in r.err
    k = key(tmp_path)
    cli(control, "resume", "statement", "--reason", "it was a false alarm", "--sign", k, cwd=tmp_path)
    assert good_signature(tmp_path, k, *control.calls[-1][2])
    # A review's statement does not end a halt, and the other way round.
    cli(control, "review", "submit", "R-1", tmp_path / "resume.json", k, want=2)


# ---- the log ----

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1", root_of(leaves[:k]), root_of(leaves[k:]))


class Log:
    """The log of a demonstration, with one signed statement, as control would hand it out."""

    def __init__(self, control, tmp_path, entries=300):
        self.gw = tmp_path / "gw"
        subprocess.run([FOTAGATE, "init", "--demo", "--dir", self.gw], check=True, capture_output=True)
        self.genesis = json.loads((self.gw / "data/authority/genesis.json").read_text())["predicate"]
        self.docs = {}
        self.extra = []
        self.report = b'{"report":1}'
        self.statement = b'{"statement":1}'
        for kind, data in (("report", self.report), ("statement", self.statement)):
            self.docs[kind, hashlib.sha256(data).hexdigest()] = data
        self.docs["signature", hashlib.sha256(self.statement).hexdigest()] = b"-----BEGIN SSH SIGNATURE-----\n"
        self.lines = [self.line(i) for i in range(entries)]
        self.control, self.gone = control, set()
        control.answers["audit.export"] = Reply({})
        genesis = (self.gw / "data/authority/genesis.json").read_bytes()
        control.answers["status"] = Reply({"genesis": {"digest": hashlib.sha256(genesis).hexdigest()}})
        control.answers["audit.open"] = self.open
        control.answers["file.open"] = self.file

    def line(self, seq):
        refs = ""
        if seq == 5:
            refs = ',"ref":{"report":"sha256:%s","statement":"sha256:%s"}' % (
                hashlib.sha256(self.report).hexdigest(), hashlib.sha256(self.statement).hexdigest())
        return ('{"v":1,"seq":%d,"t":"2026-01-01T00:00:00.%06dZ","clk":"ntp","src":"gw/control","cat":"approval",'
                '"ev":"approval.signed","sev":5,"out":"ok","act":"alice@demo.invalid","obj":"R-1"%s,"msg":"signed"}'
                % (seq, seq, refs)).encode()

    def leaves(self):
        return [sha(b"\0", l) for l in self.lines]

    def checkpoint(self):
        text = f"{self.genesis['gateway']}\n{len(self.lines)}\n{base64.b64encode(root_of(self.leaves())).decode()}\n".encode()
        skey = (self.gw / "keys/log.key").read_text().strip()
        seed, kid = base64.b64decode(skey.split("+", 4)[4])[1:], bytes.fromhex(skey.split("+")[3])
        key_file, text_file = self.gw / "k.der", self.gw / "t"
        key_file.write_bytes(bytes.fromhex("302e020100300506032b657004220420") + seed)
        text_file.write_bytes(text)
        sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", key_file, "-in", text_file],
                             check=True, capture_output=True).stdout
        return text + b"\n\xe2\x80\x94 " + self.genesis["gateway"].encode() + b" " + base64.b64encode(kid + sig) + b"\n"

    def tiles(self):
        out, n, leaves = {}, len(self.lines), self.leaves()
        for i in range(0, n, 256):
            w = min(256, n - i)
            name = f"{i // 256:03d}" + (f".p/{w}" if w < 256 else "")
            out["tile/0/" + name] = b"".join(leaves[i:i + w])
            out["tile/entries/" + name] = b"".join(struct.pack(">H", len(l)) + l for l in self.lines[i:i + w])
        full = [root_of(leaves[i:i + 256]) for i in range(0, n - 255, 256)]
        if full:
            out[f"tile/1/000.p/{len(full)}"] = b"".join(full)
        return out

    def open(self, args):
        name = args["name"]
        if name == "checkpoint":
            return Reply({}, file=self.checkpoint())
        if name in self.gone:
            self.gone.remove(name)
            self.lines.append(self.line(len(self.lines)))  # the log has gone on
            return error("NOT-FOUND", name)
        data = self.tiles().get(name)
        return Reply({}, file=data) if data is not None else error("NOT-FOUND", name)

    def file(self, args):
        data = self.docs.get((args["kind"], args["digest"]))
        return Reply({}, file=data) if data is not None else error("NOT-FOUND", "no such document")

    def export(self, to, want=0):
        return cli(self.control, "audit", "export", to, "--dir", self.gw, want=want)


@pytest.fixture
def log(control, tmp_path):
    return Log(control, tmp_path)


def test_tail(log, control):
    out = cli(control, "audit", "tail").out.splitlines()
    assert len(out) == 20 and out[-1].split()[0] == "299" and "alice@demo.invalid -> R-1: signed" in out[-1]
    out = cli(control, "audit", "tail", "-n", 60, "--json").stdout.splitlines()
    assert out == log.lines[-60:]
    assert cli(control, "audit", "tail", "-n", 1000, "--json").stdout.splitlines() == log.lines
    assert cli(control, "audit", "tail", "-n", "0").out == ""


def test_export(log, control, tmp_path):
    d = tmp_path / "x"
    r = log.export(d)
    assert [c[0] for c in control.calls[:2]] == ["status", "audit.export"] and "300" in r.out
    assert (d / "entries.jsonl").read_bytes() == b"".join(l + b"\n" for l in log.lines)
    for name, data in log.tiles().items():
        assert (d / name).read_bytes() == data
    s = hashlib.sha256(log.statement).hexdigest()
    assert (d / f"statements/{s}.json").read_bytes() == log.statement
    assert (d / f"statements/{s}.sig").read_bytes().startswith(b"-----BEGIN")
    assert (d / f"reports/{hashlib.sha256(log.report).hexdigest()}.json").read_bytes() == log.report
    for name in ("genesis.json", "genesis.sig.0", "genesis.sig.1"):
        assert (d / "signers" / name).read_bytes() == (log.gw / "data/authority" / name).read_bytes()
    assert (d / "verify40.py").read_bytes() == open(os.path.join(SRC, "gateway/audit/verify40.py"), "rb").read()
    assert (d / "VERIFY.md").read_bytes() == open(os.path.join(SRC, "gateway/audit/VERIFY.md"), "rb").read()
    # Tools that are not ours agree.
    r = subprocess.run(["/usr/bin/python3", d / "verify40.py", d, log.genesis["log"]], capture_output=True, text=True)
    assert r.returncode == 0 and r.stdout.startswith("ok: 300 entries"), r.stderr
    for i, who in enumerate(("alice", "bob")):
        subprocess.run(["ssh-keygen", "-Y", "verify", "-f", d / "signers/allowed_signers", "-I", f"{who}@demo.invalid", "-n",
                        "fotagate-signers@v1", "-s", d / f"signers/genesis.sig.{i}"], check=True, capture_output=True,
                       input=(d / "signers/genesis.json").read_bytes())
    # Nothing is overwritten.
    log.export(d, want=1)


def test_export_with_another_gateways_genesis(log, control, tmp_path):
    control.answers["status"] = Reply({"genesis": {"digest": "00" * 32}})
    assert "--authority" in log.export(tmp_path / "x", want=1).err
    assert [c[0] for c in control.calls] == ["status"] and not (tmp_path / "x").exists()


def test_an_export_that_was_refused_leaves_nothing(log, control, tmp_path):
    control.answers["audit.export"], said = error("LOG-AWAY", "the log is waiting"), control.answers["audit.export"]
    log.export(tmp_path / "x", want=1)
    assert not (tmp_path / "x").exists()
    (tmp_path / "mine").mkdir()
    log.export(tmp_path / "mine", want=1)
    assert (tmp_path / "mine").exists(), "nobody else's folder goes"
    control.answers["audit.export"] = said
    log.export(tmp_path / "x")


def test_the_log_grows_under_the_export(log, control, tmp_path):
    log.gone = {"tile/entries/001.p/44"}
    d = tmp_path / "x"
    log.export(d)
    assert len(log.lines) == 301
    assert (d / "entries.jsonl").read_bytes().count(b"\n") == 301
    files = {str(p.relative_to(d)) for p in (d / "tile").rglob("*") if p.is_file()}
    assert files == set(log.tiles()), "no partial tile of the abandoned try stays"


def test_export_of_a_log_that_was_changed(log, control, tmp_path):
    honest = log.checkpoint()
    log.lines[7] = log.lines[7].replace(b"alice", b"mallo")
    log.checkpoint = lambda: honest
    assert "do not hash" in log.export(tmp_path / "x", want=1).err
    assert (tmp_path / "x").exists(), "it is evidence"


def test_export_signed_by_another_key(log, control, tmp_path):
    other = tmp_path / "other"
    subprocess.run([FOTAGATE, "init", "--demo", "--dir", other], check=True, capture_output=True)
    (log.gw / "keys/log.key").write_text((other / "keys/log.key").read_text())
    assert "not signed by the log key" in log.export(tmp_path / "x", want=1).err


def test_export_with_papers_missing(log, control, tmp_path):
    s = hashlib.sha256(log.statement).hexdigest()
    del log.docs["signature", s]
    assert s in log.export(tmp_path / "x", want=1).err
    log.docs["signature", s] = b"x"
    log.docs["statement", s] = b"another"
    assert "other bytes" in log.export(tmp_path / "y", want=1).err
    assert not (tmp_path / f"y/statements/{s}.json").exists()


def test_export_without_a_genesis_that_counts(log, control, tmp_path):
    (log.gw / "data/authority/genesis.sig.1").unlink()
    log.export(tmp_path / "x", want=1)
    (log.gw / "data/authority/genesis.json").unlink()
    log.export(tmp_path / "y", want=3)


def test_proof_and_checkpoint(log, control, tmp_path):
    note = log.checkpoint().decode()
    control.answers["audit.head"] = Reply({"checkpoint": note, "published": 300, "root": "", "size": 300, "state": "ok"})
    assert cli(control, "audit", "checkpoint").out == note
    assert json.loads(cli(control, "audit", "checkpoint", "--json").out)["checkpoint"] == note
    control.answers["audit.head"] = Reply({"checkpoint": "\x1b[2J", "published": 0, "root": "", "size": 0, "state": "ok"})
    assert cli(control, "audit", "checkpoint", want=3).out == ""
    leaves = log.leaves()

    def path(i, part):
        if len(part) == 1:
            return []
        k = 1
        while k * 2 < len(part):
            k *= 2
        return path(i, part[:k]) + [root_of(part[k:])] if i < k else path(i - k, part[k:]) + [root_of(part[:k])]

    head = "c2sp.org/tlog-proof@v1\n"
    proof = "index 5\n" + "".join(base64.b64encode(h).decode() + "\n" for h in path(5, leaves)) + "\n" + note
    extra = "extra " + base64.b64encode(log.lines[5]).decode() + "\n"
    control.answers["audit.proof"] = Reply({"entry": log.lines[5].decode(), "receipt": head + proof})
    cli(control, "audit", "proof", 5, "-o", tmp_path / "r")
    assert (tmp_path / "r").read_text() == head + extra + proof
    assert cli(control, "audit", "proof", 5).out == head + extra + proof
    verify = os.path.join(BIN, "fotagate-verify")
    if os.path.exists(verify):
        subprocess.run([verify, "receipt", tmp_path / "r", "--trust", log.gw / "people/trust.txt"], check=True,
                       capture_output=True)
    # Of another entry, with another entry, and with none: nothing is written.
    cli(control, "audit", "proof", 6, "-o", tmp_path / "s", want=1)
    for entry in (log.lines[6].decode(), ""):
        control.answers["audit.proof"] = Reply({"entry": entry, "receipt": head + proof})
        cli(control, "audit", "proof", 5, "-o", tmp_path / "s", want=1)
    assert not (tmp_path / "s").exists()


# ---- halt ----

def test_halt(control):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(str(control.dir / "run/halt.sock"))
    s.listen()
    at_s, heard = int(time.time()) - 5, []

    def supervisor(answer):
        conn, _ = s.accept()
        with conn:
            heard.append(conn.recv(65536))
            if answer:
                conn.send(heard[-1][:4] + struct.pack(">qI", at_s, 1000))

    for answer, want in ((True, 0), (False, 1)):
        t = threading.Thread(target=supervisor, args=(answer,))
        t.start()
        r = cli(control, "halt", "--json", want=want)
        t.join()
        if answer:
            assert json.loads(r.out) == {"at": at(at_s), "by_uid": 1000, "halted": True}
    assert len(heard) == 2 and not control.calls
    s.close()
