#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What serving costs: processor time of one edge for one answer, as a ratio to nginx's worker in the same
run. Through the whole gateway: identity, table, grant and block checks are in the path; log, control and
the modules run on the other processor. TCP's congestion control is cubic, as Linux comes with; two rows more
say what bbr makes of the long answers."""
from modules import Pair, congestion, own_network
from rows import RUNS, figure, goal, median

NAME = "http"

PLAIN = [  # what, goal, requests, options
    ("range of 1 KiB", 0.80, 20000, {"length": 1 << 10}),
    ("range of 2 KiB", 0.80, 20000, {"length": 2 << 10}),
    ("range of 4 KiB", 0.80, 20000, {"length": 4 << 10}),
    ("range of 64 KiB", 0.60, 10000, {"length": 64 << 10}),
    ("whole 16 MiB", 0.90, 100, {"conns": 4}),
    ("new connection, 1 KiB", 0.95, 5000, {"length": 1 << 10, "new": 1, "sources": 16}),
]
TLS = [
    ("range of 2 KiB", 0.85, 15000, {"length": 2 << 10}),
    ("range of 64 KiB", 0.65, 4000, {"length": 64 << 10}),
    ("whole 16 MiB", 0.78, 50, {"conns": 4}),
]
PACED = [row for row in PLAIN if row[0] in ("range of 64 KiB", "whole 16 MiB")]
HANDSHAKES = [
    ("full handshake", {"sources": 16}),
    ("resumed handshake", {"sources": 16, "resume": 1}),
]


def compare(pair, what, wanted, mode, requests, **options):
    """Turn and turn about, so that what the machine does meanwhile meets both; the median of the ratios."""
    pair.ours.load(mode, max(requests // 10, 8), **options)
    pair.peer.load(mode, max(requests // 10, 8), **options)
    ratios, ours, theirs = [], [], []
    for _ in range(RUNS):
        ours.append(pair.ours.load(mode, requests, **options))
        theirs.append(pair.peer.load(mode, requests, **options))
        ratios.append(ours[-1] / theirs[-1])
    ratio = median(ratios)
    text = f"{ratio:.2f}x ({median(ours) * 1e6:.1f} us, nginx {median(theirs) * 1e6:.1f} us)"
    if wanted:
        goal(NAME, what, text, f"at most {wanted}x", ratio <= wanted)
    else:
        figure(NAME, what, text)


def main():
    own_network()
    pair = Pair(settings=["limits: { idle_seconds = 600; stall_seconds = 600; connections_per_module = 20000; };"])
    try:
        for what, wanted, requests, options in PLAIN:
            compare(pair, f"plain, {what}", wanted, "get", requests, **options)
        for what, wanted, requests, options in TLS:
            compare(pair, f"TLS 1.3, {what}", wanted, "get", requests, tls="1.3", **options)
        if "bbr" in open("/proc/sys/net/ipv4/tcp_available_congestion_control").read().split():
            congestion("bbr")
            for what, _, requests, options in PACED:
                compare(pair, f"plain, {what}, by bbr", None, "get", requests, **options)
            congestion("cubic")
        for what, options in HANDSHAKES:
            for version in ("1.3", "1.2"):
                compare(pair, f"TLS {version}, {what}", 1.0, "handshake", 1000, tls=version, **options)
    finally:
        pair.close()


main()
