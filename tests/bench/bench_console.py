#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What people see of a gateway at work: how long the console takes for the first page of the queue, for a review whose
report tells of 700 files, and for a page of a fleet of 1,000,000 modules, at 50 requests a second while an edge streams
as fast as its processor lets it; and what an answer of that edge costs meanwhile, as a ratio to the same without anybody
at the console, turn and turn about.

Control, console and the modules share the other processor. There are 10,000 reviews of one product, 100 of them open, all
with that report; as on a desk, what is looked at was looked at before. Whoever asks here is scheduled before everybody else, so that what is measured is the server's time: from when a
request was due until its answer was read."""
import http.client
import io
import json
import os
import random
import sqlite3
import ssl
import subprocess
import tarfile
import threading
import time

from modules import Pair, own_network
from rows import RUNS, fail, figure, goal, median

from crowd import settle
from gate import free_port, luhn, until

NAME = "console"
FILES = 700
FLEET = 1_000_000
REVIEWS, OPEN = 10_000, 100
RATE = 50       # requests a second
CONNS = 10
REQUESTS = 150000 # of modules, 64 KiB each, in one round
WITHIN = 0.200


def tree(salt):
    """An archive of so many files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for n in range(FILES):
            data = f"{salt} {n} http://{salt}{n}.example/update\n".encode() * 8
            info = tarfile.TarInfo(f"usr/lib/part{n // 50:02d}/file{n:03d}.conf")
            info.size, info.mode, info.mtime = len(data), 0o644, 1700000000
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Desk(Pair):
    """A gateway with a console, one operator at it, and all that to look at."""

    def __init__(self):
        self.web_port = free_port()
        console = f'console = {{ address = "127.0.0.1"; port = {self.web_port}; cert = "web.crt"; key = "web.key"; }};'
        super().__init__(peer=False, settings=[
            "limits: { idle_seconds = 600; stall_seconds = 600; connections_per_module = 20000; };", console])

    def _certificate(self):
        super()._certificate()
        keys = os.path.join(self.gate.root, "keys")
        self.cert = f"{keys}/web.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "9", "-keyout", f"{keys}/web.key",
                        "-out", self.cert], check=True, capture_output=True)
        os.chmod(f"{keys}/web.key", 0o600)

    def fill(self):
        g = self.gate
        for number, version, salt in ((2, "1.0.0", "old"), (3, "1.1.0", "new")):
            g.offer(version, data=tree(salt), product="FG200")
            g.ask(version=version, product="FG200", current="0.9.0")
            g.review(number, seconds=60)
            if number == 2:
                g.approve("R-2")
        self.multiply()
        path = os.path.join(g.dir, "fleet.csv")
        with open(path, "w", encoding="ascii") as f:
            f.write("kind,identity,group,product,version\n")
            f.writelines(f"imei,{luhn(f'3512340{n:07d}')},field,FG100,1.0.0\n" for n in range(FLEET))
        g.cli("module", "import", path, "--profile", "story")
        self.cookie = settle(g, {"olga": "operator"})["olga"][0]

    def multiply(self):
        """R-3 ten thousand times, each under an address of its own; all but some are decided."""
        with sqlite3.connect(os.path.join(self.gate.root, "data/state/state.db"), timeout=60) as db:
            columns = lambda table, *but: [c[1] for c in db.execute(f"PRAGMA table_info({table})") if c[1] not in but]
            res, cand = columns("resource", "id"), columns("candidate", "id", "resource", "state")
            (was,) = db.execute("SELECT resource FROM candidate WHERE id = 3").fetchone()
            for n in range(REVIEWS):
                key = os.urandom(16)
                values = ", ".join(f"'{n}.' || {c}" if c in ("url", "target") else c for c in res)
                db.execute(f"INSERT INTO resource (id, {', '.join(res)}) SELECT ?, {values} FROM resource WHERE id = ?", (key, was))
                state = "review" if n >= REVIEWS - OPEN else "rejected"
                db.execute(f"INSERT INTO candidate (resource, state, {', '.join(cand)}) SELECT ?, ?, {', '.join(cand)} "
                           "FROM candidate WHERE id = 3", (key, state))
        db.close()

    def link(self):
        context = ssl.create_default_context(cafile=self.cert)
        return http.client.HTTPSConnection("localhost", self.web_port, timeout=60, context=context)

    def ask(self, link, target):
        link.request("GET", "/api/v1" + target, headers={"Cookie": f"__Host-fg={self.cookie}"})
        r = link.getresponse()
        body = r.read()
        if r.status != 200:
            fail(f"{target}: {r.status} {body[:200]}")
        return body


