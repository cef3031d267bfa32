# SPDX-License-Identifier: Apache-2.0
"""A standing statement: a module receives bytes for which nobody signed at that moment, and what lies outside waits for people."""
import os
import subprocess
import sys

import pytest

from gate import SRC, Gate

RELEASE = ('{ name = "by-itself"; products = [ "FG100" ]; signature_at_worst = "verified"; severity_at_most = "notice"; '
           'outcome = "release"; }')


@pytest.fixture(scope="module")
def gate():
    gate = Gate(edges=1)
    gate.set(f"rules = ( {RELEASE} );")
    gate.start()
    yield gate
    gate.close()


def propose(gate, releases, findings):
    args = [a for f in findings for a in ("--finding", f)]
    return gate.cli("standing", "propose", "--profile", "story", "--product", "FG100", "--max-devices", "20", "--max-releases",
                    str(releases), "--days", "7", "--group", "field", "--reason", "small fixes of this vendor", *args)["standing"]


def sign(gate, name, person, ok=(0,)):
    return gate.cli("standing", "statement", name, "--approver", f"{person}@demo.invalid", "--reason", "I stand for these bounds",
                    "--sign", os.path.join(gate.root, "people", person), ok=ok)


FIRST = ("CHG-NO-OLD", "CONT-FIRST", "FMT-RAW", "SIG-REVOCATION-NOT-CHECKED")  # of a first image of its product


def test_nobody_signs_and_a_module_gets_it(gate):
    made = propose(gate, 5, FIRST)
    assert (made["id"], made["state"], made["need"]) == ("S-1", "proposed", 2)
    assert sign(gate, "S-1", "alice")["state"] == "proposed"
    assert sign(gate, "S-1", "bob")["state"] == "effective"
    data = gate.offer("1.1.0")
    gate.ask()
    assert gate.served() == data
    shown = gate.cli("review", "show", "R-1")
    assert shown["standing"] == "S-1" and shown["statements"] == []
    assert "S-1" in gate.text("review", "show", "R-1")


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
    assert [s["state"] for s in gate.cli("standing", "list")["standing"]] == ["effective", "revoked"]
    out = gate.export()
    assert not gate.verify(out).returncode
    trust = dict(line.split(" ", 1) for line in open(os.path.join(gate.root, "people/trust.txt")) if line[0] != "#" and " " in line)
    for script, *args in (["files40.py"], ["people40.py", trust["genesis"].strip()], ["releases40.py"], ["served40.py"]):
        done = subprocess.run([sys.executable, "-B", os.path.join(SRC, "gateway/audit", script), out, *args], capture_output=True, text=True)
        assert done.returncode == 0, script + done.stdout + done.stderr
    kinds = [e["ev"] for e in gate.entries(out) if e["ev"].startswith("standing.")]
    assert kinds == ["standing.proposed", "standing.signed", "standing.signed", "standing.effective",
                     "standing.proposed", "standing.signed", "standing.revoked"]
    issued = [e for e in gate.entries(out) if e["ev"] == "release.issued"]
    assert len(issued) == 1 and all(e["ref"]["standing"] == "S-1" for e in issued)
