# SPDX-License-Identifier: Apache-2.0
"""The decision hook: it tightens and nothing else, whatever becomes of it; and what it can reach from its jail."""
import hashlib
import os
import signal

import pytest

from gate import IMEI, Gate, until

LONG = "29871"  # seconds, as nobody else sleeps
SHELL = """#!/bin/sh
IFS= read -r asked
said() { printf '%%s' '{"schema":"fotagate-hook-answer/1",'"$1"'}'; }
case $asked in
*'"target":"1.1.0"'*) said '"outcome":"pass","reasons":["nothing against it"]' ;;
*'"target":"1.2.0"'*) said '"outcome":"hold","quorum":3,"reasons":["ticket 4711 is open"]' ;;
*'"target":"1.3.0"'*) said '"outcome":"deny","reasons":["known bad\\u001b[31m <b>","twice"]' ;;
*'"target":"1.4.0"'*) echo 'no list of tickets' >&2; exit 7 ;;
*'"target":"1.5.0"'*) sleep 29871 & sleep 29871 ;;
*'"target":"1.6.0"'*) bomb() { bomb | bomb & }; bomb; sleep 29871 ;;
*'"target":"1.7.0"'*) while :; do echo "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; done ;;
*'"target":"1.8.0"'*) said '"outcome":"permit"' ;;
*'"target":"1.9.0"'*) said '"outcome":"hold"' ;;
*) exit 0 ;;
esac
"""

# What of it works ends up in the answer's reasons; a call that kills would be no answer.
ATTACKS = """#!/usr/bin/python3
import json, os, socket, sys
asked = json.load(sys.stdin)
tried = {
    "tcp": lambda: socket.create_connection(("127.0.0.1", %(port)d), 2),
    "control": lambda: socket.socket(socket.AF_UNIX).connect("%(root)s/run/control.sock"),
    "state": lambda: open("%(root)s/data/state.db", "rb"),
    "folder": lambda: os.listdir("%(root)s/data"),
    "config": lambda: open("%(root)s/fotagate.conf"),
    "keys": lambda: open("%(root)s/keys/log.key"),
    "passwd": lambda: open("/etc/passwd"),
    "environ": lambda: open("/proc/%%d/environ" %% os.getppid()),
    "write": lambda: open("/tmp/fg-hook-was-here", "w"),
    "beside": lambda: open("%(root)s/run/was-here", "w"),
    "group": lambda: os.setsid(),
    "signal": lambda: os.kill(%(pid)d, 0),
    "memory": lambda: bytearray(400 << 20),
}
did = []
for name, what in tried.items():
    try:
        what()
        did.append(name)
    except (OSError, MemoryError):
        pass
who = "user %%d of %%d" %% (os.getuid(), len(os.listdir("/usr")) > 0)
print(json.dumps({"schema": "fotagate-hook-answer/1", "outcome": "hold", "quorum": 2,
                  "reasons": ["did: " + ",".join(did), who, asked["schema"]]}))
"""


def write(gate, text):
    path = os.path.join(gate.root, "keys/hook")
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path + ".new", 0o644)  # it is copied, not run from here
    os.rename(path + ".new", path)
    return hashlib.sha256(text.encode()).hexdigest()


def reload(gate):
    before = len(events(gate, "policy.changed"))
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: len(events(gate, "policy.changed")) > before)


def events(gate, name):
    return [e for e in gate.entries(gate.export(0)) if e["ev"] == name]


def bring(gate, number, version, data=None):
    gate.offer(version, data or os.urandom(2000))
    gate.ask(version=version)
    return number


def held(gate, number):
    """Why a review stays where it is."""
    return until(lambda: [r["text"] for r in gate.reviews("judging") if r["id"] == f"R-{number}" and r["text"]], 60)[0]


@pytest.fixture(scope="module")
def gate():
    gate = Gate(edges=1)
    gate.program = write(gate, SHELL.replace("%%", "%"))
    gate.set('hook = { program = "hook"; seconds = 3; memory_mib = 128; };',
             'rules = ( { name = "too-big"; size_at_least = 500000; outcome = "deny"; } );')
    gate.start()
    yield gate
    gate.close()


def test_what_passes_is_as_without_it(gate):
    data = gate.offer("1.1.0")
    gate.ask()
    assert gate.review(1)["need"] == 2
    shown = gate.cli("policy", "explain", "R-1")
    assert shown["hook"]["outcome"] == "pass" and shown["hook"]["program"] == gate.program
    assert "it says: nothing against it" in gate.text("policy", "explain", "R-1")
    said = events(gate, "image.analysed")[-1]["ref"]
    assert said["hook"] == "pass" and said["hook.program"] == "sha256:" + gate.program
    kept = os.path.join(gate.root, "data/reports", said["hook.answer"][len("sha256:"):] + ".hook.json")
    with open(kept, "rb") as f:
        assert hashlib.sha256(f.read()).hexdigest() == shown["hook"]["answer"]
    gate.approve()
    assert gate.served() == data


