# SPDX-License-Identifier: Apache-2.0
"""What vendors do wrong, by accident or not: nobody is served anything else, and a person can see what happened."""
import contextlib
import glob
import hashlib
import json
import os

import pytest

from gate import PROFILE, Gate, luhn, until

PATH = "/FG100/1.1.0/rootfs.img"


@contextlib.contextmanager
def gateway(*changes):
    """A gateway whose profile differs in these places."""
    profile = PROFILE
    for old, new in changes:
        assert old in profile
        profile = profile.replace(old, new)
    g = Gate(profile=profile)
    try:
        yield g.start()
    except BaseException:
        print(open(g.log).read()[-6000:])
        raise
    finally:
        g.close()


def quarantined(gate):
    """Digests of what lies there; each file must be what its name says."""
    names = []
    for top, _, files in os.walk(os.path.join(gate.root, "data/images/quarantine")):
        for name in files:
            with open(os.path.join(top, name), "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()
            if digest in name:
                names.append(digest)
    return names


def served_one(gate):
    data = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data
    return data


def test_other_bytes_under_the_same_url_are_an_incident_and_both_are_kept(gate):
    first = served_one(gate)
    second = gate.offer(data=os.urandom(200000))  # signed by the vendor, and still not what it was
    gate.cli("fetch", "retry", "R-1")
    incident = gate.review(2, state="incident")
    digests = [hashlib.sha256(d).hexdigest() for d in (first, second)]
    assert {i["image"] for i in gate.cli("image", "list")["images"]} == set(digests)
    about = gate.cli("image", "show", digests[0])
    assert about["stored"]["released"] and [(r["review"], r["state"]) for r in about["reviews"]] == [("R-1", "approved")]
    told = gate.cli("incident", "list")["incidents"][0]
    assert gate.cli("incident", "show", str(told["id"]))["reviews"] == ["R-1", "R-2"] and told["profile"] == "story"
    assert incident["image"] == digests[1]
    assert gate.review(1, state="approved")["image"] == digests[0]
    assert set(digests) <= set(quarantined(gate))
    assert gate.served() == first  # what was approved stays what it was
    assert any(a["id"] == "INCIDENT" for a in gate.cli("status")["alerts"])
    entry = [e for e in gate.entries() if e["ev"] == "image.incident"]
    assert len(entry) == 1 and digests[0] in str(entry[0]["ref"]) and digests[1] in str(entry[0]["ref"])
    gate.sign("R-2", "alice", ok=(1,))  # nobody signs an incident; it is reopened first
    gate.cli("review", "reopen", "R-2")
    gate.review(2, state="review")
    assert gate.served() == first
    gate.verify()


def test_other_bytes_before_approval_are_an_incident_too(gate):
    first = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    second = gate.offer(data=os.urandom(1000))
    gate.cli("fetch", "retry", "R-1")
    gate.review(2, state="incident")
    assert {hashlib.sha256(d).hexdigest() for d in (first, second)} <= set(quarantined(gate))
    gate.approve("R-1")
    assert gate.served() == first


def test_another_image_for_the_same_update_waits_for_somebody(gate):
    done = "boots on the bench"
    gate.write_profile(PROFILE.replace("\tquorum = 2;", "\tone_image = true;\n\tquorum = 2;\n"
                                       f'\treview = {{ checklist = [ "{done}" ]; }};'))
    first = gate.offer()
    gate.start()
    gate.ask()
    gate.review(1)
    # Nobody signs before it is done, nor for anything else.
    assert gate.cli("review", "show", "R-1")["checklist"] == [done]
    assert gate.sign("R-1", "alice", ok=(1,))["error"]["id"] == "CHECKLIST"
    gate.sign("R-1", "alice", "--tick", done, "--tick", "more", ok=(2,))
    gate.approve("R-1", "--tick", done)
    assert gate.served() == first
    module = gate.cli("module", "list")["modules"][0]["id"]
    second = gate.offer(name="for-you.img")
    gate.ask(name="for-you.img", imei=luhn("35693803641234"))
    incident = gate.review(2, state="incident")
    assert "R-1 has other bytes for the same update, which 1 modules were granted" in incident["text"]
    shown = gate.cli("review", "show", "R-2")
    other, = shown["other_images"]
    assert other["review"] == "R-1" and other["state"] == "approved" and other["modules"] == 1
    assert other["image"] == hashlib.sha256(first).hexdigest() and other["granted"] == [module]
    assert shown["asked_by"] and shown["asked_by"] != [module] and other["asked_by"] == module
    entry, = [e for e in gate.entries() if e["ev"] == "image.incident"]
    assert shown["asked_by"][0] in str(entry["ref"]) and other["image"] in str(entry["ref"])
    assert not other["freezes"]
    # What was signed for stays signed for, and nobody gets it until somebody decides.
    until(lambda: gate.ask()[0] == 404)
    status = gate.cli("status")["alerts"]
    assert any(a["id"] == "WITHHELD" and "R-2 is another image" in a["text"] for a in status)
    frozen, = gate.cli("review", "show", "R-1")["other_images"]
    assert frozen["review"] == "R-2" and frozen["freezes"]
    with open(glob.glob(os.path.join(gate.export(), "statements/*.json"))[0]) as f:
        assert json.load(f)["predicate"]["checklist"] == [done]
    withheld, = [e for e in gate.entries() if e["ev"] == "release.withheld"]
    assert f"R-2 is another image for the same update, offered to module {shown['asked_by'][0]}" in withheld["msg"]
    path = os.path.join(gate.dir, "second.img")
    with open(path, "wb") as f:
        f.write(second)
    resource = shown["resource"]
    said = gate.cli("import", path, "--profile", "story", "--product", "FG100", "--version", "1.1.0", "--resource", resource,
                    ok=(1,))
    assert said["id"] == "R-2" and said["state"] == "incident"
    # A person may say that both are meant.
    gate.cli("review", "reopen", "R-2")
    gate.review(2, state="review")
    until(lambda: gate.ask()[0] == 200)
    assert gate.served() == first
    assert [e["ev"] for e in gate.entries()].count("release.offered") == 1
    # What is no image of the vendor's is no second one: a made-up name freezes nothing.
    gate.offer(name="made-up.img", data=b"<html>not found</html>", signed=False)
    gate.vendor.files["/FG100/1.1.0/made-up.img.p7s"] = gate.pki.sign(b"something else")
    gate.ask(name="made-up.img", imei=luhn("35693803641234"))
    gate.review(3, state="blocked")
    assert gate.served() == first
    # Brought by a person, a second one freezes as well.
    with open(path, "wb") as f:
        f.write(os.urandom(1000))
    with open(path + ".p7s", "wb") as f, open(path, "rb") as image:
        f.write(gate.pki.sign(image.read()))
    said = gate.cli("import", path, "--signature", path + ".p7s", "--profile", "story", "--product", "FG100", "--version",
                    "1.1.0", "--resource", resource, ok=(1,))
    assert said["state"] == "incident"
    until(lambda: gate.ask()[0] == 404)
    gate.cli("review", "reject", said["id"], "--reason", "whoever gave us this is asked")
    until(lambda: gate.ask()[0] == 200)
    gate.verify()


def test_the_same_bytes_again_are_no_incident(gate):
    first = served_one(gate)
    gate.cli("fetch", "retry", "R-1")
    until(lambda: gate.vendor.count[PATH] == 2)
    until(lambda: [e["ev"] for e in gate.entries()].count("fetch.done") == 2)
    assert len(gate.reviews()) == 1 and not gate.reviews("incident")
    assert gate.served() == first


def test_a_404_is_a_failed_fetch_and_a_person_may_try_again(gate):
    gate.start()
    gate.ask()
    failed = gate.review(1, state="fetch-failed")
    assert failed["image"] is None
    assert gate.ask()[0] == 404
    assert "404" in str([e for e in gate.entries() if e["ev"] == "fetch.failed"])
    data = gate.offer()
    gate.cli("fetch", "retry", "R-1")
    gate.review(1)
    gate.approve()
    assert gate.served() == data


def test_a_vendor_that_hangs_is_given_up():
    with gateway(("max_seconds = 60", "max_seconds = 2")) as gate:
        data = gate.offer()
        gate.vendor.modes[PATH] = ["stall"]
        gate.vendor.release.clear()
        gate.ask()
        gate.review(1, state="fetch-failed")
        assert gate.ask()[0] == 404 and quarantined(gate) == []
        gate.vendor.release.set()
        gate.cli("fetch", "retry", "R-1")
        gate.review(1)
        gate.approve()
        assert gate.served() == data


@pytest.mark.parametrize("to", ["https://127.0.0.1:{port}/elsewhere", "file:///etc/passwd", "ftp://127.0.0.1/x",
                                "gopher://127.0.0.1:{port}/x"])
def test_a_redirect_to_another_scheme_is_not_followed(gate, to):
    gate.offer()
    gate.vendor.moved[PATH] = to.format(port=gate.vendor.port)
    gate.start()
    gate.ask()
    gate.review(1, state="fetch-failed")
    assert quarantined(gate) == [] and set(gate.vendor.count) == {PATH}


def test_a_redirect_of_the_same_scheme_is_followed(gate):
    data = gate.offer()
    gate.vendor.files["/elsewhere"] = gate.vendor.files.pop(PATH)
    gate.vendor.moved[PATH] = f"http://127.0.0.1:{gate.vendor.port}/elsewhere"
    gate.start()
    gate.ask()
    gate.review(1)
    gate.approve()
    assert gate.served() == data


def test_a_redirect_to_an_address_that_is_not_listed_is_not_followed():
    with gateway(('"127.0.0.0/8"', '"127.0.0.1/32"')) as gate:
        gate.offer()
        gate.vendor.files["/inside"] = b"secrets of the house"
        gate.vendor.moved[PATH] = f"http://127.0.0.2:{gate.vendor.port}/inside"
        gate.ask()
        gate.review(1, state="fetch-failed")
        assert set(gate.vendor.count) == {PATH}


def test_a_private_address_that_is_not_listed_is_never_reached():
    with gateway(('allow_private = [ "127.0.0.0/8" ]', 'allow_private = [ "10.0.0.0/8" ]')) as gate:
        gate.offer()
        gate.ask()
        gate.review(1, state="fetch-failed")
        assert gate.vendor.count == {}
        gate.cli("fetch", "retry", "R-1")
        until(lambda: [e["ev"] for e in gate.entries()].count("fetch.failed") == 2)
        assert gate.vendor.count == {}


def test_fetches_an_hour_are_limited():
    with gateway(("quorum = 2;", "quorum = 2;\n\tfetches_per_hour = 2;")) as gate:
        for version in ("1.1.0", "1.2.0", "1.3.0"):
            gate.offer(version=version)
        for n, version in enumerate(("1.1.0", "1.2.0"), 1):
            gate.ask(version=version)
            gate.review(n)
        for _ in range(3):
            assert gate.ask(version="1.3.0")[0] == 404
        until(lambda: any("fetches_per_hour" in e.get("msg", "") for e in gate.entries()))
        assert "/FG100/1.3.0/rootfs.img" not in gate.vendor.count
        assert gate.cli("fetch", "retry", "R-1", ok=(1,))["error"]["id"] == "LIMIT"  # people too
        gate.approve("R-1")  # what is here goes on
        gate.served()


def test_the_quarantine_of_a_profile_is_limited():
    with gateway(("quorum = 2;", 'quorum = 2;\n\tquarantine_bytes = "100 KiB";')) as gate:
        for version, size in (("1.1.0", 60000), ("1.2.0", 60000), ("1.3.0", 30000)):
            gate.offer(version=version, data=os.urandom(size))
        gate.ask(version="1.1.0")
        gate.review(1)
        gate.ask(version="1.2.0")
        gate.review(2, state="fetch-failed")
        gate.ask(version="1.3.0")
        gate.review(3)
        sizes = sum(r["size"] or 0 for r in gate.reviews())
        assert sizes == 90000
        path = os.path.join(gate.dir, "big.img")
        with open(path, "wb") as f:
            f.write(os.urandom(60000))
        gate.cli("import", path, "--profile", "story", "--product", "FG100", "--version", "1.2.0", ok=(1,))
        assert sum(r["size"] or 0 for r in gate.reviews()) == 90000


def test_an_image_beyond_the_profiles_size_is_cut_off():
    with gateway(('max_bytes = "512 MiB"', 'max_bytes = "64 KiB"')) as gate:
        gate.offer(data=os.urandom((64 << 10) + 1))
        gate.offer(version="1.2.0", data=os.urandom(64 << 10))
        gate.ask()
        gate.review(1, state="fetch-failed")
        assert quarantined(gate) == []
        gate.ask(version="1.2.0")
        gate.review(2)
