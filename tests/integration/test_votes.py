# SPDX-License-Identifier: Apache-2.0
"""What a signature stands for: this policy, and somebody else's wish."""
import os
import re

from gate import PROFILE, until


def show(gate, review="R-1"):
    return gate.cli("review", "show", review)


def test_a_policy_changed_while_down_voids_what_was_signed(gate):
    data = gate.offer()
    gate.write_profile(PROFILE.replace("quorum = 2;", "quorum = 3;"))
    gate.start()
    gate.ask()
    gate.review(1)
    gate.sign("R-1", "alice")
    gate.sign("R-1", "bob")
    before = show(gate)
    assert (before["have"], before["need"]) == (2, 3)
    gate.stop()
    gate.write_profile(PROFILE)  # two would do now, but two signed for a policy that says three
    gate.start()
    after = until(lambda: (r := show(gate))["state"] == "review" and r["policy"] != before["policy"] and r)
    assert (after["have"], after["need"]) == (0, 2)
    assert gate.ask()[0] == 404
    assert not any(e["ev"] == "release.issued" for e in gate.entries())
    gate.approve()
    assert gate.served() == data
    gate.verify()


def test_who_brings_known_bytes_asked_for_them_too(gate):
    data = gate.offer()
    path = os.path.join(gate.dir, "again.img")
    with open(path, "wb") as f:
        f.write(data)
    gate.start()
    gate.ask()
    gate.review(1)
    assert all(re.fullmatch("[0-9a-f]{32}", who) for who in show(gate)["asked_by"])
    done = gate.cli("import", path, "--profile", "story", "--product", "FG100", "--version", "1.1.0")
    assert done["id"] == "R-1"
    people = [who for who in show(gate)["asked_by"] if not re.fullmatch("[0-9a-f]{32}", who)]
    assert len(people) == 1
    assert [e["act"] for e in gate.entries() if e["ev"] == "image.imported"] == people
    gate.approve()
    assert gate.served() == data


def test_unhold_waits_for_the_log(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    module = gate.cli("module", "list")["modules"][0]["id"]
    gate.cli("module", "hold", module, "--reason", "a complaint")
    with gate.without("audit"):
        until(lambda: gate.cli("status").get("permitting") is not True)
        gate.cli("module", "unhold", module, "--reason", "settled", ok=(3,))
        assert gate.cli("module", "show", module)["held"]
    until(lambda: gate.cli("status").get("permitting"))
    gate.cli("module", "unhold", module, "--reason", "settled")
    assert not gate.cli("module", "show", module)["held"]
    assert gate.served() == data


def test_canaries_of_one_image_add_up(gate):
    """Fifty modules need one person, fifty and one of the same bytes two: shown before anybody signs, then enforced."""
    gate.write_profile(PROFILE.replace("quorum = 2;", "quorum = 2;\n\tcanary_quorum = 1;"))
    data = os.urandom(100000)
    for version in ("1.1.0", "1.2.0"):
        gate.offer(version=version, data=data)
    gate.start()
    gate.ask(version="1.1.0")
    gate.review(1)
    gate.ask(version="1.2.0")
    gate.review(2, "incident")  # the same bytes by another name: a person looks first
    gate.cli("review", "reopen", "R-2")
    gate.review(2)
    gate.sign("R-1", "alice", "--max-devices", "50")
    assert gate.served() == data
    gate.sign("R-2", "alice", "--max-devices", "1")
    second = show(gate, "R-2")
    assert (second["state"], second["have"], second["need"]) == ("review", 1, 2)
    assert gate.ask(version="1.2.0")[0] == 404
    gate.sign("R-2", "bob", "--max-devices", "1")
    assert gate.served(version="1.2.0") == data
    issued = [e for e in gate.entries() if e["ev"] == "release.issued"]
    assert [e["ref"]["signed_by"] for e in issued] == [1, 2]
    assert all(e["ref"]["requesters"] == 0 for e in issued)
    gate.verify()
