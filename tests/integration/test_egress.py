# SPDX-License-Identifier: Apache-2.0
"""What the operator's network saw of modules decides whether a rollout goes on: no ring opens unwatched, and an endpoint that
only modules with the release were seen at pauses it, over restarts, until people sign."""
import datetime
import os

import pytest

from gate import until
from test_rollout import CANARIES, FIELD, GATES, begun, events, fleet, report, rings, rollout, signed, status

HEADER = "kind,identity,endpoint,time"
PLAN = f"""rollout_plans = ( {{ name = "careful"; egress_watch = 2; settle = "0s"; silence = "1h"; rings = (
	{{ name = "canary"; groups = [ "canary" ]; reports = 2; success = 900; silent = 900; {GATES} }},
	{{ name = "rest"; reports = 1; success = 900; silent = 900; {GATES} }} ); }} );"""
AGO = "2026-01-01T10:00:00Z"
WATCH = "No report of the network"


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seen(gate, rows, *options, ok=(0,)):
    """Hands in a report of (token, endpoint, time) or of whole lines."""
    path = os.path.join(gate.dir, "egress.csv")
    lines = [r if isinstance(r, str) else f"token,{r[0]},{r[1]},{r[2]}" for r in rows]
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write("\n".join([HEADER, *lines]) + "\n")
    return gate.cli("egress", "import", path, *options, ok=ok)


@pytest.fixture(scope="module")
def story():
    with fleet(plan=PLAN) as gate:
        gate.data = begun(gate)
        yield gate


def test_no_ring_opens_unwatched(story):
    gate = story
    for t in CANARIES:
        assert gate.served(imei=t) == gate.data
        report(gate, t)
    until(lambda: WATCH in rollout(gate)["next"])
    assert "fotagate egress import" in rollout(gate)["next"] and rollout(gate)["ring"] == "canary"
    # With nothing to hold it against nobody knows; one that tells of one of two is not enough; a dry run is none.
    bare = seen(gate, [(t, "fota.example", now()) for t in CANARIES])
    assert [(r["baseline"], r["watched"]) for r in bare["releases"]] == [(False, 0)], bare
    one = seen(gate, [(CANARIES[0], "FOTA.example:8080", now()), (FIELD[0], "fota.example", AGO)])
    assert [(r["baseline"], r["watched"], r["new"]) for r in one["releases"]] == [(True, 1, 0)], one
    both = [*[(t, "fota.example", now()) for t in CANARIES], (FIELD[0], "fota.example", AGO),
            ("never-seen-token-0001-dddddd", "elsewhere.example", AGO)]
    dry = seen(gate, both, "--dry-run")
    assert dry["dry_run"] and dry["unknown"] == 1 and dry["lines"] == 4 and dry["releases"][0]["watched"] == 2, dry
    assert WATCH in rollout(gate)["next"]


def test_what_is_new_pauses_until_people_sign(story):
    gate = story
    found = seen(gate, [(CANARIES[0], "fota.example", now()), (CANARIES[0], "203.0.113.9", now()), (FIELD[0], "fota.example", AGO)])
    assert [(r["endpoints"], r["paused"]) for r in found["releases"]] == [(["203.0.113.9"], True)], found
    shown = rollout(gate)
    assert shown["state"] == "paused" and "203.0.113.9" in shown["reason"] and shown["by"] == "control", shown
    assert not rings(gate)["canary"]["open"]
    told = [e for e in gate.entries() if e["ev"] in ("rollout.paused", "egress.new_endpoint")]
    assert [e["ev"] for e in told] == ["rollout.paused", "egress.new_endpoint"], told
    assert told[1]["ref"]["endpoint"] == "203.0.113.9" and told[1]["ref"]["product"] == "FG100" and told[1]["dev"], told
    incident = gate.cli("incident", "list")["incidents"][0]
    assert incident["kind"] == "egress" and "203.0.113.9" in incident["detail"], incident
    signed(gate, "resume", "alice")
    assert signed(gate, "resume", "bob")["state"] == "running"
    # What they went on over pauses nothing again, also after a restart; another one does.
    gate.stop()
    gate.start()
    again = seen(gate, [(CANARIES[1], "203.0.113.9", now()), (FIELD[0], "fota.example", AGO)])
    assert [(r["new"], r["paused"]) for r in again["releases"]] == [(1, False)], again
    assert rollout(gate)["state"] == "running"
    other = seen(gate, [(CANARIES[1], "203.0.113.10", now()), (FIELD[0], "fota.example", AGO)])
    assert other["releases"][0]["paused"] and rollout(gate)["state"] == "paused"
    signed(gate, "resume", "alice")
    assert signed(gate, "resume", "bob")["state"] == "running"


