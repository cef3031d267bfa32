# SPDX-License-Identifier: Apache-2.0
"""The vendor's notes from where the profile says they are: with the image, once, beside what was measured; and never in its way."""
import hashlib

import pytest
from gate import PROFILE, Gate

NOTED = PROFILE.replace('\tupstream_options', '\tnotes_url = "http://127.0.0.1:%(vendor)d/notes/{product}/{target}";\n\tupstream_options')
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
