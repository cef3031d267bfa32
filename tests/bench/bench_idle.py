#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of an idle gateway: the sum of PSS over the daemon and all its roles, two edges, after one
update was served (caches and tables are there) and the connections are gone."""
import os
import time

from rows import fail, figure, goal

from gate import Gate, until

NAME = "idle"
SETTLE = 3  # seconds: closing connections, one checkpoint


def parents():
    """ppid and name by pid."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open(f"/proc/{pid}/stat").read()
        except OSError:
            continue
        end = stat.rindex(")")
        found[int(pid)] = (int(stat[end + 2:].split()[1]), stat[stat.index("(") + 1:end])
    return found


def family(top):
    tree = parents()
    members, grew = {top}, True
    while grew:
        more = {p for p, (parent, _) in tree.items() if parent in members} - members
        members |= more
        grew = bool(more)
    return {p: tree[p][1] for p in members if p in tree}


def pss(pid):
    """KiB."""
    try:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except PermissionError:
        fail("roles are not dumpable: only root may read their smaps_rollup")
    fail(f"no Pss of process {pid}")


def main():
    g = Gate(edges=2)
    try:
        g.offer(data=os.urandom(300000))
        g.start()
        g.ask()
        g.review(1)
        g.approve()
        g.served()
        time.sleep(SETTLE)
        until(lambda: not any(n in ("upstream", "fotagate-inspect") for n in family(g.process.pid).values()))
        shares = sorted(((pss(pid) / 1024, name) for pid, name in family(g.process.pid).items()), reverse=True)
        total = sum(s for s, _ in shares)
        goal(NAME, f"PSS of {len(shares)} processes, two edges", f"{total:.1f} MiB", "under 64 MiB", total < 64)
        figure(NAME, "by process, MiB", ", ".join(f"{name} {share:.1f}" for share, name in shares))
    finally:
        g.close()


main()