def test_a_hold_asks_for_more_persons(gate):
    bring(gate, 2, "1.2.0")
    assert gate.review(2)["need"] == 3
    assert "and 3 at least for the decision hook" in gate.cli("policy", "explain", "R-2")["says"]
    gate.approve("R-2")
    assert gate.review(2)["have"] == 2 and gate.ask(version="1.2.0")[0] == 404
    bring(gate, 3, "1.9.0")
    assert gate.review(3)["need"] == 3  # one more than the profile's


def test_a_denial_is_final_and_shown_escaped(gate):
    bring(gate, 4, "1.3.0")
    gate.review(4, "blocked")
    shown = gate.cli("review", "show", "R-4")
    assert shown["reasons"] == [{"id": "HOOK-DENIES", "sentence": "The decision hook denies it: known bad<1B>[31m <b>"}]
    assert gate.cli("policy", "explain", "R-4")["hook"]["reasons"] == ["known bad<1B>[31m <b>", "twice"]
    assert "\x1b" not in gate.text("policy", "explain", "R-4")
    assert events(gate, "image.analysed")[-1]["ref"]["decision"] == "deny"


@pytest.mark.parametrize("number,version,why", [
    (5, "1.4.0", "exit status 7: no list of tickets"),
    (6, "1.5.0", "no end after 3 s"),
    (7, "1.6.0", ("no end after 3 s", "exit status 2: ")),  # its first shell may be the one that cannot fork
    (8, "1.7.0", "it wrote more than 16384 bytes"),
    (9, "1.8.0", "what it wrote is no answer: its outcome is none of pass, hold and deny"),
    (10, "2.0.0", "it wrote nothing"),
])
def test_what_is_no_answer_holds(gate, number, version, why):
    bring(gate, number, version)
    said = held(gate, number).removeprefix("the decision hook gave no answer: ")
    assert said.startswith(why) if isinstance(why, tuple) else said == why
    assert gate.ask(version=version)[0] == 404
    assert gate.cli("policy", "explain", f"R-{number}")["hook"]["outcome"] == "unanswered"
    # Nothing of it is left, what it put into the background included.
    until(lambda: not running("/bin/sh\0/dev/fd/3", "sleep\0" + LONG))


