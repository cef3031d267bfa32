# SPDX-License-Identifier: Apache-2.0
"""RAUC bundles behind the real jail: made by the genuine tool, nested, and longer than 2 GiB."""
import os
import random
import struct

import pytest

from test_inspect import FOTAGATE, ids, need, pki, report, sh  # noqa: F401 (pki is a fixture)

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def bundle(pki, tmp_path, fmt, files, images):
    need("rauc")
    content = tmp_path / fmt
    content.mkdir()
    for name, data in files.items():
        (content / name).write_bytes(data)
    (content / "manifest.raucm").write_text(
        f"[update]\ncompatible=Gateway\nversion=7\n[bundle]\nformat={fmt}\n"
        + "".join(f"[image.{slot}]\nfilename={name}\n" for slot, name in images.items()))
    out = tmp_path / f"{fmt}.raucb"
    sh("rauc", "bundle", "--cert", pki.d / "signer.pem", "--key", pki.d / "signer.key", content, out)
    return out


def flip(path, offset):
    with open(path, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)
        f.seek(offset)
        f.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("fmt", ["plain", "verity"])
def test_genuine_bundle(pki, tmp_path, fmt):
    data = random.Random(1).randbytes(300000)
    path = bundle(pki, tmp_path, fmt, {"rootfs.img": data}, {"rootfs": "rootfs.img"})
    doc = report(path, "--trust", pki.trust, want="acceptable")
    assert [s["outcome"] for s in doc["signatures"]] == ["verified"]
    assert {m["path"]: m["vouched"] for m in doc["contents"]["members"]} == {"manifest.raucm": "inside", "rootfs.img": "digest"}
    facts = {f["fact"]: f for f in doc["contents"]["facts"]}
    assert facts["version"]["value"] == "7" and facts["version"]["sure"] and facts["type"]["value"] == fmt
    flip(path, 5000)
    assert ("SIG-INVALID" if fmt == "plain" else "FMT-INTEGRITY") in ids(report(path, "--trust", pki.trust, want="blocked"))


def test_root_file_system_in_a_bundle(pki, tmp_path):
    """What is in the image is listed too, after what is in the bundle; all of it lies under the signature."""
    need("mksquashfs")
    r = random.Random(2)
    for i in range(3000):
        d = tmp_path / "tree" / f"d{i % 41}"
        d.mkdir(parents=True, exist_ok=True)
        (d / f"f{i}").write_bytes(r.randbytes(r.randrange(2000)))
    os.chmod(tmp_path / "tree/d0/f0", 0o4755)
    sh("mksquashfs", tmp_path / "tree", tmp_path / "rootfs.squashfs", "-quiet", "-no-progress", "-all-root")
    files = {"rootfs.squashfs": (tmp_path / "rootfs.squashfs").read_bytes(), "extra": b"nobody names me"}
    path = bundle(pki, tmp_path, "verity", files, {"rootfs": "rootfs.squashfs"})
    doc = report(path, "--trust", pki.trust, want="review")
    assert {"MEMBER-UNLISTED", "MEMBER-PRIVILEGED"} <= ids(doc)
    members = doc["contents"]["members"]
    assert [m["path"] for m in members[:3]] == ["extra", "manifest.raucm", "rootfs.squashfs"]
    assert members[2]["walked"] and members[3]["path"].startswith("rootfs.squashfs/d0/")
    assert {m["vouched"] for m in members} == {"inside", "digest"}


def test_hash_covers_more_than_2_gib(pki, tmp_path):
    """CVE-2026-34155: a signature that is over the first bytes only must not be taken for one over all."""
    need("mksquashfs")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "manifest.raucm").write_text("[update]\ncompatible=Gateway\nversion=7\n")
    payload = tmp_path / "big.raucb"
    sh("mksquashfs", tree, payload, "-quiet", "-no-progress", "-all-root")
    size = (2 << 30) + (1 << 20)
    os.truncate(payload, size)
    der = pki.cms(payload, tmp_path / "der").read_bytes()
    with open(payload, "ab") as f:
        f.write(der + struct.pack(">Q", len(der)))
    doc = report(payload, "--trust", pki.trust)
    assert [s["outcome"] for s in doc["signatures"]] == ["verified"]
    flip(payload, size - 1)
    doc = report(payload, "--trust", pki.trust, want="blocked")
    assert [s["outcome"] for s in doc["signatures"]] == ["invalid"]
