# SPDX-License-Identifier: Apache-2.0
"""A fleet is updated over its rings, and part of it goes silent; the next release is recalled while a wave of it is out.

Roles and the whole gateway are killed meanwhile. It is told to whoever wants figures of it: tests/fleet/run.
"""
import datetime
import os
import signal
import threading
import time

from gate import Gate, until

import people
from oracle import Oracle, micros, ring_of
from simulator import Simulator

EDGES = 3
FIRST, SECOND = ("1.1.0", 6 << 10), ("1.2.0", 192 << 10)  # the second does not fit into a socket
THIRD, REST = 2, 3         # rings
RECALL_US = 1000000  # what the product promises


class Meter(threading.Thread):
    """Processor seconds and memory of each role, over all its lives; what it spent between two looks and its death is lost."""

    def __init__(self, gate):
        super().__init__(daemon=True)
        self.gate, self.lives, self.over = gate, {}, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.5):
            for name, pid in self.gate.roles().items():
                try:
                    words = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
                    peak = next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM"))
                except (OSError, StopIteration):
                    continue
                spent = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
                self.lives[name.split("[")[0], pid] = (spent, peak)

    def end(self):
        self.over.set()
        self.join()
        roles = {}
        for (name, _), (spent, peak) in self.lives.items():
            was = roles.get(name, (0, 0))
            roles[name] = (was[0] + spent, max(was[1], peak))
        return {name: roles[name] for name in ("edge", "control", "audit", "warden") if name in roles}


