# SPDX-License-Identifier: Apache-2.0
"""Was every grant right, and every ring opened when it might be? From the exported log, the plan and what modules got.

Nothing here asks the gateway: rings are computed anew from release and pseudonym, the state of a rollout is what the
log says up to an entry, and what became of a module is what the simulator saw.
"""
import datetime
import hashlib

SUCCESS, FAILURE, SILENT = "success", "failure", "silent"


def place(release, pseudonym):
    return int.from_bytes(hashlib.sha256(bytes.fromhex(release + pseudonym)).digest()[:4], "big")


def ring_of(plan, release, issued, module):
    """Number of the first ring that has it; whoever came after the release (a second) is in the last."""
    if module.since <= issued:
        where = place(release, module.pseudonym)
        for i, r in enumerate(plan.rings[:-1]):
            if module.group in r["groups"] if "groups" in r else where < (1 << 32) * r["share"] // 1000:
                return i
    return len(plan.rings) - 1


def micros(entry):
    t = datetime.datetime.strptime(entry["t"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    return (t - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)


class Rollout:
    def __init__(self, release, version, at):
        self.release, self.version, self.issued = release, version, at // 1000000
        self.opened = [at]                              # times of its rings
        self.ended = self.why = None                    # entry by which it was paused or taken back
        self.granted, self.outcome = {}, {}             # by pseudonym: entry; the last word of the log
        self.behind = 0                                 # grants on their way when it ended
        self.last = 0                                   # time of the last entry about a module


class Oracle:
    def __init__(self, plan, modules, got, versions):
        """got: what each module has of each target, by number and version (fleet.c: dump)."""
        self.plan, self.modules, self.got, self.versions = plan, modules, got, versions
        self.by_name = {m.pseudonym: m for m in modules}
        self.rollouts, self.problems = {}, []

    def wrong(self, entry, what):
        self.problems.append(f"entry {entry['seq']} ({entry['ev']}): {what}")

    def read(self, entries):
        does = {"release.issued": self.issued, "rollout.created": self.created, "rollout.promoted": self.promoted,
                "rollout.closed": self.closed, "rollout.paused": self.stopped, "rollout.aborted": self.stopped,
                "approval.revoked": self.stopped, "device.grant": self.grant, "device.result": self.result,
                "device.served": self.moved, "device.failed": self.moved}
        for e in entries:
            if e["ev"] not in does or not e["obj"].startswith("release:"):
                continue
            release = e["obj"].split(":")[1]
            if e["ev"] == "release.issued":
                self.rollouts[release] = Rollout(release, self.versions[release], micros(e))
            elif release not in self.rollouts:
                self.wrong(e, "of a release that was never issued")
            else:
                does[e["ev"]](e, self.rollouts[release])
        return self

    def issued(self, e, r):
        pass

    def created(self, e, r):
        if e["ref"]["number"] != 0 or len(r.opened) != 1:
            self.wrong(e, "a rollout begins at its first ring")

    def closed(self, e, r):
        self.wrong(e, "no rollout of this story comes to its end")

    def stopped(self, e, r):
        if not r.ended:
            r.ended, r.why = e, e["ev"]

    def promoted(self, e, r):
        """The next ring, by what its predecessor has shown: by the numbers of the entry, and these by what there was."""
        last, number, ref = len(r.opened) - 1, e["ref"]["number"], e["ref"]
        asks = self.plan.rings[last]
        if r.ended:
            self.wrong(e, f"opens a ring after {r.why}")
        if number != last + 1 or ref["ring"] != self.plan.rings[number]["name"]:
            self.wrong(e, f"ring {number} opens after ring {last}")
        if micros(e) - r.opened[last] < (self.plan.soak - 1) * 1000000:  # the gateway counts whole seconds
            self.wrong(e, "opens before the soak is over")
        if ref["success"] < asks["reports"] or ref["success"] * 1000 < ref["granted"] * asks["success"]:
            self.wrong(e, f"opens on {ref['success']} of {ref['granted']}")
        for bad in ("failed", "silent"):
            n, other = (ref["failure"], ref["silent"]) if bad == "failed" else (ref["silent"], ref["failure"])
            if n * 1000 >= max(ref["granted"] - other, asks["reports"]) * asks[bad]:
                self.wrong(e, f"opens with {n} {bad}")
        mine = [m for m in self.granted_in(r, last) if m.counts()]
        able = [m for m in mine if self.done(m, r.version) and self.done(m, r.version) < micros(e)
                and m.behaviour not in "fos"]
        if ref["granted"] > len(mine) or ref["success"] > len(able):
            self.wrong(e, f"counts {ref['success']} of {ref['granted']}, and there were {len(able)} of {len(mine)}")
        r.opened.append(micros(e))

    def ring(self, r, m):
        return ring_of(self.plan, r.release, r.issued, m)

    def granted_in(self, r, ring):
        return [m for m in map(self.by_name.get, r.granted) if self.ring(r, m) == ring]

    def done(self, m, version):
        mine = self.got.get((m.number, version))
        return mine and mine["done"]

    def grant(self, e, r):
        m = self.by_name.get(e["dev"])
        if not m:
            self.wrong(e, "to nobody of the fleet")
            return
        if m.pseudonym in r.granted:
            self.wrong(e, "a second time")
        if self.ring(r, m) >= len(r.opened):
            self.wrong(e, f"to ring {self.ring(r, m)}, and {len(r.opened)} are open")
        if r.ended:
            # What stops is logged when it is in force. Behind it stands what was decided by the table before.
            r.behind += 1
            if e["ref"]["table"] > r.ended["seq"]:
                self.wrong(e, f"decided after {r.why}")
        r.granted[m.pseudonym] = e
        r.last = micros(e)

    def result(self, e, r):
        m, said = self.by_name.get(e["dev"]), e["ref"]["outcome"]
        if not m or m.pseudonym not in r.granted:
            self.wrong(e, "of a module that was not granted it")
            return
        if said == SUCCESS and (m.behaviour in "fos" or not self.done(m, r.version) or self.done(m, r.version) > micros(e)):
            self.wrong(e, f"a success of one that has not taken it (behaviour {m.behaviour})")
        # The gateway has sent what a broken connection lost: whoever asks for it again looks as if it had failed.
        if said == FAILURE and m.behaviour not in "fo" and not self.got[m.number, r.version]["broken"]:
            self.wrong(e, f"a failure of one that has not failed (behaviour {m.behaviour})")
        r.outcome[m.pseudonym] = said

    def moved(self, e, r):
        if e["dev"] not in r.granted:
            self.wrong(e, "bytes without a grant")
        r.last = micros(e)

    def bytes(self, release):
        """No byte came to a module before its grant was in the log, or without one, or from a ring that is not open."""
        r = self.rollouts[release]
        for m in self.modules:
            mine = self.got.get((m.number, r.version))
            if not mine or not mine["served"]:
                continue
            e = r.granted.get(m.pseudonym)
            if not e:
                self.problems.append(f"module {m.number}: {mine['bytes']} bytes of {r.version} without a grant")
            elif mine["first"] and mine["first"] < micros(e):
                self.problems.append(f"module {m.number}: bytes of {r.version} before its grant")
        return r
