# SPDX-License-Identifier: Apache-2.0
"""gzip files that signify signed (`signify -S -z`): never a yes to what signify refuses."""
import gzip
import json
import os
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def sh(*args, ok=(0,)):
    r = subprocess.run([str(a) for a in args], capture_output=True)
    assert r.returncode in ok, r.stderr.decode()
    return r


@pytest.mark.parametrize("size", [100, 200000])
def test_signify_signs_and_judges(tmp_path, size):
    trust, packed, signed = tmp_path / "trust", tmp_path / "fw.gz", tmp_path / "fw.sgz"
    trust.mkdir()
    data = os.urandom(size)
    packed.write_bytes(gzip.compress(data))
    sh("signify-openbsd", "-G", "-n", "-p", trust / "vendor.pub", "-s", tmp_path / "vendor.sec")
    sh("signify-openbsd", "-S", "-z", "-s", tmp_path / "vendor.sec", "-m", packed, "-x", signed)

    def ours():
        return json.loads(sh(FOTAGATE, "inspect", "--json", "--trust", trust, signed, ok=(0, 1)).stdout)

    def tool():
        return sh("signify-openbsd", "-V", "-z", "-p", trust / "vendor.pub", "-x", signed, "-m", tmp_path / "out", ok=(0, 1, 4)).returncode == 0

    doc = ours()
    (s,), (m,) = doc["signatures"], doc["contents"]["members"]
    assert tool() and (doc["image"]["format"], s["outcome"], s["scheme"], doc["verdict"]) == (
        "signify-gzip", "verified", "signify-gzip/ed25519", "acceptable"), doc
    assert m["vouched"] == "inside" and m["size"] == size and doc["coverage"]["unsigned"] < 300
    whole = signed.read_bytes()
    stream = whole.index(b"\0", 10) + 1
    for name, bad in (("cut at a block", whole[:stream + 65536]), ("cut", whole[:-5]), ("more", whole + b"x"),
                      ("empty", whole[:stream]), ("another stream", whole[:stream] + gzip.compress(data)[10:-1] + b"\0"),
                      ("another comment", whole.replace(b"verify with", b"verify wish")), ("no signature", packed.read_bytes())):
        signed.write_bytes(bad)
        doc, yes = ours(), tool()
        assert not doc["verdict"] == "acceptable" or bad == whole, name
        assert yes or all(f["id"] for f in doc["findings"]), name
    for at in [*range(0, 11), 40, 100, *range(stream - 3, stream + 3), *range(stream + 3, len(whole), len(whole) // 8 + 1)]:
        signed.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
        assert ours()["verdict"] != "acceptable" or tool(), at
