# SPDX-License-Identifier: Apache-2.0
"""A clock that steps, for a whole gateway: nothing new is permitted until it is back or people confirm it.

The wall clock is this machine's and stays; the clock since boot, which it is held against, is moved by time
namespaces, a life of the gateway in each. To the gateway it is the wall clock that left, and came back.
"""
import json
import os
import subprocess

import pytest

from gate import luhn, until

def booted(hours):
    """As if the machine had started so many hours earlier than it did."""
    return ["unshare", "--time", f"--boottime={hours * 3600}"]


NEW_MODULE = luhn("35693804356438")


def can_step():
    return os.geteuid() == 0 and subprocess.run([*booted(1), "true"], capture_output=True).returncode == 0


def alerts(gate):
    return {a["id"]: a["text"] for a in gate.cli("status", ok=range(9)).get("alerts", [])}


def held(gate, hours):
    gate.start(*booted(hours), ready=False)

    def settled():
        told = alerts(gate)
        return "stepped" in told.get("CLOCK", "") and not {"LOG", "READING"} & set(told)
    until(settled, 30)


def resume(gate, person, ok=(0,)):
    return gate.cli("resume", "statement", "--approver", f"{person}@demo.invalid", "--reason",
                    "the clock on the wall is right", "--sign", os.path.join(gate.root, "people", person), ok=ok)


def new_module(gate):
    return gate.ask(imei=NEW_MODULE)[0]


@pytest.mark.skipif(not can_step(), reason="needs root and time namespaces (Linux 5.6)")
def test_a_step_holds_what_permits(gate):
    data = gate.offer("1.1.0")
    gate.offer("1.2.0")
    gate.start(*booted(2))
    gate.ask(version="1.1.0")
    gate.review(1)
    gate.ask(version="1.2.0")
    gate.review(2)
    gate.approve("R-1")
    assert gate.served(version="1.1.0") == data
    gate.sign("R-2", "alice")
    gate.stop()

    held(gate, 0)
    assert not gate.up()
    assert new_module(gate) == 404, "no new grant"
    hold = gate.cli("status", ok=range(9))["clock_hold"]
    assert "stepped" in hold["text"] and gate.cli("status", ok=range(9))["halt"] is None
    told = json.loads(gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "resume", "statement", "--approver",
                                "alice@demo.invalid", "--reason", "it is right", "--json", cwd=gate.dir).stdout)
    told = json.loads(told["statement"])
    assert told["predicate"]["halted_at"] == hold["at"], "what a page holds the statement against"
    done = gate.sign("R-2", "bob", ok=(0, 1, 3))
    assert "clock" in str(done), done
    assert gate.reviews("review") and gate.ask(version="1.2.0")[0] == 404, "no new release"
    gate.offer("1.3.0")
    assert gate.ask(version="1.3.0")[0] == 404
    gate.review(3, "judging")  # what is found by such a clock is neither let in nor blocked for good
    # Restricting is not held: a person alone, at once.
    gate.cli("review", "reject", "R-2", "--reason", "not wanted any more")
    gate.review(2, "rejected")
    gate.stop()

    gate.start(*booted(2))  # the clock is where it was
    until(lambda: new_module(gate) == 200)
    gate.review(3)
    gate.stop()

    held(gate, 4)
    assert gate.ask(imei=luhn("35693804356439"))[0] == 404
    resume(gate, "alice")
    assert not gate.up(), "one person is not enough"
    resume(gate, "bob")
    until(gate.up, 30)
    assert gate.cli("status")["clock_hold"] is None
    until(lambda: gate.ask(imei=luhn("35693804356439"))[0] == 200)
    gate.stop()
    gate.start(*booted(4))  # confirmed: this is the clock now
    assert gate.served(imei=luhn("35693804356440")) == data
    told = [(e["ev"], e.get("obj")) for e in gate.entries() if e["ev"] in ("clock.stepped", "restrict.resume")]
    assert told == [("clock.stepped", "clock"), ("restrict.resume", "clock")] * 2
    assert gate.verify().stdout.rstrip().endswith("ok")
