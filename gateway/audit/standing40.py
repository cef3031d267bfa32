# SPDX-License-Identifier: Apache-2.0
"""standing40.py - what releases40.py asks of a release that nobody signed for: does the standing statement that it names cover it?

Nothing is to be run here. A standing statement has bounds, an end and a number of releases; what the release's report
says is read as well, because no person read it.
"""
import json
from base40 import SKEW, WINDOW, agrees, read, second, sha

BEST = ["unseen", "reconstructed", "proved"]  # of deltas; a whole image is better than any
used = {}  # key of a standing statement -> releases that rest on it

def key(paper):  # the digest of its terms: what is personal is set to one form
    fixed = {"approver": "key", "reason": "decision key", "time": "1970-01-01T00:00:01Z", "nonce": "0" * 32,
        "log": {"root": "0" * 64, "size": 0}}
    bare = {**paper, "predicate": {**paper["predicate"], **fixed}}
    return sha(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()).hex()

def reach(r, papers):  # modules it lets in at most; of a standing one over all its releases
    said = papers[r["statements"][0]["statement"]]["predicate"] if "standing" in r else None
    return said["scope"]["max_devices"] * said["max_releases"] if said else r["terms"]["max_devices"]

# signed not too long before
def timely(r, said, now): return -SKEW <= now - second(said["time"]) <= (30 * 86400 if "standing" in r else WINDOW) + SKEW

def stopped(e, obj):  # the image, or the standing statement's key
    return e.get("ref", {}).get("key", e.get("ref", {}).get("image", obj)).removeprefix("sha256:")

def since(r, said, opened, revoked):  # what a signer has to have seen
    was = [revoked.get(k, 0) for k in (r["terms"]["image"], r.get("standing"))]
    return max(opened[said.get("standing", r["terms"]["review"])], *was)

def within(asked, allowed): return "*" in allowed or set(asked) <= set(allowed)

def delta_within(delta, worst):
    made = delta and delta["made"].split(",")[0].split(":")[0].replace("not seen", "unseen")
    return not made or worst != "none" and made in BEST[BEST.index(worst):]

def reported(terms):  # the report says the same as the record
    report = json.loads(read(f"reports/{terms['report']}.json"))
    found = {f["id"] for f in report["findings"] if f["severity"] != "info"}
    keys = {s["signer"]["spki_sha256"] for s in report["signatures"] if s["outcome"] == "verified" and not s["where"]}
    return report["verdict"] != "blocked" and found <= set(terms["findings"]) and (terms.get("delta") or not report.get("delta")) \
        and ("signer" not in terms or keys == {terms["signer"]})

def signed_for(r, paper, said, terms):  # by its person: this very release, or a standing statement that covers it
    if "standing" not in r:
        return said["decision"] == "approve" and agrees(said, terms)
    used.setdefault(r["standing"], set()).add(json.dumps(r, sort_keys=True))
    return said["decision"] == "standing" and key(paper) == r["standing"] and len(used[r["standing"]]) <= said["max_releases"] and \
        all(said.get(k) == terms.get(k) for k in ("gateway", "profile", "product", "policy", "plan")) and reported(terms) and \
        r.get("as_of", "") <= said["time"] and terms.get("signer") in said.get("signers", [terms.get("signer")]) and \
        set(terms["findings"]) <= set(said["findings"]) and not terms.get("waived") and not terms.get("checklist") and \
        delta_within(terms.get("delta"), said["deltas"]) and within(terms["from_versions"], said["from_versions"]) and \
        within(terms["groups"], said["groups"]) and terms["max_devices"] <= said["max_devices"] and \
        second(said["not_before"]) <= second(r["issued"]) < second(said["not_after"]) and r["quorum"] >= said.get("quorum", 0) and \
        said["not_before"] <= terms["not_before"] and terms["not_after"] <= said["not_after"]
