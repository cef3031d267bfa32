# SPDX-License-Identifier: Apache-2.0
"""Who gets how much: real clients at once, and the bytes each had when the first of them was through."""
import contextlib
import os
import subprocess

import pytest

from gate import Gate, luhn, until

SIZE = 2 << 20
RATE = 1 << 20
CANARY, ONE, MANY = (luhn(f"3569380{n:07d}") for n in range(3))


@pytest.fixture
def gate():
    g = Gate(edges=1)
    try:
        g.set(f"limits = {{ bytes_per_second = {RATE}; }};")
        g.data = g.offer(data=os.urandom(SIZE))
        g.start()
        path = os.path.join(g.dir, "inventory.csv")
        with open(path, "w") as f:
            f.write("kind,identity,group,product,version\n")
            for imei, group in ((CANARY, "canary"), (ONE, "field"), (MANY, "field")):
                f.write(f"imei,{imei},{group},FG100,1.0.0\n")
        g.cli("module", "import", path)
        g.ask(imei=CANARY)
        g.review(1)
        g.approve()
        for imei in (CANARY, ONE, MANY): # whoever is granted it once waits for nobody else later
            until(lambda i=imei: g.ask("HEAD", imei=i)[0] == 200)
        yield g
    except BaseException:
        with contextlib.suppress(OSError):
            print(open(g.log).read()[-6000:])
        raise
    finally:
        g.close()


class Curl:
    def __init__(self, gate, imei, number):
        self.path = os.path.join(gate.dir, f"{imei}.{number}")
        self.process = subprocess.Popen(["curl", "-sSfN", "-o", self.path, gate.url(imei=imei)])

    def bytes(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def through(self):
        return self.process.wait(60) == 0


def test_groups_then_modules_then_connections_share_alike(gate):
    one = [Curl(gate, ONE, 0)]
    many = [Curl(gate, MANY, n) for n in range(3)]
    everybody = one + many
    try:
        until(lambda: all(c.bytes() > 0 for c in everybody))
        canary = Curl(gate, CANARY, 0)
        everybody.append(canary)
        until(lambda: canary.bytes() > 0)
        before = sum(c.bytes() for c in one), sum(c.bytes() for c in many)
        assert canary.through()
        first, others = (sum(c.bytes() for c in cs) - b for cs, b in zip((one, many), before))
        # Five connections, a fifth of the bytes each? One of two groups has half; in the other one, one of two modules.
        assert SIZE / 2 < first + others < 3 * SIZE / 2, (first, others)
        assert others / 2 < first < others * 2, (first, others)
        # No limit any more: whoever is under way notices nothing else.
        gate.set("limits = { connections_per_module = 2; };")
        gate.cli("reload")
        assert all(c.through() for c in everybody)
        for c in everybody:
            assert open(c.path, "rb").read() == gate.data
    finally:
        for c in everybody:
            c.process.kill()
            c.process.wait()


def test_one_connection_too_many(gate):
    gate.set("limits = { connections_per_module = 2; };")
    gate.cli("reload")
    with gate.kept(imei=ONE) as first, gate.kept(imei=ONE) as second:
        assert first() == second() == (200, gate.data)
        status, head, body = gate.ask(imei=ONE)
        assert (status, body, head["Connection"]) == (404, b"", "close")
        assert gate.ask("HEAD", imei=MANY)[0] == 200
        assert first() == second() == (200, gate.data)
        until(lambda: gate.cli("status")["edges"][0]["refused_module"] == 1)
        assert gate.cli("status")["edges"][0]["connections"] == 2
    until(lambda: gate.ask("HEAD", imei=ONE)[0] == 200)
    assert "1 requests of modules" in " ".join(gate.text("status").split())
