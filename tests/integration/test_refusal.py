# SPDX-License-Identifier: Apache-2.0
"""What people refuse stays refused, whichever way it comes back."""
import glob
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import threading

import pytest

from gate import PROFILE, until


def state(gate, review):
    return next((r["state"] for r in gate.cli("review", "list")["reviews"] if r["id"] == review), None)


def refusals(gate):
    return {(r["kind"], r["value"]): r for r in gate.cli("refusal", "list")["refusals"]}


def test_rejected_bytes_do_not_come_back_by_another_way(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.cli("review", "reject", "R-1", "--reason", "it calls home", "--also", "pattern", ok=(2,))
    assert state(gate, "R-1") == "review"
    gate.cli("review", "reject", "R-1", "--reason", "it calls home", "--also", "digest")
    digest = hashlib.sha256(data).hexdigest()
    assert refusals(gate)["digest", digest]["reason"] == "it calls home"
    gate.offer(version="1.2.0", data=data)
    gate.ask(version="1.2.0")
    gate.review(2, "blocked")
    text = gate.cli("review", "show", "R-2")["text"]
    assert f"refuses digest {digest}" in text and "it calls home" in text
    # What denied it is what explains it: a rule, or that there is none, comes after the fixed checks.
    explained = gate.cli("policy", "explain", "R-2")
    assert explained["decision"] == "deny" and f"refuses digest {digest}" in explained["says"]
    analysed = [e for e in gate.entries() if e["ev"] == "image.analysed" and e["obj"] == "R-2"]
    assert analysed[-1]["ref"]["decision"] == "deny" and f"refuses digest {digest}" in analysed[-1]["msg"]
    # Slashes and an arrow name nothing: that is the halt.
    gate.cli("refusal", "add", "pattern", "*/*->*/*", "--reason", "all of them", ok=(2,))
    gate.offer(version="1.3.0", data=data + b"x")
    gate.ask(version="1.3.0")
    gate.review(3)
    assert [e["ref"]["value"] for e in gate.entries() if e["ev"] == "refusal.added"] == [digest]
    findings_are_waived(gate, "R-3")


def findings_are_waived(gate, review):
    """Where a profile wants that, somebody answers for each finding before anybody signs."""
    before = gate.cli("review", "show", review)["policy"]
    gate.write_profile(PROFILE.replace("\tquorum = 2;", '\tquorum = 2;\n\treview = { waivers = "notice"; };'))
    gate.cli("reload")
    # Judged again by the policy that asks for it.
    until(lambda: gate.cli("review", "show", review)["policy"] != before, seconds=60)
    until(lambda: "needs a waiver" in gate.sign(review, "alice", ok=(1,))["error"]["text"], seconds=60)
    wanted = [f["id"] for f in gate.cli("review", "show", review)["findings"] if f["severity"] in ("notice", "warning")]
    add = ("--profile", "story", "--reason", "looked at it on the bench")
    gate.cli("waiver", "add", "DELTA-MALFORMED", *add, "--days", "9", ok=(2,))  # it blocks
    gate.cli("waiver", "add", wanted[0], *add, "--days", "181", ok=(2,))
    gate.cli("waiver", "add", wanted[0], *add, "--days", "9", "--part", "no such line")
    made = {f: gate.cli("waiver", "add", f, *add, "--days", "9", "--product", "FG100")["waiver"]["id"] for f in wanted}
    shown = gate.cli("review", "show", review)
    assert {w["id"] for w in shown["waivers"]} == set(made.values())
    assert all(f["waived"] for f in shown["findings"] if f["id"] in wanted)
    # What people say and lay beside it is in the log, and decides nothing.
    lab = os.path.join(gate.dir, "lab.txt")
    with open(lab, "w") as f:
        f.write("boots, and registers with three networks\n")
    gate.cli("review", "comment", review, "seen on the bench")
    gate.cli("review", "attach", review, lab, "--text", "of the laboratory")
    said, paper = gate.cli("review", "show", review)["remarks"]
    assert said["text"] == "seen on the bench" and paper["name"] == "lab.txt"
    gate.text("review", "attachment", paper["file"], "-o", lab + ".back")
    assert hashlib.sha256(open(lab + ".back", "rb").read()).hexdigest() == paper["file"]
    assert [e.get("ref", {}).get("file") for e in gate.entries() if e["ev"] == "review.remarked"] == [None, "sha256:" + paper["file"]]
    # It goes along with an export, under its digest, and whoever changes it there is found by both ways.
    out = gate.export()
    laid = os.path.join(out, "attachments", paper["file"] + ".bin")
    assert open(laid, "rb").read() == open(lab, "rb").read()
    files = lambda: subprocess.run(["/usr/bin/python3", "-B", os.path.join(out, "files40.py"), out], capture_output=True).returncode
    assert gate.verify(out).returncode == 0 and files() == 0
    with open(laid, "a") as f:
        f.write("and with a fourth\n")
    assert "its bytes are not those its name says" in gate.verify(out, ok=(1,)).stdout and files() != 0
    gate.sign(review, "alice", "--days", "20")
    # One that is lifted is missing at once, and so is it in what was signed; a row of the database is none.
    first = made[wanted[0]]
    gate.cli("waiver", "lift", first, "--reason", "it was another thing")
    assert wanted[0] in gate.sign(review, "bob", ok=(1,))["error"]["text"]
    again = gate.cli("waiver", "add", wanted[0], *add, "--days", "8", "--product", "FG100")["waiver"]["id"]
    gate.sign(review, "alice", "--days", "20")
    gate.stop()
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db")) as db:
        assert db.execute("UPDATE waiver SET finding = 'CHG-YARA' WHERE id = ?", (bytes.fromhex(again),)).rowcount == 1
        assert db.execute("DELETE FROM remark").rowcount == 2
        db.execute("INSERT INTO waiver SELECT x'00112233445566778899aabbccddeeff', finding, profile, product, image, part, until,"
                   " at, owner, reason FROM waiver WHERE id <> ? LIMIT 1", (bytes.fromhex(again),))
    gate.start()
    until(lambda: gate.cli("status").get("permitting"))
    assert {w["id"] for w in gate.cli("waiver", "list")["waivers"]} > {again}
    told = lambda: [e["obj"] for e in gate.entries() if e["ev"] == "state.differs"]
    differs = until(lambda: len(told()) > 2 and told())
    assert differs == ["waiver:" + again, "waiver:00112233445566778899aabbccddeeff", "remarks"]
    # What people said is told again from the log, and what they laid beside it lies where it lay.
    assert [{**r, "at": ""} for r in gate.cli("review", "show", review)["remarks"]] == [{**r, "at": ""} for r in (said, paper)]
    gate.text("review", "attachment", paper["file"], "-o", lab + ".again")
    # Whoever signs says so in the statement, and it ends no later than the first of them.
    gate.sign(review, "bob")
    assert state(gate, review) == "approved"
    release, = gate.cli("release", "list")["releases"]
    assert release["not_after"] == min(w["until"] for w in gate.cli("review", "show", review)["waivers"])
    out = gate.export()
    said = [json.load(open(f))["predicate"] for f in glob.glob(os.path.join(out, "statements/*.json"))]
    assert sum(f"{wanted[0]} {again}" in p.get("waived", []) for p in said) == 2
    gate.verify(out)


def test_a_version_in_force_is_revoked_and_stays_away(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    gate.cli("refusal", "add", "version", "FG100/1.1.0", "--reason", "bricks one in a hundred", "--days", "30")
    until(lambda: gate.ask()[0] == 404)
    assert state(gate, "R-1") == "revoked"
    events = [e["ev"] for e in gate.entries()]
    assert "approval.revoked" in events and "refusal.added" in events
    # A shorter one would lift it without the log.
    gate.cli("refusal", "add", "version", "FG100/1.1.0", "--reason", "shorter", "--days", "1", ok=(1,))
    # The database loses it while the gateway is down: the log has it.
    gate.stop()
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db")) as db:
        assert db.execute("DELETE FROM refusal").rowcount == 1
    gate.start()
    found = until(lambda: refusals(gate).get(("version", "FG100/1.1.0")))
    assert found["by"] == "log" and found["until"]
    until(lambda: any(e["ev"] == "state.differs" and e["obj"] == "refusal:" + found["id"] for e in gate.entries()))
    # Lifting waits for the log, and permits nothing.
    with gate.without("audit"):
        until(lambda: gate.cli("status").get("permitting") is not True)
        gate.cli("refusal", "lift", found["id"], "--reason", "mended", ok=(3,))
        assert refusals(gate)
    until(lambda: gate.cli("status").get("permitting"))
    gate.cli("refusal", "lift", found["id"], "--reason", "the vendor explained")
    assert not refusals(gate) and state(gate, "R-1") == "revoked" and gate.ask()[0] == 404
    gate.cli("refusal", "lift", found["id"], "--reason", "twice", ok=(1,))
    gate.stop()
    gate.start()
    until(lambda: gate.cli("status").get("permitting"))
    assert not refusals(gate)
    gate.verify()


def test_a_refusal_altered_in_the_database_refuses_what_it_did(gate):
    gate.offer()
    gate.start()
    gate.cli("refusal", "add", "version", "FG100/1.1.0", "--reason", "bricks one in a hundred")
    gate.stop()
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db")) as db:
        assert db.execute("UPDATE refusal SET value = 'FG100/9.9.9'").rowcount == 1
    gate.start()
    found = until(lambda: refusals(gate).get(("version", "FG100/1.1.0")))
    assert found["by"] == "log" and len(refusals(gate)) == 1
    gate.ask()
    gate.review(1, "blocked")
    gate.stop()
    gate.start()
    until(lambda: gate.cli("status").get("permitting"))
    assert list(refusals(gate)) == [("version", "FG100/1.1.0")]


def test_a_signer_nobody_can_look_up_is_refused(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    reports = glob.glob(os.path.join(gate.root, "data/reports/*"))
    assert reports
    for report in reports:
        os.unlink(report)
    gate.cli("refusal", "add", "signer", "ab" * 32, "--reason", "the keys were stolen " + "\u00e4" * 80)
    until(lambda: gate.ask()[0] == 404)
    assert state(gate, "R-1") == "revoked"
    # The reason is cut where it is given on, and not within a character.
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db")) as db:
        assert db.execute("SELECT note FROM candidate").fetchone()[0].endswith("\u00e4")


def test_what_is_offered_is_revoked_whatever_its_row_says(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db")) as db:
        assert db.execute("UPDATE candidate SET state = 'expired'").rowcount == 1
    gate.cli("refusal", "add", "digest", hashlib.sha256(data).hexdigest(), "--reason", "it calls home")
    until(lambda: gate.ask()[0] == 404)


def test_what_is_refused_is_not_offered_after_a_start(gate):
    """As after a crash between the warden's release and control's hearing of it."""
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served()
    gate.stop()
    value = hashlib.sha256(data).hexdigest()
    row = hashlib.sha256(b"digest\0" + value.encode()).digest()[:16]
    with sqlite3.connect(os.path.join(gate.root, "data/state/state.db")) as db:
        db.execute("INSERT INTO refusal VALUES (?, 1, ?, 0, 1767225600, 'alice', 'it calls home')", (row, value))
    gate.start()
    until(lambda: gate.cli("status").get("permitting"))
    until(lambda: state(gate, "R-1") == "revoked")
    assert gate.ask()[0] == 404


def test_who_refuses_again_while_it_is_lifted_has_the_last_word(gate):
    gate.start()
    added = gate.cli("refusal", "add", "version", "FG100/1.1.0", "--reason", "first", "--days", "3")["refusal"]
    gate.kill_role("audit", signal.SIGSTOP)
    try:
        lift = threading.Thread(target=gate.cli, kwargs={"ok": (1,)},
                                args=("refusal", "lift", added["id"], "--reason", "it seems to be well"))
        lift.start()
        until(lambda: gate.cli("status") and not lift.join(1))
        gate.cli("refusal", "add", "version", "FG100/1.1.0", "--reason", "it is not")
    finally:
        gate.kill_role("audit", signal.SIGCONT)
    lift.join()
    assert refusals(gate)["version", "FG100/1.1.0"]["reason"] == "it is not"


def test_an_open_review_is_closed_under_the_signers_hands(gate):
    gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.sign("R-1", "alice")
    gate.cli("refusal", "add", "pattern", "story/FG100/*", "--reason", "none of it before the audit")
    gate.review(1, "blocked")
    assert "none of it" in gate.cli("review", "show", "R-1")["text"]
    gate.sign("R-1", "bob", ok=(1,))
    assert gate.ask()[0] == 404
    # The log has that alice's word is over: who makes the database anew from it does not count it.
    gone = [e for e in gate.entries() if e["ev"] == "approval.outdated"]
    assert [(e["obj"], e["ref"]["statements"], e["msg"]) for e in gone] == [("R-1", 1, "it is refused by now")]


@pytest.mark.parametrize("kind,value", [("digest", "abc"), ("digest", "A" * 64), ("version", "FG100"), ("pattern", "*"),
                                        ("pattern", "a\tbcd"), ("people", "bob"), ("pattern", "x" * 513)])
def test_what_is_no_refusal(gate, kind, value):
    gate.start()
    gate.cli("refusal", "add", kind, value, "--reason", "a reason", ok=(2,))
    assert not refusals(gate)
