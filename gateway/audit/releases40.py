#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""releases40.py DIR - did enough people sign for each release, over this log, in time and after whatever stopped it before?

Run it after verify40.py, files40.py and people40.py have said ok: then entries and signatures are what they seem. What
went out under these releases is served40.py's question.
"""
import base64, json, os, sys
sys.dont_write_bytecode = True
from base40 import ENDS, SKEW, SLACK, entries, lines, must, passkey, read, retired, root, said_by, second, sha
from glass40 import reach, released, signed_for, since, stopped, timely, watch

number, releases, opened, revoked, suspended, genesis = 0, {}, {}, {}, {}, read("signers/genesis.json")
floors, leaves = json.loads(genesis)["predicate"]["floors"], [sha(b"\0", line) for line in lines()]
papers = {f[:-5]: json.loads(read("statements/" + f)) for f in os.listdir("statements") if f.endswith(".json")}
for log in (paper["predicate"]["log"] for paper in papers.values()):
    must(log["size"] <= len(leaves) and root(leaves[:log["size"]]).hex() == log["root"], "FORK: somebody signed over another log")
for at, e, ev, now, obj in entries():
    must((ev == "authority.genesis") == (at == 0) and (at or e["doc"].encode() == genesis), f"entry {at}: another genesis")
    if ev in ("review.opened", "standing.proposed"): opened[obj] = at
    elif ev == "authz.key.suspended": suspended.setdefault(obj, min(e.get("ref", {}).get("at", now), now))
    elif ev in ("approval.breakglass", "approval.afterreview"): watch(at, e, now, obj, papers, releases)
    elif ev in ENDS or retired(ev, e, obj, releases): revoked[releases.get(obj) or stopped(e, obj)] = at
    elif ev == "authority.signers":
        number, new = number + 1, json.loads(e["doc"])["predicate"]["set"]
        must(e["doc"].encode() == read(f"signers/{number}.json"), f"entry {at}: not the signer set {number}")
        keys = {"key:" + sha(base64.b64decode(s["key"].split()[1])).hex() for s in new["signers"]}
        suspended = {k: t for k, t in suspended.items() if k not in keys or second(new["time"]) <= t}
    elif ev == "release.issued":
        r, where, refs = json.loads(e["doc"]), f"entry {at}: ", e.get("ref", {})
        terms, people = r["terms"], {s["approver"] for s in r["statements"]} - {refs[k] for k in refs if k.startswith("requester.")}
        must(read(f"reports/{terms['report']}.json") and read(f"policies/{terms['policy']}.json") and obj not in releases and
            obj == "release:" + sha(e["doc"].encode()).hex()[:32], where + "not the record of its name, or without its papers")
        size = "canary" if reach(r, papers) <= floors["canary_max_devices"] else "production"
        off = any(s["approver"] in people and not passkey(f"statements/{s['statement']}.sig") for s in r["statements"])
        floor = 1 if "breakglass" in r else max(floors[size], refs.get("quorum.asked", 0), terms.get("quorum", 0))
        must(r["signers"] == number and (off or size == "canary") and len(people) >= r["quorum"] >= floor, where + "too few people")
        must(r["log_size"] <= at and abs(second(r["issued"]) - now) <= SKEW + 1, where + "of another time")
        for s in r["statements"]:
            said = said_by(papers[s["statement"]])
            must(signed_for(r, papers[s["statement"]], said, terms) and said["approver"] == s["approver"] and
                sha(read(f"statements/{s['statement']}.sig")).hex() == s["signature"], where + "not what was signed")
            newest = since(r, said, opened, revoked)
            must(opened[terms["review"]] < at and newest < said["log"]["size"] <= at and timely(r, said, now) and
                now <= suspended.get("key:" + s["key"], now) + SLACK + 1, where + "a statement too old, or of a suspended key")
        releases[obj] = released(at, obj, r, off, revoked, papers)
must(not os.path.exists(f"signers/{number + 1}.json"), f"signer set {number + 1} was never put in force")
print(f"ok: {len(releases)} releases, each signed for")
