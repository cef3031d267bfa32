#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Revocation in the middle of a transfer: seconds from starting `fotagate revoke` to the reset that a
slow module sees, and where log entries stand. The client reads on all the time, slowly, so that a
transfer that is merely closed would show as more bytes and an orderly end."""
import os
import signal
import socket
import threading
import time

from rows import RUNS, fail, figure, goal, median

from gate import Gate, until

NAME = "revoke"
SIZE = 64 << 20
BYTES_PER_SECOND = 4 << 20
PIECE = 64 << 10


class Slow:
    """One module that takes its bytes slowly; end is what recv() said and when."""

    def __init__(self, gate):
        self.got, self.end, self.at = 0, None, None
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 << 10)
        self.socket.connect(("127.0.0.1", gate.port))
        path = "/" + gate.url().split("/", 3)[3]
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        self.socket.settimeout(30)
        while self.end is None:
            try:
                piece = self.socket.recv(PIECE)
                self.got += len(piece)
                if not piece:
                    self.end = "closed"
            except ConnectionResetError:
                self.end = "reset"
            except OSError as e:
                self.end = type(e).__name__
            self.at = time.monotonic()
            time.sleep(PIECE / BYTES_PER_SECOND)
        self.socket.close()


def once():
    g = Gate(edges=2)
    try:
        g.offer(data=os.urandom(SIZE))
        g.start()
        g.ask()
        g.review(1, seconds=60)
        g.approve()
        until(lambda: g.ask("HEAD")[0] == 200, 30, 0.2)
        slow = Slow(g)
        until(lambda: slow.got > 1 << 20)
        start = time.monotonic()
        g.cli("revoke", "R-1", "--reason", "bench")
        answered = time.monotonic() - start
        slow.thread.join(60)
        if slow.end != "reset":
            fail(f"the client saw {slow.end} after {slow.got} bytes")
        events = [e["ev"] for e in g.entries()]
        return slow.at - start, answered, slow.got, events
    finally:
        g.close()


def halted():
    """Seconds from starting `fotagate halt`, with control and audit stopped, to the reset."""
    g = Gate(edges=2)
    try:
        g.offer(data=os.urandom(SIZE))
        g.start()
        g.ask()
        g.review(1, seconds=60)
        g.approve()
        until(lambda: g.ask("HEAD")[0] == 200, 30, 0.2)
        slow = Slow(g)
        until(lambda: slow.got > 1 << 20)
        pids = [g.roles()[r] for r in ("control", "audit")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        start = time.monotonic()
        g.text("halt")
        slow.thread.join(60)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        if slow.end != "reset":
            fail(f"the client saw {slow.end} after {slow.got} bytes")
        return slow.at - start
    finally:
        g.close()


def main():
    took, answered, share = [], [], []
    for _ in range(min(RUNS, 3)):
        seconds, answer, got, events = once()
        took.append(seconds)
        answered.append(answer)
        share.append(got / SIZE)
    worst = max(took)
    goal(NAME, "revoke to the reset a slow module sees", f"{median(took):.3f} s (worst {worst:.3f} s)", "within 1 s",
         worst <= 1)
    figure(NAME, "the command's own answer, durable entry included", f"{median(answered):.3f} s")
    figure(NAME, "of 64 MiB the module had", f"{100 * median(share):.0f} %")
    story = [e for e in events if e in ("device.grant", "approval.revoked", "device.failed", "device.served")]
    figure(NAME, "order in the log", ", ".join(story))
    took = [halted() for _ in range(min(RUNS, 3))]
    worst = max(took)
    goal(NAME, "halt to the reset, control and audit stopped", f"{median(took):.3f} s (worst {worst:.3f} s)", "within 1 s",
         worst <= 1)


main()