class Story:
    def __init__(self, n):
        self.n, self.interval = n, max(2, n / 6250)
        self.modules = people.fleet(n)
        self.plan = people.Plan(n, self.interval)
        self.figures, self.began = [], time.monotonic()
        self.gate = Gate(profile=people.profile(), edges=EDGES)
        self.gate.set(self.plan.text())
        self.fleet = None

    def close(self):
        if self.fleet:
            self.fleet.close()
        self.gate.close(keep=bool(os.environ.get("FG_KEEP")))

    def figure(self, what, text):
        self.figures.append((what, text))
        if os.environ.get("FG_FLEET_TALK"):
            print(f"{time.monotonic() - self.began:6.1f} s  {what}: {text}", flush=True)

    def wait(self, what, intervals=20):
        """For as many intervals, and then some for a machine that others use too."""
        return until(what, 30 + intervals * self.interval, 0.2)

    # -- the chapters ----------------------------------------------------
    def tell(self):
        self.appear()
        self.first()
        self.second()
        return self.judge()

    def appear(self):
        """Everybody is on the operator's list but the latecomers, asks, and is known from then on."""
        g = self.gate
        images = {v: g.offer(v, data=os.urandom(size)) for v, size in (FIRST, SECOND)}
        g.start()
        self.meter = Meter(g)
        with open(os.path.join(g.dir, "fleet.csv"), "w") as f:
            f.write("kind,identity,group,product,version\n")
            f.writelines(m.row() + "\n" for m in self.modules if m.behaviour != "n")
        g.cli("module", "import", f.name, "--profile", "story")
        with open(os.path.join(g.root, "keys/epoch.key"), "rb") as f:
            key = f.read()
        for m in self.modules:
            m.name(key)
        self.images = images
        g.ask(version=SECOND[0], imei=self.modules[0].imei)
        g.review(1, seconds=60)
        self.fleet = Simulator(g.dir, g.port, self.modules, self.interval)
        self.fleet.target(FIRST[0], images[FIRST[0]])
        expected = sum(m.behaviour != "n" for m in self.modules)
        self.wait(lambda: self.fleet.stats()["answered"] == expected)
        g.review(2, seconds=60)
        self.wait(lambda: sum(m["first_seen"] is not None for m in g.cli("module", "list")["modules"]) >= expected)
        known = {m["id"] for m in g.cli("module", "list")["modules"]}
        assert known >= {m.pseudonym for m in self.modules if m.behaviour != "n"}, "pseudonyms are not what the contract says"
        self.figure("modules known", f"{expected}")

    def release(self, review):
        """Its id, and the second it is of."""
        self.gate.approve(review)
        release = self.shown(review)["id"]
        issued = next(r["issued"] for r in self.gate.cli("release", "list")["releases"] if r["id"] == release)
        issued = datetime.datetime.strptime(issued, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
        return release, int(issued.timestamp())

    def shown(self, review):
        return self.gate.cli("rollout", "show", review)

    def ring(self, review, name):
        """Waits until that ring is open; nothing may have stopped it before."""
        def there():
            now = self.shown(review)
            assert now["state"] == "running", now
            return now["ring"] == name
        self.wait(there)
        self.figure(f"ring {name} open", review)

    def kill(self, role):
        g, old = self.gate, self.gate.kill_role(role)
        until(lambda: g.roles().get(role) not in (None, old), 30)
        until(g.up, 60)

    def kill_all(self):
        """The supervisor, and what is left ends by itself; then it is started again, as systemd does it."""
        g, roles = self.gate, self.gate.roles().values()
        g.stop(signal.SIGKILL)
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in roles), 30)
        g.start()

    def first(self):
        """The lab and a tenth do well though every role is killed once; of the third, 3 % are never heard of again."""
        g = self.gate
        self.one, issued = self.release("R-2")
        # Whoever is first heard of in the second of the release was there before it.
        until(lambda: time.time() > issued + 1)
        for m in self.modules:
            m.since = issued + 1 if m.behaviour == "n" else 0
        self.fleet.tell("late")
        third = [m for m in self.modules if ring_of(self.plan, self.one, issued, m) == THIRD and m.counts()]
        self.silent = third[:-(-len(third) * 3 // 100)]
        for m in self.silent:
            m.behaviour = "s"
        self.fleet.behave(self.silent)
        self.ring("R-2", "tenth")
        for role in ("control", "edge[0]", "audit", "warden"):
            before = self.fleet.stats()["served"]
            self.wait(lambda: self.fleet.stats()["served"] > before)
            self.kill(role)
        self.ring("R-2", "third")
        before = self.fleet.stats()["served"]
        self.wait(lambda: self.fleet.stats()["served"] > before + len(third) // 3)
        self.kill_all()
        self.figure("killed whole and back", f"after {self.fleet.stats()['served'] - before} answers of the ring")
        now = self.wait(lambda: (s := self.shown("R-2"))["state"] != "running" and s)
        assert now["state"] == "paused" and "went silent" in now["reason"] and "Ring third" in now["reason"], now
        self.figure("paused", now["reason"])

    def second(self):
        """One more release; it is taken back while a tenth of the fleet is loading it."""
        g = self.gate
        self.fleet.target(SECOND[0], self.images[SECOND[0]])
        self.two, _ = self.release("R-1")
        self.ring("R-1", "tenth")
        before = self.fleet.stats()["served"]
        self.wait(lambda: (s := self.fleet.stats())["sending"] > 2 and s["served"] > before + self.n // 100)
        sending = self.fleet.stats()["sending"]
        start = time.time()
        done = g.cli("revoke", "R-1", "--reason", "found hostile in the lab")
        self.answered = time.time()
        self.fleet.tell("mark")
        self.figure("recall", f"answered after {self.answered - start:.2f} s, {sending} modules in the middle: {done}")
        for role in ("control", "edge[1]"):
            self.kill(role)
        self.fleet.tell("any")  # of the release that was paused, too
        self.polls()
        self.kill_all()
        self.polls()
        after = self.fleet.stats()
        assert after["late_bytes"] == 0 and after["late_answers"] == 0, after
        # The newer one has taken the place of the one that was paused, and taking it back gives nobody the older.
        over = {r["id"]: r["state"] for r in g.cli("rollout", "list")["rollouts"]}
        assert over[self.one] == "superseded", over

    def polls(self):
        """As many answers as there are modules, and then half as many."""
        refused = self.fleet.stats()["refused"]
        self.wait(lambda: self.fleet.stats()["refused"] > refused + self.n * 3 // 2)

    # -- and what is to be said of it --------------------------------------
    def judge(self):
        stats = self.fleet.stats()
        roles = self.meter.end()
        got = self.fleet.got()
        out = self.gate.export()
        assert self.gate.verify(out).stdout.rstrip().endswith("ok")
        entries = self.gate.entries(out)
        oracle = Oracle(self.plan, self.modules, got, {self.one: FIRST[0], self.two: SECOND[0]}).read(entries)
        one, two = oracle.bytes(self.one), oracle.bytes(self.two)
        assert not oracle.problems, "\n".join([f"{len(oracle.problems)} problems"] + oracle.problems[:20])
        self.judge_pause(oracle, one)
        self.judge_recall(oracle, two)
        self.figure("polls", f"{stats['polls']} in {stats['ms'] / 1000:.0f} s, {stats['polls'] * 1000 // stats['ms']} a second; "
                    f"{stats['served']} served, {stats['refused']} nothing now, {stats['broken']} broken off")
        self.figure("grants", f"{len(one.granted)} and {len(two.granted)}, each right; {one.behind} and {two.behind} were on "
                    f"their way when it ended")
        self.figure("simulator", f"{stats['cpu_ms'] / 1000:.1f} s of a processor")
        for name, (spent, peak) in roles.items():
            self.figure(name, f"{spent:.1f} s of a processor, {spent * 1e6 / stats['polls']:.0f} us a poll; {peak / 1024:.0f} MiB at most")
        self.figure("log", f"{len(entries)} entries, verified")
        return self.figures

    def judge_pause(self, oracle, one):
        asks, ref = self.plan.rings[THIRD], one.ended["ref"]
        assert one.why == "rollout.paused" and len(one.opened) == THIRD + 1, one.why
        assert ref["number"] == THIRD and ref["silent"] * 1000 >= max(ref["granted"] - ref["failure"], asks["reports"]) * asks["silent"]
        silent = {m.pseudonym for m in self.silent}
        told = {p for p, said in one.outcome.items() if said == "silent"}
        assert told & silent
        rest = [m for m in self.modules if oracle.ring(one, m) == REST and (m.number, FIRST[0]) in oracle.got]
        assert len(rest) > self.n // 2 and not any(oracle.got[m.number, FIRST[0]]["served"] for m in rest)
        said = list(one.outcome.values())
        self.figure("of the first release", f"{said.count('success')} well, {said.count('failure')} failed, {len(told)} silent, "
                    f"{len(told - silent)} of them only late; {len(rest)} of the last ring asked and were offered nothing")
        assert "failure" in said

    def judge_recall(self, oracle, two):
        assert two.why == "approval.revoked" and len(two.opened) == THIRD, two.why
        at = micros(two.ended)
        # A transfer that is reset is an entry too: the last of them all tells when the last byte went out.
        assert two.last <= at + RECALL_US, f"{(two.last - at) / 1e6} s after it was recalled"
        late = [e for e in two.granted.values() if micros(e) > self.answered * 1e6]
        assert not late, f"granted after the answer: {late[:3]}"
        self.figure("recall in the log", f"last entry of a module {(two.last - at) / 1e3:+.1f} ms from its own")
