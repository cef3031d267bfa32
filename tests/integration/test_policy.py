# SPDX-License-Identifier: Apache-2.0
"""Decisions in the open: why policy says what it says, what other rules would say, and the same decision again."""
import json
import os

import pytest

from gate import Gate, PROFILE

DENY = '{ name = "too-big"; size_at_least = 500000; outcome = "deny"; }'
MORE = '{ name = "big"; size_at_least = 200000; outcome = "hold"; quorum = 3; cool_down = "1h"; }'

WINDOW = 'windows = ( { name = "nights"; days = [ "mon", "sat" ]; from = "22:00"; to = "04:00"; } );'
NIGHTLY = PROFILE.replace("\tquorum = 2;", '\tmaintenance = [ "nights" ];\n\tquorum = 2;')


def rules(*list_):
    return "rules = ( " + ", ".join(list_) + " );"


@pytest.fixture(scope="module")
def gate():
    gate = Gate(profile=NIGHTLY, edges=1)
    gate.set(rules(DENY, MORE), WINDOW)
    gate.start()
    gate.offer("1.1.0")
    gate.ask()
    gate.review(1)
    gate.offer("1.5.0", os.urandom(600000))
    gate.ask(version="1.5.0")
    gate.review(2, "blocked")
    yield gate
    gate.close()


def entries(gate):
    """But for those that tell of our looking."""
    return [e["seq"] for e in gate.entries(gate.export(0)) if e["ev"] != "log.exported"]


def test_each_rule_is_explained(gate):
    shown = gate.cli("policy", "explain", "R-1")
    assert shown["decision"] == "review" and shown["rule"] == "big" and shown["need"] == 3 and shown["quorum"] == 3
    first, second = shown["rules"]
    assert not first["matches"] and [m["key"] for m in first["misses"]] == ["size_at_least"]
    assert second["decides"] and second["misses"] == [] and second["says"].startswith("hold for 3 signatures")
    assert shown["facts"]["profile"] == "story" and shown["facts"]["version"] == "1.1.0" and shown["facts"]["groups"] is None
    said = gate.text("policy", "explain", "R-1")
    assert "asks, and it is not so: the image has 500000 bytes, or more" in said and "big: matches, and decides" in said
    denied = gate.cli("policy", "explain", "R-2")
    assert denied["decision"] == "deny" and denied["fixed"]["verdict"] == "review" and denied["need"] is None
    assert "nothing stands against a review" in gate.text("policy", "explain", "R-2")


def test_what_is_explained_can_be_an_example(gate):
    facts = gate.cli("policy", "explain", "R-1")["facts"]
    path = os.path.join(gate.dir, "cases.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"cases": [{"name": "R-1", "facts": facts, "expect": {"outcome": "hold", "rule": "big", "quorum": 3}}]}, f)
    assert gate.text("policy", "test", "-c", os.path.join(gate.root, "fotagate.conf"), path).endswith("1 passed, 0 failed\n")


def test_a_changed_policy_is_tried_on_everything_stored(gate):
    new = os.path.join(gate.root, "fotagate.conf.new")
    with open(os.path.join(gate.root, "fotagate.conf"), encoding="utf-8") as f:
        now = f.read()
    with open(new, "w", encoding="utf-8") as f:
        f.write(now)
    same = gate.cli("policy", "whatif", new)
    assert same == {"changes": [], "same": 2, "unjudged": 0}
    assert "Nothing would be decided otherwise." in gate.text("policy", "whatif", new)
    before = entries(gate)
    with open(new, "w", encoding="utf-8") as f:
        f.write(now.replace(rules(DENY, MORE), rules('{ name = "stop"; versions_of = 1; outcome = "deny"; }')))
    assert "stop" not in gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "policy", "whatif", new, ok=(1,)).stdout
    with open(new, "w", encoding="utf-8") as f:
        f.write(now.replace(rules(DENY, MORE), rules('{ name = "stop"; products = [ "FG*" ]; size_at_least = 550000; '
                                                     'outcome = "deny"; }', MORE.replace("3", "4"))))
    changed = gate.cli("policy", "whatif", new)["changes"]
    assert [(c["review"], c["now"]["need"], c["then"]["need"], c["then"]["rule"]) for c in changed] == [
        ("R-1", 3, 4, "big"), ("R-2", None, None, "stop")]
    assert changed[0]["now"]["earliest"] == changed[0]["then"]["earliest"]
    said = gate.text("policy", "whatif", new)
    assert "review by 4" in said and "deny (stop)" in said and "2 changed, 0 as now" in said
    assert gate.review(1)["need"] == 3 and entries(gate) == before


def test_a_past_decision_is_made_again(gate):
    again = gate.cli("replay", "R-1")
    decision, = again["decisions"]
    assert decision["replayed"] and decision["logged"] == "review" and decision["rule"] == "big" and not again["drifted"]
    assert again["unlogged"]
    assert [d["rule"] for d in gate.cli("replay", "R-2")["decisions"]] == ["too-big"]
    assert "1 decision, 0 drifted" in gate.text("replay", "R-1")
    assert gate.cli("replay", "R-9", ok=(1,))["error"]["id"] == "NOT-FOUND"
    # A policy that was kept and is no more what its digest says is said to be so.
    kept = os.path.join(gate.root, "data/reports", decision["policy"] + ".policy.json")
    with open(kept, "rb") as f:
        text = f.read()
    os.chmod(kept, 0o600)
    with open(kept, "wb") as f:
        f.write(text.replace(b"500000", b"600000"))
    broken = gate.cli("replay", "R-2", ok=(1,))
    assert broken["drifted"] == 1 and broken["decisions"][0]["drift"] == "the policy is not what its digest says"
    with open(kept, "wb") as f:
        f.write(text)
    assert not gate.cli("replay", "R-2")["drifted"]


def test_a_refusal_is_explained_whatever_its_reason_says(gate):
    gate.cli("refusal", "add", "version", "FG100/1.5.0", "--reason", "x" + "\u00e9" * 100)
    shown = gate.cli("policy", "explain", "R-2")
    assert shown["update"]["refused"].startswith("root refuses version FG100/1.5.0: x") and shown["decision"] == "deny"
    assert [r["id"] for r in shown["fixed"]["reasons"]] == ["REFUSED"]
