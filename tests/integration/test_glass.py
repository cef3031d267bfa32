# SPDX-License-Identifier: Apache-2.0
"""Break-glass: off by default; else one person lets an image through, later, unless somebody stops it, and others look at it."""
import json
import os
import subprocess
import sys
import time

import pytest

from gate import SRC, Gate, until

DELAY = 6  # seconds; a demonstration may have so short a one


@pytest.fixture
def gate(request):
    g = Gate(edges=1, init=getattr(request, "param", ("--break-glass", f"5,{DELAY}")))
    g.start()
    yield g
    g.close()


def found(gate, number, version):
    data = gate.offer(version)
    gate.ask(version=version)
    gate.review(number)
    return data


def breaks(gate, number, *options, ok=(0,)):
    return gate.sign(f"R-{number}", "alice", "--break-glass", *options, ok=ok)


def record(gate, number):
    return next(r for r in gate.cli("release", "list")["releases"] if r["review"] == f"R-{number}")


def looked_at(gate, person, ok=(0,)):
    return gate.cli("breakglass", "statement", "--outcome", "unjustified", "--approver", f"{person}@demo.invalid", "--reason",
                    "nobody was asked who could have been", "--sign", os.path.join(gate.root, "people", person), ok=ok)


def pass_delay(since):
    until(lambda: time.time() > since + DELAY + 2, 60)


def scripts(gate, out):
    trust = dict(line.split(" ", 1) for line in open(os.path.join(gate.root, "people/trust.txt")) if line[0] != "#" and " " in line)
    for script, *args in (["files40.py"], ["people40.py", trust["genesis"].strip()], ["releases40.py"], ["served40.py"]):
        path = os.path.join(SRC, "gateway/audit", script)
        done = subprocess.run([sys.executable, "-B", path, out, *args], capture_output=True, text=True)
        assert done.returncode == 0, script + done.stdout + done.stderr


@pytest.mark.parametrize("gate", [()], indirect=True)
def test_off_by_default(gate):
    found(gate, 1, "1.1.0")
    said = breaks(gate, 1, "--max-devices", "1", ok=(1,))["error"]
    assert said["id"] == "BREAK-GLASS" and "genesis" in said["text"]
    shown = gate.cli("breakglass", "show")
    assert not shown["allowed"] and shown["owed"] is None
    assert gate.ask()[0] == 404 and gate.review(1)["have"] == 0


def test_one_person_later_and_looked_at(gate):
    shown = gate.cli("breakglass", "show")
    assert (shown["allowed"], shown["delay"], shown["max_devices"], shown["owed"]) == (True, DELAY, 5, None)
    found(gate, 1, "1.1.0")
    # More modules than genesis has: the warden says so, and it is in nobody's way afterwards.
    said = breaks(gate, 1, "--max-devices", "6", ok=(1,))["error"]
    assert "more modules than genesis allows" in said["text"]
    assert gate.review(1)["have"] == 0

    # Stopped by another one during the wait: nobody ever gets it, and nobody breaks the glass again before it was looked at.
    began = time.time()
    assert breaks(gate, 1)["state"] == "approved"
    assert gate.ask()[0] == 404
    gate.text("revoke", "R-1", "--reason", "this can wait until Monday")
    pass_delay(began)
    assert gate.ask()[0] == 404
    data = found(gate, 2, "1.2.0")
    said = breaks(gate, 2, ok=(1,))["error"]
    assert said["id"] == "BREAK-GLASS" and "after-review" in said["text"]
    assert "AFTER-REVIEW" in [a["id"] for a in gate.cli("status")["alerts"]]
    assert looked_at(gate, "alice")["state"] == "waiting"
    # A start forgets no signature for it: the log has it.
    gate.stop()
    gate.start()
    assert gate.cli("breakglass", "show")["owed"]["have"] == 1
    assert looked_at(gate, "bob")["state"] == "reviewed"
    assert gate.cli("breakglass", "show")["owed"] is None
    assert looked_at(gate, "bob", ok=(1,))["error"]["id"] == "STATE"

    # Nobody stops this one. A start of everything in the wait neither shortens it nor forgets it.
    breaks(gate, 2, "--hours", "2")
    gate.stop()
    gate.start()
    assert gate.cli("breakglass", "show")["owed"]["need"] == 2
    assert gate.served(60, version="1.2.0") == data
    out = gate.export()
    assert not gate.verify(out).returncode
    scripts(gate, out)
    log = gate.entries(out)
    said = [e["seq"] for e in log if e["ev"] == "approval.breakglass"]
    issued = [e for e in log if e["ev"] == "release.issued"]
    assert [e["seq"] - 1 for e in issued] == said and [e["sev"] for e in log if e["seq"] in said] == [1, 1]
    assert [e["ev"] for e in log if e["ev"].startswith("approval.after")] == ["approval.afterreview"]
    grants = [e for e in log if e["ev"] == "device.grant"]
    assert grants and all(g["obj"] == issued[1]["obj"] for g in grants)
    for number, one in ((1, issued[0]), (2, issued[1])):
        again = gate.cli("replay", f"R-{number}")
        assert not again["drifted"] and [(r["index"], r["breakglass"], r["drift"]) for r in again["releases"]] == [(one["seq"], True, "")]
        assert again["releases"][0]["decision"] == again["decisions"][-1]["index"] < one["seq"]
    assert "break-glass by alice@demo.invalid, on what entry" in gate.text("replay", "R-2")
    made = json.loads(issued[1]["doc"])
    assert made["breakglass"] == DELAY and made["terms"]["not_before"] <= grants[0]["t"][:19] + "Z"


def test_a_halt_is_a_veto(gate):
    found(gate, 1, "1.1.0")
    began = time.time()
    breaks(gate, 1)
    assert gate.cli("review", "show", "R-1")["breakglass"] and record(gate, 1)["breakglass"]
    gate.text("halt")
    until(lambda: not gate.cli("release", "list")["releases"] or record(gate, 1)["state"] != "active")
    for person in ("alice", "bob"):
        gate.cli("resume", "statement", "--approver", f"{person}@demo.invalid", "--reason", "it was enough to look",
                 "--sign", os.path.join(gate.root, "people", person))
    pass_delay(began)
    assert gate.ask()[0] == 404
    # The halt was no word about the image: people in full number may sign for it, and have thereby looked at what was done.
    assert gate.cli("breakglass", "show")["owed"]
    gate.cli("review", "reopen", "R-1")
    gate.review(1)
    gate.approve()
    gate.served()
    assert gate.cli("breakglass", "show")["owed"] is None
    out = gate.export()
    assert not gate.verify(out).returncode
    scripts(gate, out)
    log = gate.entries(out)
    issued = [e["obj"] for e in log if e["ev"] == "release.issued"]
    assert len(issued) == 2 and all(e["obj"] == issued[1] for e in log if e["ev"] == "device.grant")
    # The youngest first, a page at a time.
    pages, after = [], []
    for _ in range(2):
        page = gate.cli("release", "list", "--limit", "1", *after)
        pages += [f"release:{r['id']}" for r in page["releases"]]
        after = ["--after", page["next"]]
    assert pages == issued[::-1], pages
    last = gate.cli("release", "list", "--limit", "1", *after)
    assert (last["releases"], last["next"]) == ([], None), last
    assert gate.cli("rollout", "list", "--limit", "5")["next"] is None
    assert gate.cli("release", "list", "--after", "R-1", ok=(2,))["error"]["id"] == "USAGE"
