# SPDX-License-Identifier: Apache-2.0
"""A standing statement: a module receives bytes for which nobody signed at that moment, and what lies outside waits for people."""
import hashlib
import json
import os
import subprocess
import sys
import time

import pytest

from gate import IMEI, SRC, Gate, until

RELEASE = ('{ name = "by-itself"; products = [ "FG100" ]; signature_at_worst = "verified"; severity_at_most = "notice"; '
           'outcome = "release"; }')


@pytest.fixture(scope="module")
def gate():
    gate = Gate(edges=1)
    gate.set(f"rules = ( {RELEASE} );")
    gate.start()
    yield gate
    gate.close()


LATE = "356938035643809"  # a module that comes when people have signed


def bring(gate, imei):
    path = os.path.join(gate.root, imei + ".csv")
    with open(path, "w") as f:
        f.write(f"kind,identity,group,product,version\nimei,{imei},,FG100,1.0.0\n")
    gate.cli("module", "import", path, "--profile", "story")


def signer(gate):
    spki = subprocess.run(["openssl", "pkey", "-in", os.path.join(gate.pki.dir, "sign.key"), "-pubout", "-outform", "DER"],
                          check=True, capture_output=True).stdout
    return hashlib.sha256(spki).hexdigest()


def propose(gate, releases, findings, key=None):
    args = [a for f in findings for a in ("--finding", f)] + (["--signer", key] if key else [])
    return gate.cli("standing", "propose", "--profile", "story", "--product", "FG100", "--max-devices", "20", "--max-releases",
                    str(releases), "--days", "7", "--group", "field", "--reason", "small fixes of this vendor", *args)["standing"]


def sign(gate, name, person, ok=(0,)):
    return gate.cli("standing", "statement", name, "--approver", f"{person}@demo.invalid", "--reason", "I stand for these bounds",
                    "--sign", os.path.join(gate.root, "people", person), ok=ok)


FIRST = ("CHG-NO-OLD", "CONT-FIRST", "FMT-RAW", "SIG-REVOCATION-NOT-CHECKED")  # of a first image of its product


def test_nobody_signs_and_a_module_gets_it(gate):
    bring(gate, IMEI)
    propose(gate, 5, FIRST, "5" * 64)  # the same, but for images of another signer
    assert sign(gate, "S-1", "alice")["state"] == "proposed"
    assert sign(gate, "S-1", "bob")["state"] == "effective"
    data = gate.offer("1.1.0")
    gate.ask()
    assert gate.review()["have"] == 0 and gate.ask()[0] == 404
    made = propose(gate, 5, FIRST, signer(gate))
    assert made["signers"] == [signer(gate)]
    assert (made["id"], made["state"], made["need"]) == ("S-2", "proposed", 2)
    assert sign(gate, "S-2", "alice")["state"] == "proposed"
    assert gate.ask()[0] == 404
    assert sign(gate, "S-2", "bob")["state"] == "effective"
    assert gate.served() == data
    shown = gate.cli("review", "show", "R-1")
    assert shown["standing"] == "S-2" and shown["statements"] == []
    assert "S-2" in gate.text("review", "show", "R-1")


def test_whoever_came_later_is_left_out(gate):
    time.sleep(1.1)  # the statements' own second is theirs
    bring(gate, LATE)
    for _ in range(2):  # nor does its asking make it one of those that people meant
        assert gate.ask(imei=LATE)[0] == 404
    told = gate.cli("module", "explain", f"imei:{LATE}")
    assert "after the standing statement" in json.dumps(told) and "after the standing statement" not in json.dumps(
        gate.cli("module", "explain", f"imei:{IMEI}"))
    gate.served()


def test_outside_it_waits_for_people(gate):
    gate.offer("1.2.0")  # with an older one to compare with, the report finds something else
    gate.ask(version="1.2.0")
    found = {f["id"] for f in gate.cli("review", "show", gate.review(2)["id"])["findings"] if f["severity"] != "info"}
    assert found - set(FIRST)
    gate.stop()
    gate.start()
    assert gate.review(2)["have"] == 0 and gate.ask(version="1.2.0")[0] == 404
    assert gate.served()