class Person(threading.Thread):
    """Asks on time, whatever has become of what was asked before."""

    def __init__(self, desk, targets):
        super().__init__(daemon=True)
        self.desk, self.targets, self.took, self.over = desk, targets, [], threading.Event()
        self.links = [desk.link() for _ in range(CONNS)]
        for link in self.links:
            desk.ask(link, "/session")

    def run(self):
        begin = time.monotonic()
        hands = [threading.Thread(target=self.hand, args=(begin, i), daemon=True) for i in range(CONNS)]
        for h in hands:
            h.start()
        for h in hands:
            h.join()

    def hand(self, begin, i):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        while not self.over.is_set():
            due = begin + i / RATE
            time.sleep(max(0, due - time.monotonic()))
            self.desk.ask(self.links[i % CONNS], self.targets())
            self.took.append(time.monotonic() - due)
            i += CONNS


def measure(desk, what, targets):
    """Both at once and the edge alone, in turns: what people waited, and the ratio of what an answer of the edge cost."""
    took, ratios = [], []
    for _ in range(RUNS):
        alone = desk.ours.load("get", REQUESTS, length=64 << 10)
        person = Person(desk, targets)
        person.start()
        both = desk.ours.load("get", REQUESTS, length=64 << 10)
        person.over.set()
        person.join()
        took += person.took
        ratios.append(both / alone)
    took.sort()
    p99 = took[min(len(took) - 1, len(took) * 99 // 100)]
    goal(NAME, f"{what}: p50", f"{median(took) * 1e3:.1f} ms", "under 200 ms", median(took) < WITHIN)
    goal(NAME, f"{what}: p99 of {len(took)}", f"{p99 * 1e3:.1f} ms", "under 200 ms", p99 < WITHIN)
    ratio = median(ratios)
    goal(NAME, f"{what}: an edge's CPU for an answer of 64 KiB, times without", f"{ratio:.2f}x", "at most 1.05x", ratio <= 1.05)


def main():
    own_network()
    desk = Desk()
    try:
        until(lambda: "console" in desk.gate.roles())
        desk.fill()
        link = desk.link()
        first, after = [], "0"
        while after:  # whatever was not looked at before is read a few at a time
            page = json.loads(desk.ask(link, "/reviews?state=review&limit=1000&after=" + after))
            first, after = first + page["reviews"], page["next"]
        report = json.loads(desk.ask(link, "/reviews/R-3/report"))
        seeds = [m["id"] for m in json.loads(desk.ask(link, "/modules?limit=500"))["modules"]]
        figure(NAME, "reviews of the queue's first page, bytes of the report", f"{len(first)}, {len(json.dumps(report))}")
        desk.ours.load("get", 200, length=64 << 10)
        measure(desk, f"queue, {REVIEWS:,} reviews", lambda: "/reviews?state=review")
        measure(desk, f"review with a report of {FILES} files", lambda: "/reviews/R-3")
        measure(desk, "that report as it is signed for", lambda: "/reviews/R-3/report")
        measure(desk, f"fleet, a page of {FLEET:,} modules", lambda: "/modules?limit=100&after=" + random.choice(seeds))
    finally:
        desk.close()


main()
