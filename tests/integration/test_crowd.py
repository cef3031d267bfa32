# SPDX-License-Identifier: Apache-2.0
"""10,000 modules at once: granted once each whatever restarts, on leases while control is away, until they are revoked."""
import os
import signal

from gate import Gate, luhn, until
from test_stampede import stampede

MODULES = 10000


def test_ten_thousand():
    gate = Gate(edges=1) # every lease is that edge's
    try:
        story(gate)
    finally:
        gate.close()


def story(gate):
    data = gate.offer(data=b"firmware" * 50)
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    gate.served(imei=luhn("35693800000000"))

    def all_served():
        return all(answer == (200, data) for answer in stampede(gate, MODULES))

    def grants():
        return [e["dev"] for e in gate.entries() if e["ev"] == "device.grant"]

    until(all_served, 120, 0.5)
    granted = grants()
    assert len(granted) == len(set(granted)) == MODULES
    for role in ("edge[0]", "control"):
        old = gate.kill_role(role)
        until(lambda: gate.roles().get(role) not in (None, old), 30)
    until(gate.up, 60)
    until(all_served, 120, 0.5)
    assert grants() == granted, "asked again through a new edge and a new control: nobody is granted twice"
    control = gate.roles()["control"]
    os.kill(control, signal.SIGSTOP)
    try:
        assert all_served(), "the edge holds leases"
    finally:
        os.kill(control, signal.SIGCONT)
    until(gate.up, 60)
    gate.cli("revoke", "R-1", "--reason", "found hostile in the lab")
    assert {status for status, _ in stampede(gate, MODULES)} == {404}
    assert grants() == granted
    gate.verify()
