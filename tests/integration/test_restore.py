# SPDX-License-Identifier: Apache-2.0
"""Parts of the data directory put back from an earlier day: no statement of that day has an effect again."""
import glob
import os
import shutil
import subprocess

from gate import until

PARTS = {
    "the database": ["state"],
    "the warden's folder": ["images/approved"],
    "both": ["state", "images/approved"],
    "the log": ["audit"],
    "everything": None, # whatever is in the folder on either day
}


def data(gate, *names):
    return os.path.join(gate.root, "data", *names)


def copy(old, new):
    """With owners, rights and times."""
    subprocess.run(["cp", "-a", old, new], check=True)


def snapshot(gate, name):
    """As a backup by copying takes it: the gateway at rest, everything with its times."""
    gate.stop()
    copy(data(gate), os.path.join(gate.dir, name))
    gate.start()


def put_back(gate, name, parts):
    """Returns what undo() needs."""
    parts = parts or os.listdir(os.path.join(gate.dir, name))
    for part in parts:
        os.rename(data(gate, part), os.path.join(gate.dir, "today-" + part.replace("/", "-")))
        copy(os.path.join(gate.dir, name, part), data(gate, part))
    return parts


def undo(gate, parts):
    for part in parts:
        shutil.rmtree(data(gate, part))
        os.rename(os.path.join(gate.dir, "today-" + part.replace("/", "-")), data(gate, part))


def statements(gate):
    """Every statement that was ever signed, with its signature."""
    found = []
    for text in glob.glob(data(gate, "statements", "*.json")):
        with open(text) as a, open(text[:-5] + ".sig") as b:
            found.append((a.read(), b.read()))
    return found


def resubmit(gate, papers):
    for number, (text, sig) in enumerate(papers):
        paths = [os.path.join(gate.dir, f"old-{number}.{kind}") for kind in ("json", "sig")]
        for path, content in zip(paths, (text, sig)):
            with open(path, "w") as f:
                f.write(content)
        for review in ("R-1", "R-2"):
            gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "review", "submit", review, *paths, ok=range(1, 9))


def log_state(gate):
    return gate.cli("status", ok=range(0, 9)).get("log", {}).get("state")


def issued(gate):
    with open(os.path.join(gate.export(), "entries.jsonl")) as f:
        return sum('"ev":"release.issued"' in line for line in f)


def test_parts_of_an_earlier_day(gate):
    first, second = gate.offer("1.1.0"), gate.offer("1.2.0")
    gate.start()
    gate.ask(version="1.1.0")
    gate.review(1)
    gate.ask(version="1.2.0")
    gate.review(2)
    gate.sign("R-1", "alice")
    gate.sign("R-2", "alice")
    snapshot(gate, "half")
    gate.sign("R-1", "bob")
    assert gate.served(version="1.1.0") == first
    snapshot(gate, "approved")
    gate.cli("revoke", "R-1", "--reason", "found hostile in the lab")
    gate.cli("review", "reject", "R-2", "--reason", "not wanted any more")
    until(lambda: gate.ask(version="1.1.0")[0] == 404)
    papers = statements(gate)
    assert len(papers) == 3 and second
    assert issued(gate) == 1
    gate.stop()
    for day in ("half", "approved"):
        for what, parts in PARTS.items():
            parts = put_back(gate, day, parts)
            named = {"the log": "rolled-back", "everything": "cloned"}.get(what)
            if named:
                gate.start(ready=False)
                until(lambda: log_state(gate) == named, 30)
            else:
                gate.start()
            resubmit(gate, papers)
            for version in ("1.1.0", "1.2.0"):
                assert gate.ask(version=version)[0] == 404, (day, what, version)
            if not named:
                assert gate.review(1, "revoked") and gate.review(2, "rejected"), (day, what)
                assert issued(gate) == 1, (day, what)
            gate.stop()
            undo(gate, parts)
    gate.start()
    assert gate.ask(version="1.1.0")[0] == 404
    gate.verify()
