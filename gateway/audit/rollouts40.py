#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rollouts40.py DIR - each time a rollout went on after a stop, or into a ring that waits for people: did enough sign for that?

Run it after releases40.py has said ok. What a rollout that stands has to do with grants is asked here, too.
"""
import json, os, sys
sys.dont_write_bytecode = True
from base40 import NEVER, SKEW, SLACK, WINDOW, entries, must, passkey, read, second

floors, releases, used, at, went = json.loads(read("signers/genesis.json"))["predicate"]["floors"], {}, set(), 0, 0
papers = {f[:-5]: json.loads(read("statements/" + f))["predicate"] for f in os.listdir("statements") if f.endswith(".json")}

def over(said):  # modules that failed or went silent, of all rings
    return sum(int(n) for word in said.get("over", []) for n in word.split(": ")[-1].split() if n.isdigit())

for at, e, ev, now, obj in entries():
    r, ref, where = releases.get(obj), e.get("ref", {}), f"entry {at}: "
    if ev == "release.issued":
        releases[obj] = {**json.loads(e["doc"])["terms"], "at": at, "had": set(), "paused": NEVER, "was": NEVER, "stop": 0}
    elif ev in ("rollout.paused", "rollout.held") and r:
        r["stop"] = ref.get("since", 0)
        r["paused"] = min(r["paused"], now) if ev == "rollout.paused" else r["paused"]
    elif ev == "rollout.resumed" and e["out"] == "denied":  # the warden took it back: it stands as it stood
        r["paused"] = min(r["paused"], r["was"]) if ref["step"] == "resume" else r["paused"]
    elif ev == "rollout.resumed":
        must(r, where + "a rollout of what was never released")
        names = [ref[k].removeprefix("sha256:") for k in ref if k.startswith("statement.")]
        mine, size = [papers[n] for n in names], "canary" if r["max_devices"] <= floors["canary_max_devices"] else "production"
        must(used.isdisjoint(names) and (ref["step"] == "open" or ref["since"] == r["stop"]), where + "used, or of another stop")
        for said in mine:
            must(said["decision"] == "continue" and said["release"] == obj.removeprefix("release:") and said["max_devices"] ==
                r["max_devices"] and said["plan"]["digest"]["sha256"] == r["plan"] and second(said["since"]) == ref["since"] and
                [said["step"], said["ring"]] == [ref["step"], ref["ring"]], where + "not what was signed")
            must(over(said) <= len(r["had"]), where + "over more modules than were granted it")
            must(r["at"] < said["log"]["size"] <= at and -SKEW <= now - second(said["time"]) <= WINDOW + SKEW, where + "too old")
        off = any(not passkey(f"statements/{n}.sig") for n in names)
        must(len({s["approver"] for s in mine}) >= floors[size] and (off or size == "canary"), where + "too few people")
        r["was"], r["paused"] = (r["paused"], NEVER) if ref["step"] == "resume" else (r["was"], r["paused"])
        used, went = used | set(names), went + 1
    elif ev == "device.grant" and r:
        must(now <= r["paused"] + SLACK, where + "granted while its rollout was paused")
        r["had"].add(e["dev"])
print(f"ok: {went} times a rollout went on, each signed for")
