# SPDX-License-Identifier: Apache-2.0
"""policy40.py - what people40.py asks where people sign the policy: who put each in force, and what was released then?

Nothing is to be run here.
"""
import base64, glob, json
from base40 import SKEW, WINDOW, entries, must, passkey, read, second, sha

GENESIS = json.loads(read("signers/genesis.json"))["predicate"]
NAMES = "fotagate-approval@v1," + ("fotagate-policy@v1," if "policy" in GENESIS else "") + "fotagate-signers@v1"

def keys(some):
    return [(s["principal"], base64.b64decode(s["key"].split()[1])) for s in some["signers"]]

def blob(sig):
    return base64.b64decode(b"".join(read(sig).split(b"\n")[1:-2]))

def policies(signer, sets):  # the signatures of all of them
    now, text, number, current, sigs, gone = GENESIS.get("policy"), read("signers/genesis.json"), 0, 0, set(), {}
    for at, e, ev, when, obj in entries():
        where = f"entry {at}: "
        if ev == "authz.key.suspended":
            gone.setdefault(obj, min(e.get("ref", {}).get("at", when), when))
        elif ev == "authority.signers":
            current += 1
            back = {"key:" + sha(key).hex() for _, key in keys(sets[current])}
            gone = {k: t for k, t in gone.items() if k not in back or second(sets[current]["time"]) <= t}
        elif ev == "authority.policy":
            number, before, people = number + 1, sha(text).hex(), set()
            path = f"signers/policy-{number}.json"
            text, mine = read(path), glob.glob(path[:-4] + "sig.*")
            new = json.loads(text)["predicate"]["policy"]
            must(now and e["doc"].encode() == text and new["number"] == number and new["previous"] == before and
                new["signers"] == current and new["time"] >= now.get("time", ""), where + "a policy that follows from nothing")
            must(-SKEW - 1 <= when - second(new["time"]) <= WINDOW + SKEW + 1, where + "a policy of another time")
            for sig in mine:
                who, _ = signer(path, sig, "fotagate-policy@v1", new["time"]), must(not passkey(sig), sig + ": made in a browser")
                counted = {p for p, key in keys(sets[current]) if key in blob(sig) and "key:" + sha(key).hex() not in gone}
                people |= {who} & counted
            need = max(sets[current]["threshold"], GENESIS["floors"]["production"])
            must(len(people) >= need, where + "a policy that lacks signatures")
            now, sigs = new, sigs | set(mine)
        elif ev == "release.issued" and now:
            terms = json.loads(e["doc"])["terms"]
            must(now["profiles"].get(terms["profile"]) == terms["policy"], where + "released under a policy not in force")
    must(len(glob.glob("signers/policy-*.json")) == number, "a policy that was never put in force")
    return sigs
