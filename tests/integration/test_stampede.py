# SPDX-License-Identifier: Apache-2.0
"""1,000 modules ask at once before approval: one fetch upstream, not one byte of an image."""
import concurrent.futures
import http.client

from gate import luhn, until

MODULES = 1000
PATH = "/FG100/1.1.0/rootfs.img"


def stampede(gate, modules=MODULES):
    """Every module once, 100 connections at a time; what they got. A role that dies takes its connections along."""
    imeis = [luhn(f"3569380{n:07d}") for n in range(modules)]

    def some(part):
        got = []
        c = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=60)
        for imei in part:
            try:
                c.request("GET", f"/fw/FG100/1.1.0/rootfs.img?imei={imei}&v=1.0.0")
                r = c.getresponse()
                got.append((r.status, r.read()))
            except (OSError, http.client.HTTPException):
                c.close()
                got.append((0, b""))
        c.close()
        return got

    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        parts = [imeis[i::100] for i in range(100)]
        return [answer for part in pool.map(some, parts) for answer in part]


def test_one_fetch_and_not_one_byte(gate):
    gate.offer()
    gate.start()
    answers = stampede(gate)
    assert len(answers) == MODULES
    assert {status for status, _ in answers} == {404}
    assert sum(len(body) for _, body in answers) == 0
    gate.review(1)
    stampede(gate)
    assert gate.vendor.count[PATH] == 1
    assert gate.vendor.count[PATH + ".p7s"] == 1
    assert len(gate.reviews()) == 1
    gate.verify()


def test_a_failing_vendor_is_not_hammered(gate):
    """Two thousand requests, and it is asked as often as one fetch tries again, each time after twice as long."""
    gate.offer()
    gate.vendor.modes[PATH] = 500
    gate.start()
    stampede(gate)
    until(lambda: gate.vendor.count.get(PATH))
    stampede(gate)
    assert gate.vendor.count[PATH] <= 8 and PATH + ".p7s" not in gate.vendor.count
    assert not gate.reviews("review")
    del gate.vendor.modes[PATH]
    gate.cli("fetch", "retry", "R-1", ok=(0, 1, 3))  # unless it is still at it
    gate.review(1, seconds=90)
    assert gate.vendor.count[PATH] <= 9


def test_a_stalling_vendor_holds_one_fetch_only(gate):
    gate.offer()
    gate.vendor.modes[PATH] = ["stall"]
    gate.vendor.release.clear()
    gate.start()
    answers = stampede(gate)
    assert {status for status, _ in answers} == {404}
    until(lambda: gate.vendor.count.get(PATH))
    stampede(gate)
    assert gate.vendor.count[PATH] == 1
    gate.vendor.release.set()
    gate.review(1)
    assert gate.vendor.count[PATH] == 1


def test_after_approval_all_of_them_are_served_and_granted_once(gate):
    data = gate.offer(data=b"firmware" * 500)
    gate.start()
    stampede(gate)
    gate.review(1)
    gate.approve()
    gate.served(imei=luhn("35693800000000"))

    def missing():
        return [a for a in stampede(gate) if a != (200, data)]
    until(lambda: not missing(), 60, 0.5)
    stampede(gate)
    grants = [e for e in gate.entries() if e["ev"] == "device.grant"]
    assert len(grants) == len({e["dev"] for e in grants}) == MODULES
