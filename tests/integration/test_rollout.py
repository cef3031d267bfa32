# SPDX-License-Identifier: Apache-2.0
"""A release over rings: canary, half of the fleet, rest. It goes on by what modules report, and stops by silence.

Modules are known by tokens (class B): what they say counts. Their times are seconds.
"""
import contextlib
import datetime
import json
import os
import sqlite3
import subprocess

import pytest

from gate import Gate, PROFILE, until

RULE = 'identity = ( { class = "D"; kind = "imei"; from = "capture:imei"; check = "luhn"; } );'
BY_TOKEN = [(RULE, 'identity = ( { class = "B"; kind = "token"; from = "capture:token"; } );'),
            ('"imei={imei}"', '"imei={token}"'), ('imei = { class = "digits"; max = 15; };',
                                                  'token = { class = "token"; max = 64; };'),
            ("quorum = 2;", 'quorum = 2;\n\trollout = "careful";')]
GATES = 'soak = "1s"; failed = 500;'
PLAN = f"""rollout_plans = ( {{ name = "careful"; per_day = 70; settle = "0s"; silence = "10s"; rings = (
	{{ name = "canary"; groups = [ "canary" ]; reports = 2; success = 1000; silent = 500; {GATES} }},
	{{ name = "half"; share = 500; reports = 10; success = 1000; silent = 30; {GATES} }},
	{{ name = "rest"; human = false; reports = 10; success = 900; silent = 30; {GATES} }} ); }} );"""
CANARIES = [f"canary-token-{n:03d}-aaaaaaaa" for n in range(2)]
FIELD = [f"field-token-{n:04d}-bbbbbbbb" for n in range(80)]
LATE = "late-token-0001-cccccccc"
CLAIMED, OTHER = "490154203237518", "490154203237526"
PACED = "As many modules as its plan allows"
LONG, SEEN = "x" + "é" * 200, "x<U+00E9>"


@contextlib.contextmanager
def fleet(replace=BY_TOKEN, plan=PLAN):
    profile = PROFILE
    for was, now in replace:
        assert was in profile
        profile = profile.replace(was, now)
    gate = Gate(profile=profile, edges=2)
    gate.set(plan.replace("\n", " "))
    try:
        yield gate
    finally:
        if os.environ.get("FG_KEEP"):
            print(open(gate.log).read()[-6000:])
        gate.close(keep=bool(os.environ.get("FG_KEEP")))


def met(gate, tokens):
    """Each of them has asked once, for something that there is not: the gateway knows it from then on."""
    for t in tokens:
        gate.ask(imei=t, version="1.0.5")
    until(lambda: len(gate.cli("module", "list")["modules"]) == len(tokens))


def begun(gate):
    data = gate.offer("1.1.0")
    gate.start()
    rows = [f"token,{t},{'canary' if t in CANARIES else 'field'},FG100,1.0.0" for t in CANARIES + FIELD]
    path = os.path.join(gate.dir, "fleet.csv")
    with open(path, "w") as f:
        f.write("kind,identity,group,product,version\n" + "\n".join(rows) + "\n")
    gate.cli("module", "import", path, "--profile", "story")
    met(gate, CANARIES + FIELD)
    gate.ask(imei=CANARIES[0], version="1.1.0")
    gate.review(2)
    path = os.path.join(gate.dir, "statement.json")
    gate.cli("review", "statement", "R-2", "--approver", "alice@demo.invalid", "--reason", "only to look at it", "-o", path)
    # Another plan is another statement, and nobody's, however well it is signed.
    with open(path) as f:
        text = f.read()
    plan = json.loads(text)["predicate"]["plan"]["digest"]["sha256"]
    with open(path, "w") as f:
        f.write(text.replace(plan, plan[::-1]))
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "fotagate-approval@v1", "-f",
                    os.path.join(gate.root, "people/alice"), path], check=True, capture_output=True)
    refused = gate.cli("review", "submit", "R-2", path, path + ".sig", ok=(1,))
    assert "plan differs" in str(refused), refused
    gate.approve("R-2")
    return data


def rollout(gate, name="R-2"):
    return gate.cli("rollout", "show", name)


def rings(gate):
    return {r["name"]: r for r in rollout(gate)["rings"]}


def status(gate, token):
    return gate.ask(imei=token)[0]


def report(gate, token):
    assert gate.ask(imei=token, current="1.1.0")[0] == 404  # it has it


