# SPDX-License-Identifier: Apache-2.0
"""Zips, Android update packages and payloads: made by genuine tools, seen as those tools see them."""
import hashlib
import json
import os
import random
import subprocess
import zipfile

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def sh(*args, **kw):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, **kw).stdout


def report(*args):
    r = subprocess.run([FOTAGATE, "inspect", *map(str, args), "--json"], capture_output=True, timeout=300)
    assert r.returncode in (0, 1), r.stderr.decode()
    return json.loads(r.stdout)


def ids(doc, severity=None):
    return {f["id"] for f in doc["findings"] if severity in (None, f["severity"])}


def members(doc):
    return {m["path"]: (m["size"], m["sha256"]) for m in doc["contents"]["members"]}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A folder with files that pack well, badly and not at all."""
    d = tmp_path_factory.mktemp("tree") / "in"
    (d / "deep" / "er").mkdir(parents=True)
    rng = random.Random(5)
    (d / "text.txt").write_text("line\n" * 5000)
    (d / "random.bin").write_bytes(rng.randbytes(200000))
    (d / "empty").write_bytes(b"")
    (d / "deep" / "er" / "mixed").write_bytes(rng.randbytes(1000) + b"\0" * 300000)
    return d


def make(kind, tree, out):
    if kind == "zip":
        sh("zip", "-q", "-r", "-X", out, ".", cwd=tree)
    elif kind == "bsdtar":
        sh("bsdtar", "-a", "-c", "-f", out, "-C", tree, ".")
    else:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED) as z:
            for f in sorted(p for p in tree.rglob("*") if p.is_file()):
                z.write(f, f.relative_to(tree))


@pytest.mark.parametrize("maker", ["zip", "bsdtar", "stored", "zipfile"])
def test_zip_as_its_tools_see_it(maker, tree, tmp_path):
    image = tmp_path / "image.zip"
    make(maker, tree, image)
    doc = report(image)
    assert doc["image"]["format"] == "zip" and doc["image"]["walked"]
    assert not ids(doc, "block"), doc["findings"]
    seen = members(doc)
    with zipfile.ZipFile(image) as z:
        want = {i.filename: (i.file_size, hashlib.sha256(z.read(i)).hexdigest()) for i in z.infolist()}
    assert seen == want
    listed = sh("bsdtar", "-t", "-f", image).decode().splitlines()
    assert sorted(listed) == sorted(seen)
    for name, (size, digest) in seen.items():
        if not name.endswith("/"):
            data = sh("unzip", "-p", image, name.replace("[", "[[]"))
            assert (len(data), hashlib.sha256(data).hexdigest()) == (size, digest)
