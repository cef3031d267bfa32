# SPDX-License-Identifier: Apache-2.0
"""base40.py - the few things that the other *40.py share. They change into DIR first."""
import base64, hashlib, json, os, sys
from datetime import datetime

SLACK = 10  # seconds: what stops is logged after it took effect, so what was on its way may stand behind it
WINDOW, SKEW = 72 * 3600, 300  # from signing to release; between two clocks
NEVER = 1e12
ENDS = "approval.revoked", "approval.rejected", "standing.revoked"  # what was signed before that is over

def must(good, why):
    if not good:
        sys.exit("FAIL: " + why)

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def read(path):
    with open(path, "rb") as f:
        return f.read()

def second(text): return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

def lines():
    return read("entries.jsonl").split(b"\n")[:-1]

def root(tree):  # of hashes; one without neighbour goes up as it is
    while len(tree) > 1:
        tree = [sha(b"\1", *tree[i:i + 2]) if tree[i + 1:i + 2] else tree[i] for i in range(0, len(tree), 2)]
    return tree[0] if tree else sha()

# a release before its time, else it had run out
def retired(ev, e, obj, releases): return ev == "image.retired" and obj in releases and "image" in e.get("ref", {})

def said_by(statement):  # as flat as a release record's terms are
    said, what = statement["predicate"], statement["subject"][0]
    return {**said, **said["scope"], "image": what["digest"]["sha256"], "subject": what["name"],
        **{k: said[k]["digest"]["sha256"] for k in ("report", "policy", "plan") if k in said}}

def passkey(sig):  # made in a browser, says the signature itself
    return b"webauthn-sk-ecdsa" in base64.b64decode(b"".join(read(sig).split(b"\n")[1:-2]))

def agrees(said, terms):  # also where one of them leaves out what need not be there
    return all(said.get(k) == terms.get(k) for k in {*terms, "checklist", "delta", "plan", "quorum", "waived"})

def entries():
    before = -NEVER
    for at, line in enumerate(lines()):
        e = json.loads(line)
        must(e["seq"] == at, f"entry {at} calls itself another")
        now = second(e["t"])
        must(now >= before, f"entry {at}: time goes back, which audit never lets it")
        before = now
        yield at, e, e["ev"], now, e.get("obj", "")

os.chdir(sys.argv[1])
