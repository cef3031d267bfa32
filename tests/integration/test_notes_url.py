# SPDX-License-Identifier: Apache-2.0
"""The vendor's notes from where the profile says they are: with the image, once, beside what was measured; and never in its way."""
import hashlib
import os
import sys
import time

import pytest
import wire
from gate import PROFILE, Gate, until
from test_upstream import Vendor, answer

sys.path.insert(0, os.path.join(wire.SRC, "tests/vendor"))
import hostile_ftp  # noqa: E402

NOTED = PROFILE.replace('\tupstream_options', '\tnotes_url = "http://127.0.0.1:%(vendor)d/notes/{product}/{target}";\n\tupstream_options')
WAITS = 30  # NOTESFETCH_SECONDS
PLACE = "http://127.0.0.1:%(vendor)d/notes/{product}/{target}"
WORDS = b"1.1.0\n- moves to 203.0.113.77\n- \x1b[31mred\n"


@pytest.fixture
def gate():
    g = Gate(NOTED)
    try:
        yield g
    finally:
        g.close()


def offer(gate, number, version, notes=None, mode=None):
    """An image and what stands where its notes are; its review's report."""
    path = f"/notes/FG100/{version}"
    if notes is not None:
        gate.vendor.files[path] = notes
    if mode:
        gate.vendor.modes[path] = mode
    gate.offer(version)
    gate.ask(version=version)
    gate.review(number, seconds=60)
    assert gate.vendor.count[path] >= 1
    return gate.cli("review", "report", f"R-{number}")


def test_notes_come_with_the_image(gate):
    gate.start()
    report = offer(gate, 1, "1.1.0", WORDS)
    assert report["notes"]["lines"] == ["1.1.0", "- moves to 203.0.113.77", "- <1B>[31mred"]
    digest = hashlib.sha256(WORDS).hexdigest()
    assert report["notes"]["sha256"] == digest
    entry, = (e for e in gate.entries() if e["ev"] == "image.notes")
    assert entry["act"] == "control" and entry["ref"]["notes"] == "sha256:" + digest and "/notes/FG100/1.1.0" in entry["msg"]
    # Judged once, with them; asked for once, however often modules come; and an operator brings no others.
    assert [e["ev"] for e in gate.entries()].count("image.analysed") == 1
    gate.ask()
    assert gate.vendor.count["/notes/FG100/1.1.0"] == 1
    # Nothing there, not a text, more than a text of notes has, a server that has trouble: the image is judged without.
    for number, (version, notes, mode) in enumerate((("1.2.0", None, None), ("1.3.0", b"PK\0\0", None), ("1.4.0", b"x" * (300 << 10), None),
                                                     ("1.5.0", b"", None), ("1.6.0", b"fine", 403)), 2):
        assert "notes" not in offer(gate, number, version, notes, mode)
    assert [e["ev"] for e in gate.entries()].count("image.notes") == 1
    gate.approve()
    assert gate.served()


def elsewhere(gate, where, **options):
    """The notes lie on another server than the image."""
    profile = NOTED.replace(PLACE, where)
    for key, value in options.items():
        profile = profile.replace("upstream_options = {", f'upstream_options = {{ {key} = "{value}";')
    gate.write_profile(profile)


def parts(gate):
    """Files that a fetch is writing, or has left."""
    return [f for f in os.listdir(os.path.join(gate.root, "data/images/quarantine")) if f.endswith(".part")]


def test_a_server_that_hangs(gate):
    def drip(conn):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not server.over.wait(1):
            conn.sendall(b"x")
    with Vendor({}) as server:
        notes = "/notes/FG100/1.%d.0"
        server.pages = {notes % 1: server.stall, notes % 2: drip, notes % 3: answer(WORDS),
                        notes % 4: lambda conn: server.flood(bytes(1000))(conn, b"HTTP/1.1 200 OK\r\n\r\n")}
        elsewhere(gate, server.url("/notes/{product}/{target}"))
        gate.start()
        began = time.monotonic()
        for number in (1, 2):
            gate.offer(f"1.{number}.0")
            gate.ask(version=f"1.{number}.0")
            until(lambda: len(server.raw) == number)
        # They hold up their own images, and nobody else's.
        for number, has in ((3, True), (4, False)):
            gate.offer(f"1.{number}.0")
            gate.ask(version=f"1.{number}.0")
            gate.review(number)
            assert ("notes" in gate.cli("review", "report", f"R-{number}")) == has
        assert time.monotonic() - began < WAITS and [r["state"] for r in gate.reviews() if r["id"] in ("R-1", "R-2")] == ["judging"] * 2
        for number in (1, 2):
            gate.review(number, seconds=60)
            assert "notes" not in gate.cli("review", "report", f"R-{number}")
        assert WAITS - 5 < time.monotonic() - began < WAITS + 25
        assert len(server.raw) == 4 and parts(gate) == []
        gate.approve("R-1")
        assert gate.served()


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_begun_anew_while_they_come(gate, how):
    """The image is judged without them: a person may bring them still. Nothing is left of what was on its way."""
    with Vendor({}) as server:
        server.pages["/notes/FG100/1.1.0"] = server.stall
        elsewhere(gate, server.url("/notes/{product}/{target}"))
        gate.start()
        gate.offer()
        gate.ask()
        until(lambda: server.raw)
        assert [r["state"] for r in gate.reviews()] == ["judging"] and len(parts(gate)) == 2
        if how == "restart":
            gate.stop()
            gate.start()
        else:
            gate.kill_role("control")
            until(gate.up)
        gate.review(1)
        assert "notes" not in gate.cli("review", "report", "R-1") and len(server.raw) == 1
        assert parts(gate) == []
        text = os.path.join(gate.dir, "notes.txt")
        with open(text, "wb") as f:
            f.write(WORDS)
        gate.cli("review", "notes", "R-1", text)
        until(lambda: "notes" in gate.cli("review", "report", "R-1"))
        gate.review(1)
        gate.approve()
        assert gate.served()


def test_who_we_are_is_for_the_vendors_server(gate):
    secret = os.path.join(gate.root, "keys/secret")
    with open(secret, "w") as f:
        f.write("ftp: gate:s3cr3t\n")
    os.chmod(secret, 0o600)
    with hostile_ftp.Vendor(WORDS, WORDS) as server:
        elsewhere(gate, server.url("/good/{target}/rootfs.img"), credentials_file="secret")
        gate.start()
        gate.offer()
        gate.ask()
        gate.review(1, seconds=60)
        assert server.heard[:2] == ["USER anonymous", "PASS fotagate@"]
        assert "notes" in gate.cli("review", "report", "R-1")
