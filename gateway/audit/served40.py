#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""served40.py DIR [MODULE] - was everything served granted, and everything granted within a release of that time and size?

Run it after releases40.py has said ok. With a module's pseudonym it lists all that was granted and served to it.
"""
import json, sys
sys.dont_write_bytecode = True
from base40 import NEVER, SLACK, entries, must, read, retired, second

stopped, ended, resumed, releases, used, granted, served, at = {}, {}, {"halt": set(), "clock": set()}, {}, {}, set(), 0, 0
floors = json.loads(read("signers/genesis.json"))["predicate"]["floors"]

def end(them, now): [x.update(ends=min(x["ends"], now)) for x in them]

for at, e, ev, now, obj in entries():
    r, pair, where, name = releases.get(obj), (e.get("dev"), obj), f"entry {at}: ", e.get("ref", {}).get("halted_at")
    sys.argv[2:] == [e.get("dev")] and print(at, e["t"], ev, obj)
    if ev == "release.issued":
        doc, _ = json.loads(e["doc"]), must(now <= stopped.get("clock", now) + SLACK, where + "released while the clock was held")
        must("breakglass" not in doc or now <= stopped.get("halt", now) + SLACK, where + "let through by one person in a halt")
        once = [] if "standing" in doc else [s["statement"] for s in doc["statements"]]
        ends = stopped.get("halt", NEVER) if "breakglass" in doc else NEVER
        releases[obj] = {**doc, **doc["terms"], "ends": ends, "modules": 0, "statements": once}
    elif ev == "approval.revoked" or retired(ev, e, obj, releases):
        image = e.get("ref", {}).get("image", obj).removeprefix("sha256:")
        end([r] if r else [x for x in releases.values() if x["image"] == image], now)
    elif ev == "release.refused" and r: r["ends"], _ = -NEVER, must(not r["modules"], where + "taken back after it was granted")
    elif ev == "approval.signed" and obj in resumed:
        said = json.loads(read(f"statements/{e['ref']['statement'][7:]}.json"))["predicate"]
        resumed[obj] |= {said["approver"]} if said["decision"] == "resume" else set()
    elif ev == "restrict.halt" or (ev, obj) == ("clock.stepped", "clock"):
        stopped.setdefault("halt" if ev == "restrict.halt" else "clock", now), ended.update({obj: name})
        end([x for x in releases.values() if "breakglass" in x and ev == "restrict.halt"], now)  # what one person alone let through
    elif (ev, e["out"]) == ("restrict.resume", "denied") and obj not in stopped and (obj, name) in ended:  # it stands after all
        stopped[obj], resumed[obj] = ended[obj, name]
    elif ev == "restrict.resume" and e["out"] == "ok" and obj in stopped and (obj == "clock" or ended["gateway"] in (None, name)):
        must(len(resumed[obj]) >= floors["production"] or obj == "clock" and "signed_by" not in e.get("ref", {}), where + "too few")
        ended[obj, name], resumed[obj] = (stopped.pop(obj), resumed[obj]), set()
    elif ev == "device.grant":
        must(r and e["dev"], where + "granted, but never released")
        must(now <= min(r["ends"], *stopped.values(), NEVER) + SLACK, where + "granted after what stopped it")
        must(second(r["not_before"]) <= now < second(r["not_after"]) + SLACK, where + "granted outside the time signed for")
        r["modules"] += pair not in granted
        granted.add(pair), must(r["modules"] <= r["max_devices"], where + "more modules than were signed for")
        must(all(used.setdefault(s, obj) == obj for s in r["statements"]), where + "a statement used twice")
    elif ev in ("device.served", "device.failed"):
        served, _ = served + (ev == "device.served"), must(pair in granted, where + "served without a grant")
print(f"ok: {served} times served within {len(granted)} grants within {len(releases)} releases, entries 0 to {at} without a gap")
