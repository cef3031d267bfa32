# SPDX-License-Identifier: Apache-2.0
"""Rules without a gateway: what is wrong with them, how they are read, and what they make of an operator's examples."""
import json
import os
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")

MAIN = """listeners = ( { name = "plain"; address = "127.0.0.1"; port = 8080; } );
suppliers = ( { name = "acme"; legal_entity = "ACME Ltd"; country = "DE"; } );
"""
PROFILE = """profile = {
  name = "acme-rtr"; supplier = "acme"; listeners = [ "plain" ]; hosts = [ "fota.example" ];
  path = "/fw/{product}/{to}.bin";
  captures = { product = { class = "word"; max = 16; }; to = { class = "version"; max = 16; }; };
  product = "capture:product"; target_version = "capture:to"; current_version = "header:X-Version";
  identity = ( { class = "D"; kind = "imei"; from = "header:X-Imei"; check = "luhn"; } );
  version_order = "dotted"; upstream = "https://up.example/{product}/{to}"; signature = { scheme = "none"; require = false; }; quorum = 2;
};
"""
RULES = """rules = (
  { name = "too-big"; size_at_least = "1 MiB"; outcome = "deny"; },
  { name = "late"; products = [ "EC21*" ]; outcome = "hold"; quorum = 3; cool_down = "2d"; },
  { name = "all"; outcome = "hold"; quorum = 2; },
  { name = "dead"; outcome = "hold"; quorum = 2; }
);
"""


@pytest.fixture(name="conf")
def make_conf(tmp_path):
    os.mkdir(tmp_path / "profiles.d")
    (tmp_path / "profiles.d/acme.conf").write_text(PROFILE)
    return tmp_path / "fotagate.conf"


def policy(*args, ok=0):
    done = subprocess.run([FOTAGATE, "policy", *map(str, args)], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == ok, done.stdout + done.stderr
    return done


def test_check_reads_the_rules_to_people(conf):
    conf.write_text(MAIN + RULES)
    said = policy("check", "-c", conf).stdout
    assert "4 rules, 1 profile" in said and "too-big (line 4): deny" in said
    assert "if the image has 1048576 bytes, or more" in said and "if the product is EC21*" in said
    assert "note: it never decides: all stands before it" in said
    shown = json.loads(policy("check", "-c", conf, "--json").stdout)
    assert [r["name"] for r in shown["rules"]] == ["too-big", "late", "all", "dead"]
    assert shown["rules"][0]["asks"] == [{"key": "size_at_least", "words": "the image has 1048576 bytes, or more"}]
    assert "note" in shown["rules"][3] and "note" not in shown["rules"][2]


def test_check_tells_every_problem_with_its_line(conf):
    conf.write_text(MAIN + RULES.replace("quorum = 3", 'quorum = "three"').replace("EC21", "").replace(
        '"deny";', '"release"; time_lock = "1d";'))
    said = policy("check", "-c", conf, ok=1).stderr
    assert "fotagate.conf:4: rule too-big: release and time_lock" in said
    assert "fotagate.conf:5: rules[1].quorum is text; write integer, 0 to 16" in said


def test_examples_pass_or_say_what_came_out(conf, tmp_path):
    conf.write_text(MAIN + RULES)
    cases = tmp_path / "cases.json"
    facts = {"profile": "acme-rtr", "product": "EC21E", "size": 100, "findings": [], "age": "12h"}
    good = {"name": "young", "facts": facts, "expect": {"outcome": "hold", "rule": "late", "quorum": 3, "wait": "36h"}}
    bad = {"name": "large", "facts": {**facts, "size": 1 << 20}, "expect": {"outcome": "hold", "rule": "late"}}
    cases.write_text(json.dumps({"cases": [good]}))
    assert policy("test", "-c", conf, cases).stdout == "ok    young\n1 passed, 0 failed\n"
    cases.write_text('{"cases": [\n' + json.dumps(good) + ",\n" + json.dumps(bad) + "\n]}\n")
    said = policy("test", "-c", conf, cases, ok=1).stdout
    assert "FAIL  large" in said and "cases.json:3: the outcome is deny, not hold;" in said and "1 passed, 1 failed" in said
    shown = json.loads(policy("test", "-c", conf, cases, "--json", ok=1).stdout)
    assert shown["passed"] == shown["failed"] == 1 and shown["cases"][1]["rule"] == "too-big"
    cases.write_text('{"cases": [\n{"name": }]}')
    assert "cases.json:2: " in policy("test", "-c", conf, cases, ok=1).stderr