def test_revoked_by_one(gate):
    name = propose(gate, 5, [])["id"]
    sign(gate, name, "alice")
    gate.text("standing", "revoke", name, "--reason", "the vendor changed hands")
    assert sign(gate, name, "bob", ok=(1,))["error"]["id"] == "STATE"
    assert [s["state"] for s in gate.cli("standing", "list")["standing"]] == ["effective", "effective", "revoked"]
    out = gate.export()
    assert not gate.verify(out).returncode
    trust = dict(line.split(" ", 1) for line in open(os.path.join(gate.root, "people/trust.txt")) if line[0] != "#" and " " in line)
    for script, *args in (["files40.py"], ["people40.py", trust["genesis"].strip()], ["releases40.py"], ["served40.py"],
                          ["rollouts40.py"]):
        done = subprocess.run([sys.executable, "-B", os.path.join(SRC, "gateway/audit", script), out, *args], capture_output=True, text=True)
        assert done.returncode == 0, script + done.stdout + done.stderr
    kinds = [e["ev"] for e in gate.entries(out) if e["ev"].startswith("standing.")]
    assert kinds == 2 * ["standing.proposed", "standing.signed", "standing.signed", "standing.effective"] + [
        "standing.proposed", "standing.signed", "standing.revoked"]
    issued = [e for e in gate.entries(out) if e["ev"] == "release.issued"]
    assert len(issued) == 1 and all(e["ref"]["standing"] == "S-2" for e in issued)


# Of one version it says nothing, of one it wants persons, and to the others it has no objection.
HOOK = """#!/bin/sh
IFS= read -r asked
case $asked in
*'"target":"1.1.0"'*) exit 7 ;;
*'"target":"1.2.0"'*) printf '%s' '{"schema":"fotagate-hook-answer/1","outcome":"hold"}' ;;
*) printf '%s' '{"schema":"fotagate-hook-answer/1","outcome":"pass"}' ;;
esac
"""


@pytest.fixture
def hooked():
    gate = Gate(edges=1)
    with open(os.path.join(gate.root, "keys/hook"), "w") as f:
        f.write(HOOK)
    gate.set('hook = { program = "hook"; seconds = 3; memory_mib = 128; };', f"rules = ( {RELEASE} );")
    gate.start()
    yield gate
    gate.close()


def test_a_hook_that_does_not_answer_holds_what_would_go_by_itself(hooked):
    gate = hooked
    bring(gate, IMEI)
    name = propose(gate, 5, FIRST)["id"]
    sign(gate, name, "alice")
    assert sign(gate, name, "bob")["state"] == "effective"
    gate.offer("1.1.0")
    gate.ask()
    gate.review(1, "judging")
    until(lambda: "gave no answer" in gate.reviews("judging")[0]["text"])
    gate.offer("1.2.0")
    gate.ask(version="1.2.0")
    assert gate.review(2)["need"] == 3
    data = gate.offer("1.3.0")
    gate.ask(version="1.3.0")
    assert gate.served(version="1.3.0") == data  # the statement stands, and so it is the hook that holds the others
    gate.stop()
    gate.start()
    gate.review(1, "judging")
    assert gate.review(2)["have"] == 0
    for version in ("1.1.0", "1.2.0"):
        assert gate.ask(version=version)[0] == 404
    out = gate.export()
    assert not gate.verify(out).returncode
    issued = [e for e in gate.entries(out) if e["ev"] == "release.issued"]
    assert [e["ref"]["review"] for e in issued] == ["R-3"] and issued[0]["ref"]["standing"] == name
    again = gate.cli("replay", "R-3")
    assert not again["drifted"] and [r["index"] for r in again["releases"]] == [issued[0]["seq"]]
