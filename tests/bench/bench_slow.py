#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Slow modules at once, 20 kbit/s each: ranges of 16 KiB one after the other, taken 2,500 bytes a second.
How long first bytes take, what an answer costs the edges, and what memory a connection takes. And whether
the cost of an answer stays what it is, from 10 connections to 10,000 and with a full decision table.

Of 10,000 each has room for 4 KiB, so that nearly all of an answer waits in the gateway's kernel. Of 50,000
each has room for its 16 KiB: window updates of so many are more than the one processor that plays all
modules can make.

More than 10,000 connections are spread over several edges on the one processor: a process may not have
more descriptors than the machine's hard limit, which only a capability raises."""
import time

from modules import Held, Pair, cpu, pss, socket_memory, started
from rows import figure, goal, median

NAME = "slow"
RATE = 2500          # bytes a second: 20 kbit/s
RANGE = 16 << 10
SECONDS = 20         # of the steady state
PROCESS_MAX = 10000  # connections of one client process
EDGES = 4            # for 50,000
FLAT = [10, 100, 1000, 10000]


def slabs():
    """Bytes of the kernel's own objects of connections: sockets, files, what epoll keeps; both ends'."""
    total = 0
    for line in open("/proc/slabinfo").read().splitlines()[2:]:
        word = line.split()
        if word[0] in ("TCP", "sock_inode_cache", "filp", "eventpoll_epi", "eventpoll_pwq", "dentry"):
            total += int(word[1]) * int(word[3])
    return total


def slow(pair, conns, rcvbuf):
    pids = pair.edges()
    memory, kernel = sum(map(pss, pids)), slabs()
    parts = [min(PROCESS_MAX, conns - i) for i in range(0, conns, PROCESS_MAX)]
    words = [pair.ours.command("slow", conns=n, rate=RATE, rcvbuf=rcvbuf, length=RANGE, sources=40, first=40 * i) for i, n in
             enumerate(parts)]
    held = [Held(process) for process in [started(w) for w in words]]
    before, start = sum(map(cpu, pids)), time.monotonic()
    time.sleep(SECONDS)
    spent, took = sum(map(cpu, pids)) - before, time.monotonic() - start
    memory, kernel = (sum(map(pss, pids)) - memory) * 1024 / conns, (slabs() - kernel) / conns / 2
    buffers = socket_memory(pair.ours.port) / conns
    for h in held:
        h.end()
    p99 = max(float(h.said["p99"]) for h in held)
    p50 = median([float(h.said["p50"]) for h in held])
    goal(NAME, f"{conns:,} modules at once, {len(pids)} edge{'s' * (len(pids) > 1)}: first byte, p99",
         f"{p99:.1f} ms (half within {p50:.2f} ms)", "50 ms", p99 <= 50)
    answers = sum(int(h.said["first"]) for h in held)
    figure(NAME, "the same: processor", f"{100 * spent / took:.0f} % of one, {1e6 * spent / answers:.0f} us an answer")
    figure(NAME, "the same: memory of a connection",
           f"{memory / 1024:.2f} KiB, in the kernel {kernel / 1024:.1f} of objects and {buffers / 1024:.1f} of buffers")


def flat(pair, what):
    """An answer of 2 KiB on one of n connections, all of them asking."""
    costs = []
    for n in FLAT:
        options = {"conns": n, "length": 2048, "sources": 40}
        pair.ours.load("get", 2 * n, **options)
        costs.append(median([pair.ours.load("get", max(20000, 2 * n), **options) for _ in range(3)]) * 1e6)
    text = ", ".join(f"{n:,}: {c:.1f} us" for n, c in zip(FLAT, costs))
    figure(NAME, f"an answer of 2 KiB by connections{what}", text)


def main():
    settings = ["limits: { idle_seconds = 600; stall_seconds = 600; connections = 19000; connections_per_module = 20000; };"]
    pair = Pair(settings=settings, peer=False)
    try:
        flat(pair, "")
        slow(pair, 10000, 4 << 10)
    finally:
        pair.close()
    pair = Pair(settings=settings, peer=False, edges=EDGES)
    try:
        slow(pair, 50000, 16 << 10)
    finally:
        pair.close()


main()