def ring_of(gate, token):
    return next(a["ring"] for a in gate.cli("module", "explain", f"token:{token}")["answers"] if a["target"] == "1.1.0")


def events(gate):
    return [e for e in gate.entries() if e["ev"].startswith("rollout.")]


def test_a_release_goes_over_its_rings_and_stops():
    with fleet() as gate:
        data = begun(gate)
        assert gate.served(imei=CANARIES[0]) == data
        assert rollout(gate)["state"] == "running" and rollout(gate)["ring"] == "canary"
        assert {status(gate, t) for t in FIELD} == {404}
        why = gate.cli("module", "explain", f"token:{FIELD[0]}")["answers"][0]
        assert why["answer"] == "ring" and "open up to ring canary" in why["missing"], why
        assert gate.served(imei=CANARIES[1]) == data
        # Somebody who comes only now is in no ring but the last; now is a second later than the release.
        issued = gate.cli("release", "list")["releases"][0]["issued"]
        until(lambda: datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") > issued)
        assert status(gate, LATE) == 404

        report(gate, CANARIES[0])
        until(lambda: rings(gate)["canary"]["success"] == 1)
        assert rollout(gate)["ring"] == "canary", "one of two is not both"
        report(gate, CANARIES[1])
        until(lambda: rollout(gate)["ring"] == "half")
        first, *others = half = [t for t in FIELD if ring_of(gate, t) == "half"]
        assert 20 < len(half) < 60 and ring_of(gate, LATE) == "rest"
        until(lambda: status(gate, first) == 200)
        assert {status(gate, t) for t in others} == {200}
        assert {status(gate, t) for t in FIELD if t not in half} == {404} and status(gate, LATE) == 404

        quiet = half[:len(half) * 3 // 100 + 1]  # three in a hundred, and not less than one
        for t in half:
            if t not in quiet:
                report(gate, t)
        until(lambda: rollout(gate)["state"] == "paused", 30)
        shown = rollout(gate)
        assert "went silent" in shown["reason"] and shown["by"] == "control", shown
        assert "ROLLOUT" in [a["id"] for a in gate.cli("status", ok=range(9))["alerts"]]
        counted = rings(gate)
        assert counted["half"]["success"] == len(half) - len(quiet) and counted["half"]["silent"] == len(quiet)
        assert counted["rest"]["granted"] == 0 and not any(r["open"] for r in counted.values())
        grants = gate.cli("module", "show", f"token:{quiet[0]}")["grants"]
        assert grants[0]["outcome"] == "silent" and grants[0]["bytes"] >= len(data) and grants[0]["completed"]
        assert {status(gate, t) for t in quiet} == {404}, "paused is for those who were granted it, too"
        told = gate.cli("module", "show", f"token:{others[-1]}")["grants"][0]
        assert told["outcome"] == "success" and told["word"] == "new", told
        gate.cli("rollout", "pause", "R-2", "--reason", "twice is not more", ok=(1,))

        # The database may say what it likes: the log has how far it was, who reported, and that it is paused.
        gate.stop()
        with sqlite3.connect(os.path.join(gate.root, "data/state/state.db")) as db:
            db.execute("UPDATE rollout SET state = 1, ring = 2, since = 1")
        db.close()
        gate.start()
        shown = until(lambda: (r := rollout(gate)) and r["success"] == len(half) - len(quiet) + 2 and r)
        assert shown["state"] == "paused" and shown["ring"] == "half", shown
        assert {status(gate, t) for t in quiet + [LATE]} == {404}
        assert any("rollout was paused" in e.get("msg", "") for e in gate.entries() if e["ev"] == "state.differs")

        # Aborted, its release is no more; the review is, and people who sign anew begin anew.
        done = gate.cli("rollout", "abort", "R-2", "--reason", "they never came back")
        release = done["releases"][0]
        assert {status(gate, t) for t in half} == {404}
        gate.cli("rollout", "show", release, ok=(1,))
        over = gate.cli("rollout", "list")["rollouts"]
        assert [(r["id"], r["state"]) for r in over] == [(release, "aborted")], over
        gate.review(2, "expired")
        gate.cli("review", "reopen", "R-2")
        gate.review(2)
        assert gate.cli("release", "list")["releases"][0]["state"] == "expired"
        gate.approve("R-2")
        again = rollout(gate)
        assert again["id"] != release and again["state"] == "running" and again["ring"] == "canary"
        assert {status(gate, t) for t in quiet} == {404}
        gate.stop()
        gate.start()
        assert rollout(gate)["state"] == "running"
        done = [(e["ev"], e["ref"].get("ring")) for e in events(gate)]
        assert done == [("rollout.created", "canary"), ("rollout.promoted", "half"), ("rollout.paused", "half"),
                        ("rollout.aborted", "half"), ("rollout.created", "canary")], done
        assert not [e for e in gate.entries() if e["ev"] == "state.differs" and "ended" in e.get("msg", "")]
        assert gate.verify().stdout.rstrip().endswith("ok")


def test_the_pace_of_a_plan_and_what_claims_are_worth():
    # Whoever only claims to be somebody is served in the ring that is open, and opens none.
    plan = PLAN.replace("per_day = 70", "per_day = 1").replace('groups = [ "canary" ]', 'groups = [ "field" ]')
    with fleet(BY_TOKEN[3:], plan) as gate:
        data = gate.offer("1.1.0")
        gate.start()
        met(gate, [CLAIMED, OTHER])
        gate.ask(version="1.1.0")
        gate.review(2)
        gate.approve("R-2")
        assert gate.served(version="1.1.0") == data
        assert gate.ask(version="1.1.0", current="1.1.0")[0] == 404
        until(lambda: any(g["word"] == "new" for m in gate.cli("module", "list")["modules"]
                          for g in gate.cli("module", "show", m["id"])["grants"]))
        shown = rings(gate)
        assert shown["canary"]["granted"] == 0 and shown["canary"]["open"] and not shown["half"]["open"], shown
        # One a day is what the plan has, and this one has had it; it may go on, nobody else begins.
        assert gate.ask(version="1.1.0")[0] == 200
        assert gate.ask(imei=OTHER, version="1.1.0")[0] == 404
        why = [gate.cli("module", "explain", f"imei:{m}")["answers"][0] for m in (OTHER, CLAIMED)]
        assert why[0]["answer"] == "offer" and PACED in why[0]["missing"] and PACED not in why[1]["missing"], why
        assert PACED in rollout(gate)["next"], rollout(gate)
        gate.cli("rollout", "pause", "R-2", "--reason", LONG)
        until(lambda: gate.ask(version="1.1.0")[0] == 404)
        paused = [e for e in events(gate) if e["ev"] == "rollout.paused"]
        assert len(paused) == 1 and paused[0]["msg"].startswith(SEEN) and paused[0]["act"] != "control"
        # What people wrote is cut in a character, and shown all the same.
        told = [a["text"] for a in gate.cli("status", ok=range(9))["alerts"] if a["id"] == "ROLLOUT"]
        assert len(told) == 1 and f"is paused: {SEEN}" in told[0], told
        gate.cli("rollout", "abort", "R-2", "--reason", LONG)
        gate.review(2, "expired")
        gate.cli("review", "reopen", "R-2")
        gate.review(2)
        gate.cli("review", "reject", "R-2", "--reason", LONG)
        answers = gate.cli("module", "explain", f"imei:{CLAIMED}")["answers"]
        assert f"R-2 is rejected: {SEEN}" in answers[0]["missing"], answers


PEOPLE = f"""rollout_plans = ( {{ name = "careful"; settle = "0s"; silence = "1h"; rings = (
	{{ name = "canary"; groups = [ "canary" ]; reports = 1; success = 400; silent = 900; {GATES} }},
	{{ name = "half"; share = 500; human = true; reports = 1; success = 900; silent = 900; {GATES} }},
	{{ name = "rest"; reports = 1; success = 900; silent = 900; {GATES} }} ); }} );"""


def signed(gate, verb, person, *options, ok=(0,)):
    return gate.cli("rollout", verb, "R-2", "--approver", f"{person}@demo.invalid", "--reason", "we have looked at what failed",
                    "--sign", os.path.join(gate.root, "people", person), *options, ok=ok)


def test_people_let_it_go_on():
    with fleet(plan=PEOPLE) as gate:
        data = begun(gate)
        assert rings(gate)["canary"]["open"]

        # One ring, by one person, at once; people sign for it to go on, and one of them is not enough. Nobody was given
        # anything yet: whoever asks again for what it has is a failure at once by this plan, and polls ask again.
        gate.cli("rollout", "hold", "R-2", "nobody", "--reason", "no such ring", ok=(1,))
        held = gate.cli("rollout", "hold", "R-2", "canary", "--reason", "the lab is on fire")
        assert held["state"] == "running" and held["rings"][0]["held"] and not held["rings"][0]["open"], held
        until(lambda: status(gate, CANARIES[0]) == 404)

        def missing():
            return next(a["missing"] for a in gate.cli("module", "explain", f"token:{CANARIES[0]}")["answers"] if a["target"] == "1.1.0")
        # Before it may be offered at all, by the earliest time that it can be, that is what is said.
        until(lambda: "it is to be offered from" not in missing())
        assert "the ring is held" in missing(), missing()
        signed(gate, "resume", "alice", ok=(1,))  # it is not paused
        one = signed(gate, "resume", "alice", "--ring", "canary")
        assert (one["state"], one["have"], one["need"]) == ("waiting", 1, 2), one
        assert status(gate, CANARIES[0]) == 404
        assert signed(gate, "resume", "bob", "--ring", "canary")["state"] == "running"
        until(lambda: gate.ask(imei=CANARIES[0])[2] == data)

        # It fails; what people go on over pauses nothing again, also after a restart.
        gate.ask(imei=CANARIES[0], current="1.0.5")
        until(lambda: rollout(gate)["state"] == "paused")
        path = os.path.join(gate.dir, "go-on.json")
        gate.cli("rollout", "resume", "R-2", "--approver", "alice@demo.invalid", "--reason", "it was bricked by hand", "-o", path)
        assert '"over":["canary: 1 failed, 0 silent"]' in open(path).read()
        signed(gate, "resume", "alice")
        assert signed(gate, "resume", "bob")["state"] == "running"
        assert gate.served(imei=CANARIES[1]) == data
        gate.stop()
        gate.start()
        assert rollout(gate)["state"] == "running" and rings(gate)["canary"]["over_failure"] == 1, rollout(gate)
        report(gate, CANARIES[1])

        # The next ring waits for people, and has them only once the one before has shown what it must.
        until(lambda: "people open the next one" in rollout(gate)["next"])
        assert rollout(gate)["ring"] == "canary" and {status(gate, t) for t in FIELD} == {404}
        signed(gate, "open", "alice")
        assert signed(gate, "open", "bob")["state"] == "running"
        until(lambda: rollout(gate)["ring"] == "half")
        gate.cli("rollout", "submit", path, path, ok=(1,))
        sent = gate.cli("exposure")["data"]
        assert [(d["group"], d["modules"], d["review"]) for d in sent] == [("canary", 2, "R-2")], sent
        assert sent[0]["bytes"] >= 2 * len(data) and rollout(gate)["bytes"] >= 2 * len(data)

        # A newer release for the same modules takes its place.
        gate.offer("1.2.0")
        gate.ask(imei=FIELD[0], version="1.2.0")
        shown = gate.review(3)
        shown = gate.cli("review", "show", "R-3")
        assert shown["supersedes"] == ["R-2"] and shown["way_back"].startswith("no way back, because R-2, 1.1.0,"), shown
        gate.approve("R-3")
        until(lambda: [r["state"] for r in gate.cli("rollout", "list")["rollouts"] if "review" not in r] == ["superseded"])
        gate.review(2, "expired")
        why = gate.cli("module", "explain", f"token:{FIELD[0]}")["answers"]
        assert [a["target"] for a in why] == ["1.2.0"], why
        done = [(e["ev"], e["ref"].get("step")) for e in events(gate)]
        assert done == [("rollout.created", None), ("rollout.held", None), ("rollout.resumed", "unhold"),
                        ("rollout.paused", None), ("rollout.resumed", "resume"), ("rollout.resumed", "open"),
                        ("rollout.promoted", None), ("rollout.created", None), ("rollout.superseded", None)], done
        recalled = gate.cli("revoke", "R-3", "--reason", "it was no better")
        assert recalled["instead"].startswith("those that wait get nothing; for those that have it: no way back"), recalled
        out = gate.export()
        assert gate.verify(out).stdout.rstrip().endswith("ok")
        foreign = subprocess.run(["/usr/bin/python3", "-B", os.path.join(out, "rollouts40.py"), out], capture_output=True, text=True)
        assert foreign.stdout == "ok: 3 times a rollout went on, each signed for\n", foreign.stdout + foreign.stderr
