# SPDX-License-Identifier: Apache-2.0
"""glass40.py - what releases40.py asks of a release that one person alone let through: does genesis allow it, did it wait, and
did others look at it before the next one?

Nothing is to be run here. Its report is read as well: break-glass is never over what blocks.
"""
import json
from base40 import SKEW, WINDOW, agrees, must, passkey, read, second
from standing40 import reach, reported, signed_for as by_standing, since, stopped, timely  # for releases40.py, too

GENESIS = json.loads(read("signers/genesis.json"))["predicate"]
ALLOWED, DAY = GENESIS.get("breakglass", {"delay": 0, "max_devices": 0}), 86400
let, broken, owed, said = {}, {}, [], []  # image -> where, modules; break-glass releases; which of them others have to look at

def quorum(r): return max(2, GENESIS["floors"]["production"], r["terms"].get("quorum", 0))

def signed_for(r, paper, words, terms):
    if "breakglass" not in r: return by_standing(r, paper, words, terms)
    return words["decision"] == "breakglass" and words["delay"] == r["breakglass"] and words["blocked"] is False and \
        agrees({**words, "not_before": terms["not_before"]}, terms) and reported(terms) and \
        second(words["not_after"]) - second(words["time"]) <= DAY

def watch(at, e, now, obj, papers, releases):  # approval.breakglass, approval.afterreview
    if e["ev"] == "approval.breakglass": said[:] = [obj]
    elif obj in broken: reviewed(at, e, now, obj, papers)
    else: must(obj not in releases, f"entry {at}: an after-review of what was no break-glass")  # it was owed, and then not released

def reviewed(at, e, now, obj, papers):
    ref, r = e["ref"], broken[obj]
    names = [ref[k].removeprefix("sha256:") for k in ref if k.startswith("statement.")]
    words = [papers[n]["predicate"] for n in names]
    must(all(w["decision"] == "afterreview" and "release:" + w["release"] == obj and w["outcome"] == ref["outcome"] and
        r["log_size"] < w["log"]["size"] <= at and -SKEW <= now - second(w["time"]) <= WINDOW + SKEW for w in words) and
        len({w["approver"] for w in words}) >= quorum(r) and not all(passkey(f"statements/{n}.sig") for n in names),
        f"entry {at}: an after-review by too few, or of another release")
    owed[:] = [o for o in owed if o != obj]

def released(at, obj, r, off, revoked, papers):
    t, image = r["terms"], r["terms"]["image"]
    before = max((n for where, n in let.get(image, ()) if where > revoked.get(image, -1)), default=0)
    if "breakglass" in r:
        must(ALLOWED["delay"] and r["breakglass"] == ALLOWED["delay"] and not owed and said == [obj] and r["quorum"] == 1 and
            t["max_devices"] <= max(ALLOWED["max_devices"], before) and "standing" not in r and
            second(t["not_before"]) == second(r["issued"]) + r["breakglass"] and
            second(t["not_after"]) - second(r["issued"]) <= DAY + SKEW, f"entry {at}: one person alone let through too much")
        broken[obj], owed[:] = r, [obj]
    elif "standing" not in r:
        let.setdefault(image, []).append((at, t["max_devices"]))
        saw = min(papers[s["statement"]]["predicate"]["log"]["size"] for s in r["statements"])
        owed[:] = [o for o in owed if not off or len(r["statements"]) < quorum(broken[o]) or
            broken[o]["terms"]["image"] != image or saw <= broken[o]["log_size"]]
    return image
