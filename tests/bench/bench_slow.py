#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Slow modules at once, 20 kbit/s each: ranges of 16 KiB one after the other, taken 2,500 bytes a second.
How long first bytes take to reach the module's stack, what an answer costs the edges, and what memory a
connection takes.

Of 10,000 each has room for 4 KiB, so that nearly all of an answer waits in the gateway's kernel. Of 50,000
each has room for its 16 KiB: window updates of so many are more than the one processor that plays all
modules can make. They are spread over several edges on the one processor: a process may not have more
descriptors than the machine's hard limit, which only a capability raises. And while it lasts, loopback may
queue more than its 1,000 packets a processor: what it drops is sent again 200 ms later."""
import contextlib
import time

from modules import CLIENT_CPU, Held, Pair, idle_time, own_network, socket_memory, started
from rows import figure, goal, median

NAME = "slow"
RATE = 2500          # bytes a second: 20 kbit/s
RANGE = 16 << 10
SECONDS = 20         # of the steady state
EDGES = 5            # for 50,000
BACKLOG = 100000     # packets


@contextlib.contextmanager
def backlog(packets):
    """The whole machine's, so to be put back; its file is not there in another network namespace."""
    with open("/proc/sys/net/core/netdev_max_backlog", "r+") as f:
        old = f.read()

        def put(text):
            f.seek(0)
            f.write(text)
            f.flush()
        put(str(packets))
        try:
            yield
        finally:
            put(old)


def drops():
    """Packets that loopback has dropped for want of room."""
    return sum(int(line.split()[1], 16) for line in open("/proc/net/softnet_stat"))


def slabs():
    """Bytes of the kernel's own objects of connections: sockets, files, what epoll keeps; both ends'."""
    total = 0
    for line in open("/proc/slabinfo").read().splitlines()[2:]:
        word = line.split()
        if word[0] in ("TCP", "sock_inode_cache", "filp", "eventpoll_epi", "eventpoll_pwq", "dentry"):
            total += int(word[1]) * int(word[3])
    return total


def slow(pair, conns, rcvbuf):
    edges = pair.ours
    memory, kernel = edges.own_memory(), slabs()
    commands = edges.parts("slow", conns, rate=RATE, rcvbuf=rcvbuf, length=RANGE, sources=40)
    held = [Held(process) for process in [started(c) for c in commands]]
    dropped = drops()
    before, idle, start = edges.cpu(), idle_time(CLIENT_CPU), time.monotonic()
    time.sleep(SECONDS)
    spent, idle, took = edges.cpu() - before, idle_time(CLIENT_CPU) - idle, time.monotonic() - start
    dropped = drops() - dropped
    memory, kernel = (edges.own_memory() - memory) * 1024 / conns, (slabs() - kernel) / conns / 2
    buffers = socket_memory(edges.port) / conns
    for h in held:
        h.end()
    p99 = max(float(h.said["p99"]) for h in held)
    p50 = median([float(h.said["p50"]) for h in held])
    n = len(edges.pids)
    goal(NAME, f"{conns:,} modules at once, {n} edge{'s' * (n > 1)}: first byte, p99",
         f"{p99:.1f} ms (half within {p50:.2f} ms)", "50 ms", p99 <= 50)
    answers = sum(int(h.said["first"]) for h in held)
    figure(NAME, "the same: processor", f"{100 * spent / took:.0f} % of one, {1e6 * spent / answers:.0f} us an answer; "
           f"the modules' is busy for {100 - 100 * idle / took:.0f} %, loopback dropped {dropped}")
    figure(NAME, "the same: memory of a connection",
           f"{memory / 1024:.2f} KiB, in the kernel {kernel / 1024:.1f} of objects and {buffers / 1024:.1f} of buffers")


def main():
    settings = ["limits: { idle_seconds = 600; stall_seconds = 600; connections = 19000; connections_per_module = 20000; };"]
    with backlog(BACKLOG):
        own_network()
        for edges, conns, rcvbuf in ((1, 10000, 4 << 10), (EDGES, 50000, 16 << 10)):
            pair = Pair(settings=settings, peer=False, edges=edges)
            try:
                slow(pair, conns, rcvbuf)
            finally:
                pair.close()


main()
