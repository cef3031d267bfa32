# SPDX-License-Identifier: Apache-2.0
"""Requests that no profile fits: recorded for a person to make a profile of, never served, never fetched."""
import os
import re

from gate import IMEI, luhn, until

STRANGE = "/acme/dl/{}/EC21-3.1.7.bin?sn={}"


def strangers(gate):
    for i in range(3):
        imei = luhn(f"3569380364380{i}")
        assert gate.get(STRANGE.format(imei, "a1b2c3d4e5f6a7b8"), headers={"User-Agent": "EC21/1.0"})[0] == 404


def unknown(gate):
    return gate.cli("profile", "unknown")["unknown"]


def test_unknown_requests_are_recorded_and_serve_nothing(gate):
    gate.offer()
    gate.start()
    for _ in range(3):
        assert gate.get(STRANGE.format(IMEI, "7"), headers={"User-Agent": "EC21/1.0"})[0] == 404
    row = until(lambda: [r for r in unknown(gate) if r["path"].startswith("/acme/")])[0]
    assert row["listener"] == "modules" and row["agent"] == "EC21/1.0"
    assert "EC21/1.0" in gate.text("profile", "unknown")
    assert gate.vendor.count == {} and not gate.reviews() and not gate.cli("module", "list")["modules"]
    gate.verify()


def test_a_draft_becomes_a_profile(gate):
    gate.start()
    gate.get(STRANGE.format(IMEI, "7"))
    row = until(lambda: unknown(gate))[0]
    text = gate.text("profile", "draft", str(row["id"]), "acme")
    path = os.path.join(gate.root, "profiles.d/acme.conf")
    conf = os.path.join(gate.root, "fotagate.conf")
    with open(path, "w") as f:
        f.write(text)
    # As it is it must not be taken: how many sign, and what vouches, is for a person to say.
    refused = gate.tool("fotagated", "-n", "-c", conf, ok=(1,)).stderr
    for key in ("supplier", "quorum", "signature"):
        assert re.search(rf"(?m)^profiles\.d/acme\.conf:\d+: .*\b{key}\b", refused), refused
    for line, value in [("supplier", '"demo-vendor"'), ("quorum", "2"), ("target_version", '"capture:version"'),
                        ("signature", '{ scheme = "cms-detached"; anchors = [ "vendor-ca.pem" ]; }'),
                        ("upstream", f'"http://127.0.0.1:{gate.vendor.port}/acme/fixed.bin"')]:
        text = re.sub(rf"(?m)^\t#{line} = .*$", f"\t{line} = {value};", text)
    with open(path, "w") as f:
        f.write(text)
    gate.tool("fotagated", "-n", "-c", conf)
    gate.stop()
    gate.start()
    assert "acme" in [p["name"] for p in gate.cli("profile", "list")["profiles"]]
    gate.get(STRANGE.format(IMEI, "7"))
    until(lambda: [s for s in gate.cli("sighting", "list")["sightings"] if s["profile"] == "acme"])


def test_a_draft_of_a_hostile_request_is_harmless(gate):
    gate.start()
    assert gate.get(f'/x/{IMEI}";quorum=1;#/..%2f/a.bin')[0] in (400, 404)
    gate.get(STRANGE.format(IMEI, "7"))
    until(lambda: unknown(gate))
    for row in unknown(gate):
        done = gate.tool("fotagate", "-C", os.path.join(gate.root, "run"), "profile", "draft", str(row["id"]), "acme",
                         ok=(0, 1))
        assert "quorum=1" not in done.stdout
        assert done.returncode == (0 if row["path"].startswith("/acme/") else 1)
    gate.cli("profile", "draft", str(unknown(gate)[0]["id"]), 'a";b', ok=(1, 2))


def test_without_learning_nothing_is_recorded(gate):
    gate.set("learn = false;")
    gate.start()
    strangers(gate)
    gate.ask()  # a request that the profile knows is a sighting all the same
    until(lambda: gate.cli("sighting", "list")["sightings"])
    assert unknown(gate) == []
    gate.stop()
    for top, _, files in os.walk(os.path.join(gate.root, "data")):
        for name in files:
            with open(os.path.join(top, name), "rb") as f:
                assert b"/acme/dl" not in f.read(), os.path.join(top, name)