def test_a_report_that_tells_of_enough_opens_the_next_ring(story):
    gate = story
    assert rollout(gate)["ring"] == "canary" and {status(gate, t) for t in FIELD[:3]} == {404}
    seen(gate, [*[(t, "fota.example", now()) for t in CANARIES], (FIELD[0], "fota.example", AGO)])
    until(lambda: rollout(gate)["ring"] == "rest")
    assert rings(gate)["rest"]["open"] and status(gate, FIELD[0]) == 200
    order = [e["ev"] for e in events(gate)]
    assert order[-2:] == ["rollout.watched", "rollout.promoted"], order
    assert rings(gate)["canary"]["watched"] == 2 and rings(gate)["rest"]["watched"] == 0
    watched = [e for e in gate.entries() if e["ev"] == "rollout.watched"][-1]
    assert watched["ref"]["watched"] == 2 and watched["ref"]["ring"] == "canary" and len(watched["ref"]["report"]) == 71, watched
    assert gate.verify().stdout.rstrip().endswith("ok")


@pytest.mark.parametrize("rows, says", [
    (["token,a,b"], "nothing quoted"), (["imei,490154203237519,a.example," + AGO], "IMEI"), (["mac,1,a.example," + AGO], "kind"),
    ([(FIELD[0], "http://a.example/", AGO)], "endpoint"), ([(FIELD[0], "аbc.example", AGO)], "endpoint"),
    ([(FIELD[0], "a.example", "yesterday")], "time"), ([(FIELD[0], "a.example", "2036-01-01T10:00:00Z")], "still to come"),
], ids=["columns", "imei", "kind", "url", "letters", "yesterday", "future"])
def test_one_wrong_line_is_said_and_nothing_taken(story, rows, says):
    def told():
        return [e["seq"] for e in story.entries() if e["ev"] in ("rollout.watched", "rollout.paused", "egress.new_endpoint")]
    before = told()
    good = (CANARIES[0], "brand-new.example", now())
    bad = seen(story, [good, *rows, (FIELD[0], "fota.example", AGO)], ok=(1,))
    assert [e["line"] for e in bad["errors"]] == [3] and says in bad["errors"][0]["text"] and bad["releases"] == [], bad
    assert told() == before and rollout(story)["state"] == "running"


@pytest.mark.parametrize("data, code", [
    (b"", 1), (b"kind,identity,group,product,version\n", 1), (HEADER.encode() + b"\n" + b"\n" * (33 << 20), 2), (os.urandom(65536), 1),
    (HEADER.encode() + b"\n" + (f"token,{FIELD[0]},a.example,{AGO}\n".encode() * 200001), 2),
], ids=["empty", "head", "bytes", "noise", "lines"])
def test_what_is_no_report_is_refused(story, data, code):
    path = os.path.join(story.dir, "no-report")
    with open(path, "wb") as f:
        f.write(data)
    said = story.cli("egress", "import", path, ok=(code,))
    assert ("by parts" if code == 2 else "first line must be") in str(said), str(said)[:300]


def test_a_folder_is_no_report_and_people_read_words(story):
    assert "not a regular file" in str(story.cli("egress", "import", story.dir, ok=(3,)))
    seen(story, [(CANARIES[0], "fota.example", now()), (FIELD[0], "fota.example", AGO)])
    text = story.text("egress", "import", os.path.join(story.dir, "egress.csv"))
    assert "modules watched" in text and "new endpoints" in text and "Nothing was changed" not in text, text
    assert story.verify().stdout.rstrip().endswith("ok")
