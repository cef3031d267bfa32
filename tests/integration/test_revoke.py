# SPDX-License-Identifier: Apache-2.0
"""Revocation in the middle of a transfer: reset, not closed, and the log has the order."""
import json
import os
import socket
import time

import pytest

from gate import until

SIZE = 48 << 20


def slow_module(gate):
    """Opens a download and reads a little of it; the socket."""
    s = socket.create_connection(("127.0.0.1", gate.port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    path = gate.url().split("/", 3)[3]
    s.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    got = s.recv(4096)
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    return s


@pytest.mark.parametrize("how", ["revoke", "halt"])
def test_reset_in_the_middle(gate, how):
    gate.offer(data=os.urandom(1 << 20) * (SIZE >> 20))
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    until(lambda: gate.ask("HEAD")[0] == 200)
    s = slow_module(gate)
    if how == "revoke":
        gate.cli("revoke", "R-1", "--reason", "found hostile in the lab")
    else:
        gate.text("halt")
    s.settimeout(10)
    got = 0
    with pytest.raises(ConnectionResetError):
        # What the kernel holds is dropped: a close would still have delivered it.
        while True:
            part = s.recv(1 << 16)
            assert part, "closed instead of reset"
            got += len(part)
    assert got < SIZE
    assert gate.ask()[0] == 404
    events = [json.loads(line) for line in open(os.path.join(gate.export(), "entries.jsonl"))]
    names = [e["ev"] for e in events]
    stop = names.index("approval.revoked" if how == "revoke" else "restrict.halt")
    assert names.index("device.grant") < stop
    assert "device.grant" not in names[stop:]
    assert "device.served" not in names[stop:]
    gate.verify()