def running(*lines):
    """Processes with one of these in their arguments."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                said = f.read()
        except OSError:
            continue
        found += [pid] if any(line.encode() in said for line in lines) else []
    return found


def test_past_decisions_are_made_again_without_running_it(gate):
    before = len(events(gate, "image.analysed"))
    for number, decision in (1, "review"), (2, "review"), (4, "deny"):
        again = gate.cli("replay", f"R-{number}")
        assert [d["logged"] for d in again["decisions"]] == [decision] and not again["drifted"]
    assert len(events(gate, "image.analysed")) == before
    # An answer that was kept and is no more what its digest says is said to be so.
    digest = gate.cli("policy", "explain", "R-4")["hook"]["answer"]
    kept = os.path.join(gate.root, "data/reports", digest + ".hook.json")
    with open(kept, "rb") as f:
        text = f.read()
    os.chmod(kept, 0o600)
    with open(kept, "wb") as f:
        f.write(text.replace(b'"deny"', b'"pass"'))
    assert gate.cli("replay", "R-4", ok=(1,))["drifted"] == 1
    # And where it counts nothing rests on it.
    assert gate.cli("policy", "explain", "R-4", ok=(0,))["hook"]["outcome"] == "unanswered"
    with open(kept, "wb") as f:
        f.write(text)
    assert not gate.cli("replay", "R-4")["drifted"]


def test_it_is_not_run_for_questions(gate):
    conf = os.path.join(gate.root, "fotagate.conf")
    cases = os.path.join(gate.dir, "cases.json")
    with open(cases, "w", encoding="utf-8") as f:
        f.write('{"cases":[{"name":"a","facts":{"profile":"story"},"expect":{"outcome":"deny"}}]}')
    assert "the decision hook is not run" in gate.text("policy", "test", "-c", conf, cases)
    said = gate.text("policy", "whatif", conf)
    assert "Nothing would be decided otherwise." in said and "the decision hook was not run" in said
    without = os.path.join(gate.root, "without.conf")
    with open(conf, encoding="utf-8") as f, open(without, "w", encoding="utf-8") as to:
        to.write("".join(line for line in f if not line.startswith("hook ")))
    then = {c["review"]: (c["now"]["decision"], c["then"]["decision"]) for c in gate.cli("policy", "whatif", without)["changes"]}
    assert then["R-4"] == ("deny", "review")
    os.remove(without)


def test_another_program_judges_again_and_stops_what_is_released(gate):
    served = gate.served()
    gate.program = write(gate, SHELL.replace("%%", "%").replace('"outcome":"pass"', '"outcome":"deny"'))
    reload(gate)
    until(lambda: [a for a in gate.cli("status")["alerts"] if a["id"] == "WITHHELD"])
    assert gate.ask()[0] == 404
    said = events(gate, "release.withheld")[-1]
    assert "The decision hook denies it: nothing against it" in said["msg"] and said["ref"]["hook.answer"]
    gate.program = write(gate, SHELL.replace("%%", "%"))
    reload(gate)
    until(lambda: not [a for a in gate.cli("status")["alerts"] if a["id"] == "WITHHELD"], 90)
    assert gate.served() == served
    assert not gate.verify().returncode


def test_from_its_jail_it_reaches_nothing(gate):
    write(gate, ATTACKS % {"port": gate.port, "root": gate.root, "pid": gate.process.pid})
    reload(gate)
    bring(gate, 11, "3.0.0")
    gate.review(11)
    did, who, schema = gate.cli("policy", "explain", "R-11")["hook"]["reasons"]
    assert did == "did: " and schema == "fotagate-hook/1"
    assert who != "user 0 of 1" and not os.path.exists("/tmp/fg-hook-was-here")


def test_it_is_told_no_number_of_a_module(gate):
    folder = os.path.join(gate.root, "data/reports")
    told = []
    for name in os.listdir(folder):
        if name.endswith(".hook.json"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                told.append(f.read())
    asked = [text for text in told if '"schema":"fotagate-hook/1"' in text]
    assert len(asked) > 4 and len(told) > len(asked) and any('"target":"1.2.0"' in text for text in asked)
    assert not any(IMEI in text for text in told)


def test_it_ends_with_the_gateway(gate):
    write(gate, f"#!/bin/sh\nsleep {LONG} & sleep {LONG}\n")
    gate.set('hook = { program = "hook"; seconds = 300; memory_mib = 128; };')
    reload(gate)
    bring(gate, 12, "4.0.0")
    gate.review(12, "judging")
    until(lambda: len(running("sleep\0" + LONG)) >= 2)
    gate.stop(signal.SIGKILL)
    until(lambda: not running("sleep\0" + LONG))
    write(gate, SHELL.replace("%%", "%"))
    gate.set('hook = { program = "hook"; seconds = 3; memory_mib = 128; };')
    gate.start()
    assert held(gate, 12) == "the decision hook gave no answer: it wrote nothing"


def test_what_a_rule_denies_it_is_not_asked_about(gate):
    bring(gate, 13, "5.0.0", os.urandom(600000))
    gate.review(13, "blocked")
    assert gate.cli("policy", "explain", "R-13")["hook"]["outcome"] == "unanswered"
    assert gate.cli("policy", "explain", "R-13")["decision"] == "deny"
    assert {"id": "RULE", "sentence": "rule too-big says deny"} in gate.cli("review", "show", "R-13")["reasons"]
    assert "hook" not in events(gate, "image.analysed")[-1]["ref"] and not gate.cli("replay", "R-13")["drifted"]


def test_one_that_is_not_there_is_refused_before_anything_changes(gate):
    os.rename(os.path.join(gate.root, "keys/hook"), os.path.join(gate.root, "keys/hook.away"))
    done = gate.tool("fotagated", "-n", "-c", os.path.join(gate.root, "fotagate.conf"), ok=(1,))
    assert "keys/hook" in done.stdout + done.stderr
    os.rename(os.path.join(gate.root, "keys/hook.away"), os.path.join(gate.root, "keys/hook"))


def test_one_where_there_was_none_needs_a_restart(gate):
    gate.stop()
    with open(os.path.join(gate.root, "fotagate.conf"), encoding="utf-8") as f:
        text = f.read()
    with open(os.path.join(gate.root, "fotagate.conf"), "w", encoding="utf-8") as f:
        f.write("".join(line for line in text.splitlines(True) if not line.startswith("hook ")))
    gate.start()
    assert gate.review(12)["need"] == 2  # without one it holds nothing
    gate.set('hook = { program = "hook"; };')
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: "a decision hook where there was none needs a restart" in open(gate.log, encoding="utf-8").read())
    assert gate.cli("policy", "explain", "R-12")["hook"] is None
