# SPDX-License-Identifier: Apache-2.0
"""A damaged log permits nothing, and the way out of it makes the log longer, never another."""
import os

import pytest

from gate import Gate, until


@pytest.fixture
def gate():
    g = Gate()
    try:
        yield g
    finally:
        g.close()


def state(gate):
    return gate.cli("status", ok=(0, 3)).get("log", {}).get("state")


def test_the_way_out_of_a_tampered_log(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    export = gate.export()
    gate.stop()
    log = os.path.join(gate.root, "data/audit/log")
    remembered = open(os.path.join(log, "checkpoint")).read()
    entries = os.path.join(log, "tile/entries/000.p", os.listdir(os.path.join(log, "tile/entries/000.p"))[0])
    with open(entries, "r+b") as f:
        f.seek(300)
        byte = f.read(1)[0]
        f.seek(300)
        f.write(bytes([byte ^ 1]))
    gate.start(ready=False)
    until(lambda: state(gate) == "tampered")
    assert gate.ask()[0] == 404
    # Nothing is mended while it runs, nor with something else.
    gate.cli("audit", "repair", "--from", export, ok=(1,))
    gate.stop()
    gate.cli("audit", "repair", "--from", log, ok=(1,))
    gate.start(ready=False)
    until(lambda: state(gate) == "tampered")
    gate.stop()
    done = gate.cli("audit", "repair", "--from", export)
    assert done["size"] == int(remembered.split("\n")[1])
    gate.start()
    assert state(gate) == "ok"
    assert gate.served() == data
    out = gate.export()
    seen = os.path.join(gate.dir, "seen")
    with open(seen, "w") as f:
        f.write(remembered)
    gate.tool("fotagate-verify", out, "--trust", os.path.join(gate.root, "people/trust.txt"), "--seen", seen)
    assert any(e["ev"] == "log.recovered" and "repaired from an export" in e["msg"] for e in gate.entries())
