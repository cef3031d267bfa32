# SPDX-License-Identifier: Apache-2.0
"""Policies that people signed, lost from the folder: the gateway does not start on less than was in force, and what the log
and the signatures prove comes back, from an export or a backup; nothing else does."""
import json
import os
import shutil

import pytest

from gate import PROFILE, Gate, until
from test_signed_policy import Desk

SECOND = PROFILE.replace("max_seconds = 60;", "max_seconds = 61;")


@pytest.fixture(scope="module")
def gate():
    g = Gate(edges=1, init=("--signed-policy",))
    g.start()
    desk = g.desk = Desk(g)
    desk.enact()
    until(lambda: not desk.alerts())
    g.older = g.export()
    g.memory = open(os.path.join(g.root, "data/images/approved/policy"), "rb").read()
    g.write_profile(SECOND)
    desk.reload()
    until(lambda: "POLICY-UNSIGNED" in desk.alerts())
    desk.enact()
    until(lambda: not desk.alerts())
    g.newer = g.export()
    g.stop()
    g.here = os.path.join(g.root, "data/authority/policy")
    g.kept = files(g.here)
    yield g
    g.close()


def files(folder):
    return {name: open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))}


def put(folder, content):
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    for name, data in content.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


def repair(gate, source, ok=(0,)):
    r = gate.tool("fotagate", "--dir", gate.root, "--json", "audit", "repair", "--from", source, ok=ok)
    done = json.loads(r.stdout)
    return done.get("policies"), done.get("policies_lacking"), r.stderr, done.get("error")


def flip(data):
    at = data.index(b"bundle") + 20
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def damages(kept):
    without = lambda *names: {k: v for k, v in kept.items() if k not in names}
    return {
        "nothing left": {},
        "the last statement gone": without("2.json"),
        "the last policy gone": without("2.json", "2.sig.0", "2.sig.1"),
        "a signature gone": without("2.sig.1"),
        "one bit": {**kept, "2.json": flip(kept["2.json"])},
        "an older one in its place": {**kept, "2.json": kept["1.json"], "2.sig.0": kept["1.sig.0"], "2.sig.1": kept["1.sig.1"]},
        "the first gone": without("1.json"),
    }


def test_every_loss_keeps_it_shut_and_comes_back(gate):
    assert sorted(gate.kept) == ["1.json", "1.sig.0", "1.sig.1", "2.json", "2.sig.0", "2.sig.1"]
    for what, left in damages(gate.kept).items():
        put(gate.here, left)
        if what in ("the last policy gone", "an older one in its place"):
            gate.start(ready=False)
            until(lambda: "the last that was put in force here" in open(gate.log).read()[-4000:] or
                  "policy 2" in open(gate.log).read()[-4000:])
            with pytest.raises(ConnectionRefusedError):  # it does not come so far as to listen
                gate.ask()
            gate.stop()
        given, lacking, said, error = repair(gate, gate.newer)
        assert given and not lacking and error is None, (what, said)
        assert files(gate.here) == gate.kept, what
    assert repair(gate, gate.newer)[:2] == (0, 0)
    gate.start()
    assert gate.desk.show()["number"] == 2 and not gate.desk.alerts()
    gate.verify()
    gate.stop()


def test_what_an_export_says_is_looked_at(gate):
    bad = os.path.join(gate.dir, "bad")
    shutil.copytree(gate.newer, bad)
    there = os.path.join(bad, "signers")
    papers = files(there)
    assert "policy-2.json" in papers
    for name, data, why in (("policy-2.sig.1", None, "signed by 1 persons"), ("policy-2.json", None, "missing"),
                            ("policy-2.json", papers["policy-1.json"], "another statement"),
                            ("policy-2.json", flip(papers["policy-2.json"]), "another statement"),
                            ("policy-2.json", b"x" * 40000, "limit"), ("policy-2.sig.0", papers["policy-1.sig.0"], "signed by 1 persons")):
        put(gate.here, {k: v for k, v in gate.kept.items() if k[0] == "1"})
        put(there, {k: v for k, v in {**papers, name: data}.items() if v is not None})
        given, lacking, said, error = repair(gate, bad, ok=(1,))
        assert (given, lacking) == (0, 1) and why in said, (name, why, said)
        assert error["id"] == "POLICY" and error["text"].endswith("lacks policy 2") and "newer export" in error["cure"], error
        assert set(files(gate.here)) == {"1.json", "1.sig.0", "1.sig.1"}
    put(there, {k: v for k, v in papers.items() if not k.startswith("policy")})
    put(gate.here, {})
    assert repair(gate, bad, ok=(1,))[3]["text"].endswith("lacks policies 1 to 2")
    # A signature that nobody counts is not put beside those that count.
    put(there, {**papers, "policy-2.sig.2": papers["policy-1.sig.0"]})
    assert repair(gate, bad)[:2] == (2, 0)
    assert files(gate.here) == gate.kept


def test_a_memory_of_an_earlier_day(gate):
    """The warden's own memory, put back from before the last policy: by itself it keeps the gateway shut."""
    path = os.path.join(gate.root, "data/images/approved/policy")
    today = open(path, "rb").read()
    assert today != gate.memory
    with open(path, "wb") as f:
        f.write(gate.memory)
    put(gate.here, {k: v for k, v in gate.kept.items() if k[0] == "1"})
    assert repair(gate, gate.newer)[:2] == (1, 0)
    assert open(path, "rb").read() == today
    # An older export is no way back to an older policy: the log here is the longer one.
    put(gate.here, {k: v for k, v in gate.kept.items() if k[0] == "1"})
    given, lacking, said, error = repair(gate, gate.older, ok=(1,))
    assert (given, lacking) == (0, 1) and error["text"].endswith("lacks policy 2"), said
    assert repair(gate, gate.newer)[:2] == (1, 0)
    assert files(gate.here) == gate.kept
    gate.start()
    assert gate.desk.show()["number"] == 2
    gate.stop()


def test_a_backup_restored_elsewhere(gate):
    """The policy that was in force is in force there, and what was released under it is served."""
    data = gate.offer("1.1.0")
    gate.start()
    gate.ask(version="1.1.0")
    gate.review(1)
    gate.approve("R-1")
    assert gate.served(version="1.1.0") == data
    backup = os.path.join(gate.dir, "backup")
    gate.tool("fotagate", "--dir", gate.root, "backup", backup, "--with-keys")
    before = gate.desk.show()
    gate.stop()
    assert files(os.path.join(backup, "data/authority/policy")) == gate.kept
    shutil.rmtree(os.path.join(gate.root, "data"))
    gate.tool("fotagate", "--dir", gate.root, "restore", backup)
    gate.start()
    assert gate.desk.show()["number"] == before["number"] == 2
    assert gate.desk.show()["bundle"] == before["bundle"] and not gate.desk.alerts()
    assert gate.served(version="1.1.0") == data
    gate.verify()
