#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the cost of an answer stays what it is, from 10 connections to 50,000, all of them there before and all
asking, beside nginx with as many in the same run: what grows alike is the kernel's and the caches'.

More than 10,000 connections are spread over several edges (workers) on the one processor: a process may not
have more descriptors than the machine's hard limit, which only a capability raises."""
from modules import Pair, Steady, own_network
from rows import RUNS, figure, goal, median

NAME = "flat"
EDGES = 5            # for 50,000
FLAT = [10, 100, 1000, 10000]
FLAT_EDGES = [1000, 50000]


def flat(pair, numbers):
    """An answer of 2 KiB on one of n connections, all of them asking; ours, nginx's, and ours outside the kernel, us."""
    costs = []
    for n in numbers:
        both = [Steady(server, n, max(40000, 2 * n), length=2048) for server in (pair.ours, pair.peer)]
        rounds = []
        for _ in range(RUNS + 1):
            rounds.append([s.cost() * 1e6 for s in both] + [both[0].user * 1e6])
        for s in both:
            s.end()
        costs.append([median(column) for column in zip(*rounds[1:])])
    text = ", ".join(f"{n:,}: {ours:.1f} us (nginx {theirs:.1f})" for n, (ours, theirs, _) in zip(numbers, costs))
    edges = len(pair.ours.pids)
    figure(NAME, f"an answer of 2 KiB by connections, {edges} edge{'s' * (edges > 1)}", text)
    return costs


def compare(first, last):
    """That it is flat; and how much of what it is not is ours."""
    growth = last[0] / first[0]
    goal(NAME, f"an answer on one of {FLAT[-1]:,} connections, times one of {FLAT[0]}",
         f"{growth:.2f}x ({last[0] - first[0]:+.1f} us; nginx {last[1] / first[1]:.2f}x, {last[1] - first[1]:+.1f} us)",
         "at most 1.1x", growth <= 1.1)
    growth = last[2] / first[2]
    goal(NAME, "the same, outside the kernel", f"{growth:.2f}x ({first[2]:.2f} and {last[2]:.2f} us)", "at most 1.1x",
         growth <= 1.1)


def main():
    own_network()
    settings = ["limits: { idle_seconds = 600; stall_seconds = 600; connections = 19000; connections_per_module = 20000; };"]
    for edges, numbers in ((1, FLAT), (EDGES, FLAT_EDGES)):
        pair = Pair(settings=settings, files=19000, edges=edges)
        try:
            costs = flat(pair, numbers)
        finally:
            pair.close()
        if edges == 1:
            compare(costs[0], costs[-1])


main()
