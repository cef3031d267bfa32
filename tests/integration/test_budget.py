# SPDX-License-Identifier: Apache-2.0
"""A release for one module stays a release for one module, however often control dies."""
import time

from gate import until

OTHERS = ["356938035643809", "490154203237526"]


def test_a_dead_control_forgets_no_grant(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve("R-1", "--max-devices", "1")
    assert gate.served() == data
    old = gate.kill_role("control")  # before it wrote the grant down
    until(lambda: gate.roles().get("control") not in (None, old), 30)
    until(gate.up, 30)
    for imei in OTHERS * 5:
        assert gate.ask(imei=imei)[0] == 404
        time.sleep(0.2)
    assert gate.served() == data
    gate.verify()
