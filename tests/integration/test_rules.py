# SPDX-License-Identifier: Apache-2.0
"""The operator's rules: one denies, one asks for more people, one puts off; and a new one stops what is released already."""
import calendar
import os
import signal
import time

import pytest

from gate import Gate, until

DENY = '{ name = "too-big"; size_at_least = 500000; outcome = "deny"; }'
MORE = '{ name = "big"; size_at_least = 200000; outcome = "hold"; quorum = 3; time_lock = "0s"; }'
SIGNED = '{ name = "signed"; signature_at_worst = "verified"; outcome = "hold"; quorum = 2; }'
STOP = '{ name = "stop"; products = [ "FG100" ]; groups = [ "field" ]; outcome = "deny"; }'
LATE = '{ name = "late"; outcome = "hold"; quorum = 3; cool_down = "2d"; security_cool_down = "1h"; }'


def rules(*list_):
    return "rules = ( " + ", ".join(list_) + " );"


@pytest.fixture(scope="module")
def gate():
    gate = Gate(edges=1)
    gate.set(rules(DENY, MORE, SIGNED))
    gate.start()
    yield gate
    gate.close()


def reload(gate, *list_):
    gate.set(rules(*list_))
    before = len(events(gate, "policy.changed"))
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: len(events(gate, "policy.changed")) > before)


def events(gate, name):
    return [e for e in gate.entries(gate.export(0)) if e["ev"] == name]


def withheld(gate):
    return [a["text"] for a in gate.cli("status")["alerts"] if a["id"] == "WITHHELD"]


def test_a_rule_denies_before_anybody_can_sign(gate):
    gate.offer("1.5.0", os.urandom(600000))
    gate.ask(version="1.5.0")
    gate.review(1, "blocked")
    shown = gate.cli("review", "show", "R-1")
    assert shown["rule"] == "rule too-big says deny" and shown["text"] == shown["rule"]
    assert shown["reasons"] == [{"id": "RULE", "sentence": "rule too-big says deny"}]
    assert [(r["name"], r["decides"]) for r in shown["rules"]] == [("too-big", True), ("big", False), ("signed", False)]
    said = events(gate, "image.quarantined")[-1]
    assert said["ref"]["rule"] == "too-big"
    assert events(gate, "image.analysed")[-1]["ref"]["rule"] == "too-big"
    assert "too-big" in gate.text("review", "show", "R-1")


def test_a_rule_asks_for_more_people_than_the_profile(gate):
    data = gate.offer("1.1.0")
    gate.ask()
    assert gate.review(2)["need"] == 3
    written = gate.cli("review", "statement", "R-2", "--approver", "alice@demo.invalid", "--reason", "only looking at it",
                       "-o", os.path.join(gate.dir, "second.json"))
    assert "rule big says hold for 3 signatures" in written["summary"]
    assert '"quorum":3' in written["statement"]
    gate.approve("R-2")
    assert gate.review(2)["have"] == 2 and gate.ask()[0] == 404
    gate.enrol("carol")
    gate.sign("R-2", "carol")
    gate.review(2, "approved")
    assert gate.served() == data


def test_a_changed_rule_stops_what_is_released(gate):
    reload(gate, STOP, DENY, MORE, SIGNED)
    assert until(lambda: withheld(gate)) == ["the release of R-2 is withheld: rule stop says deny"]
    assert gate.ask()[0] == 404
    row, = gate.cli("release", "list")["releases"]
    assert row["state"] == "withheld" and not row["in_force"] and "rule stop" in row["withheld"]
    said = events(gate, "release.withheld")
    assert len(said) == 1 and said[0]["ref"]["rule"] == "stop"
    # A start does not forget it, and does not say it twice.
    gate.stop()
    gate.start()
    assert withheld(gate) and gate.ask()[0] == 404
    assert len(events(gate, "release.withheld")) == 1
    assert not events(gate, "release.offered")
    assert not gate.verify().returncode


def test_and_is_served_again_when_it_passes(gate):
    reload(gate, DENY, MORE, SIGNED)
    until(lambda: not withheld(gate))
    gate.served()
    assert len(events(gate, "release.offered")) == 1
    # More persons than signed is as good as a denial.
    reload(gate, '{ name = "all-hands"; outcome = "hold"; quorum = 4; }')
    text, = until(lambda: withheld(gate))
    assert "rule all-hands says hold for 4 signatures: 4 have to sign, 3 did" in text
    assert gate.ask()[0] == 404


def waits(gate, review):
    """Seconds until the first module may have it, by the statement; and what its approver is told."""
    written = gate.cli("review", "statement", review, "--approver", "alice@demo.invalid", "--reason", "only looking at it",
                       "-o", os.path.join(gate.dir, f"{review}.json"))
    first = written["statement"].split('"not_before":"', 1)[1][:20]
    return calendar.timegm(time.strptime(first, "%Y-%m-%dT%H:%M:%SZ")) - time.time(), " ".join(written["summary"])


def test_a_cool_down_stands_in_the_statement(gate):
    gate.set('security_updates = ( { profile = "story"; version = "1.3.0"; reason = "CVE-2026-1234"; } );')
    reload(gate, LATE)
    for n, version in (3, "1.2.0"), (4, "1.3.0"):
        gate.offer(version, os.urandom(1000))
        gate.ask(version=version)
        gate.review(n)
    wait, told = waits(gate, "R-3")
    assert 2 * 86400 - 300 < wait <= 2 * 86400 and "known for 2 days" in told
    wait, told = waits(gate, "R-4")
    assert 3600 - 300 < wait <= 3600 and "known for 1 hour (a security update: CVE-2026-1234)" in told
    for person in "alice", "bob", "carol":
        gate.sign("R-3", person)
    gate.review(3, "approved")
    assert gate.ask(version="1.2.0")[0] == 404


def test_rules_that_permit_more_when_facts_are_worse_are_refused(gate):
    gate.set(rules(MORE, DENY))
    done = gate.tool("fotagated", "-n", "-c", os.path.join(gate.root, "fotagate.conf"), ok=(1, 2, 64, 65, 78))
    assert "rule big: worse facts make it match" in done.stdout + done.stderr
