#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of a connection: of the edge and of nginx's worker, each in a new process, and in the kernel's
buffers of it. Idle: after an answer. Stalled: in the middle of 16 MiB of which the module takes no more."""
import time

from modules import Pair, own_network, socket_memory
from rows import figure, goal

NAME = "memory"
HELD = 2000   # connections
SETTLE = 1.5  # seconds: buffers go back, the other processor is quiet


def memory(server, tls, active):
    """Bytes a connection: of the process, of the kernel's socket buffers."""
    before = server.own_memory()
    options = {"conns": HELD, "length": 2048, "sources": 8, "active": 0}
    if active:
        options |= {"length": 0, "active": 1}
    with server.held(tls=tls, **options):
        time.sleep(SETTLE)
        mine = (server.own_memory() - before) * 1024 / HELD
        kernel = socket_memory(server.tls_port if tls else server.port) / HELD
    time.sleep(SETTLE)
    return mine, kernel


def compare(pair):
    for tls in (None, "1.3"):
        for active in (False, True):
            pair.renew(tls)
            ours, theirs = memory(pair.ours, tls, active), memory(pair.peer, tls, active)
            what = f"{'TLS' if tls else 'plain'}, memory of {'a stalled transfer' if active else 'an idle connection'}"
            text = (f"{ours[0] / 1024:.2f} KiB and {ours[1] / 1024:.1f} in the kernel "
                    f"(nginx {theirs[0] / 1024:.2f} and {theirs[1] / 1024:.1f})")
            if active:
                figure(NAME, what, text)
            else:
                goal(NAME, what, text, "nginx's", ours[0] <= theirs[0])


def main():
    own_network()
    pair = Pair(settings=["limits: { idle_seconds = 600; stall_seconds = 600; connections_per_module = 20000; };"])
    try:
        compare(pair)
    finally:
        pair.close()


main()
