# SPDX-License-Identifier: Apache-2.0
"""fotagate delta make: what we make, bspatch and xdelta3 apply; and what happens when something is not as it should be."""
import hashlib
import json
import os
import random
import shutil
import stat
import subprocess

import pytest

BIN = os.environ.get("FG_BIN", "")
FOTAGATE = os.path.join(BIN, "fotagate")
INSPECT = os.path.join(BIN, "fotagate-inspect")

pytestmark = pytest.mark.skipif(not os.path.exists(FOTAGATE), reason="FG_BIN names no programs")


def sha256(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def make(*args, program=FOTAGATE):
    return subprocess.run([program, "delta", "make", *map(str, args)], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two versions: code of a program, with bytes changed, put in, taken out and moved."""
    d = tmp_path_factory.mktemp("pair")
    rng = random.Random(5)
    old = open(shutil.which("openssl") or "/bin/bash", "rb").read()[:900000]
    new = bytearray(old)
    for at in rng.sample(range(len(new)), 400):
        new[at] ^= 0x55
    new[300000:300000] = rng.randbytes(5000)
    del new[500000:520000]
    new = new[700000:] + new[:700000]
    (d / "old").write_bytes(old)
    (d / "new").write_bytes(new)
    return d


@pytest.mark.parametrize("form", ["bsdiff40", "vcdiff"])
def test_others_apply_it(pair, tmp_path, form):
    out, got = tmp_path / "delta", tmp_path / "got"
    r = make("--from", pair / "old", "--to", pair / "new", "--format", form, "--output", out, "--json")
    assert r.returncode == 0, r.stderr
    doc = json.loads(r.stdout)
    assert r.stdout == json.dumps(doc, sort_keys=True, separators=(",", ":")) + "\n"
    for name, path in (("base", pair / "old"), ("target", pair / "new"), ("delta", out)):
        assert doc[name] == {"sha256": sha256(path), "size": os.path.getsize(path)}
    assert doc["format"] == form and 800000 < doc["from_base"] < 900000
    assert doc["delta"]["size"] < 40000 and stat.S_IMODE(out.stat().st_mode) & 0o600 == 0o600
    assert os.listdir(tmp_path) == ["delta"]
    command = ["bspatch", pair / "old", got, out] if form == "bsdiff40" else ["xdelta3", "-d", "-s", pair / "old", out, got]
    subprocess.run(command, check=True)
    assert sha256(got) == sha256(pair / "new")
    # A wrong base does not go unseen: that is what the windows' Adler-32 is for.
    if form == "vcdiff":
        wrong = bytearray(open(pair / "old", "rb").read())
        wrong[250000] ^= 1
        (tmp_path / "wrong").write_bytes(wrong)
        assert subprocess.run(["xdelta3", "-d", "-s", tmp_path / "wrong", out, tmp_path / "x"], capture_output=True).returncode

    text = make("--from", pair / "old", "--to", pair / "new", "--format", form, "-o", tmp_path / "again")
    assert text.returncode == 0 and sha256(tmp_path / "again") == sha256(out)
    assert f"delta    sha256:{sha256(out)} {os.path.getsize(out)} bytes\n" in text.stdout and "Applied back" in text.stdout


def test_nothing_is_written_over_or_left_behind(pair, tmp_path):
    out = tmp_path / "delta"
    args = ["--from", pair / "old", "--to", pair / "new", "--format", "vcdiff", "--output", out]
    out.write_bytes(b"mine")
    r = make(*args)
    assert r.returncode == 1 and "is there" in r.stderr and out.read_bytes() == b"mine"
    out.unlink()
    (tmp_path / "delta.making").write_bytes(b"earlier")
    r = make(*args)
    assert r.returncode == 3 and "delta.making" in r.stderr and os.listdir(tmp_path) == ["delta.making"]
    (tmp_path / "delta.making").unlink()
    for bad, status in ((["--from", tmp_path / "no", *args[2:]], 3), (["--from", tmp_path, *args[2:]], 3),
                        (["--from", "/dev/null", *args[2:]], 3), (args[2:], 2), ([*args[:5], "zip", *args[6:]], 2)):
        r = make(*bad)
        assert r.returncode == status, (bad, r.stderr)
        assert not os.listdir(tmp_path)


def test_too_large(pair, tmp_path):
    big = tmp_path / "big"
    with open(big, "wb") as f:
        f.truncate((32 << 20) + 1)
    r = make("--from", big, "--to", pair / "new", "--format", "bsdiff40", "--output", tmp_path / "delta")
    assert r.returncode == 1 and "too large for bsdiff40" in r.stderr and "VCDIFF" in r.stderr
    assert os.listdir(tmp_path) == ["big"]


@pytest.mark.parametrize("script,status,says", [
    ('exit 0', 3, "applies the delta back"),                                    # says nothing
    ('[ $1 = --make-delta ] && exit 0; head -c 105 /dev/zero', 3, "applies"),   # too much
    ('[ $1 = --make-delta ] && exit 0; exit 74', 3, "does not make"),
    ('exit 71', 3, "that makes the delta ended with 71"),
    ('kill -SYS $$', 3, "ended with 159"),
], ids=["mute", "long", "no-proof", "no-jail", "killed"])
def test_an_inspector_that_is_not_one(pair, tmp_path, script, status, says):
    fake = tmp_path / "bin"
    fake.mkdir()
    shutil.copy(FOTAGATE, fake / "fotagate")
    (fake / "fotagate-inspect").write_text("#!/bin/sh\n" + script + "\n")
    (fake / "fotagate-inspect").chmod(0o755)
    out = tmp_path / "delta"
    r = make("--from", pair / "old", "--to", pair / "new", "--format", "vcdiff", "--output", out, program=fake / "fotagate")
    assert r.returncode == status and says in r.stderr, r.stderr
    assert sorted(os.listdir(tmp_path)) == ["bin"]


def test_the_maker_is_started_by_nobody_else():
    for mode in ("--make-delta", "--prove-delta"):
        r = subprocess.run([INSPECT, mode, "vcdiff"], capture_output=True, text=True)
        assert r.returncode == 2 and "is started by" in r.stderr


def apply(*args):
    return subprocess.run([FOTAGATE, "delta", "apply", *map(str, args)], capture_output=True, text=True, timeout=300)


def test_what_others_made_is_applied(pair, tmp_path):
    """A patch of bsdiff's in the jail; a patch for something else, or for nothing, leaves no file behind."""
    patch, out = tmp_path / "patch", tmp_path / "out"
    subprocess.run(["xdelta3", "-e", "-S", "none", "-s", pair / "old", pair / "new", patch], check=True)
    r = apply(patch, "--base", pair / "old", "--output", out, "--json")
    assert r.returncode == 0, r.stderr
    doc = json.loads(r.stdout)
    assert (doc["sha256"], doc["size"], doc["checked"]) == (sha256(pair / "new"), os.path.getsize(pair / "new"), True)
    assert sha256(out) == sha256(pair / "new")
    assert apply(patch, "--base", pair / "old", "--output", out).returncode == 1 # nothing is written over
    for bad, base, word in ((patch, pair / "new", "wrong-base"), (pair / "old", pair / "old", "opaque")):
        r = apply(bad, "--base", base, "--output", tmp_path / "none", "--json")
        assert r.returncode == 1 and word in json.loads(r.stdout)["error"]["text"], r.stdout + r.stderr
    assert sorted(os.listdir(tmp_path)) == ["out", "patch"]
    assert apply(patch, "--base", pair / "old", "--format", "elf", "--output", tmp_path / "none").returncode == 2


VECTORS = os.path.join(os.environ.get("FG_SRC", ""), "../shared/vectors/imgdiff")


@pytest.mark.skipif(not os.path.exists(VECTORS), reason="no published patch of a recovery here")
def test_bonus_data(tmp_path):
    """A recovery's patch that wants the resources beside the boot image, and says so without them."""
    lean, fat, boot, bonus = (os.path.join(VECTORS, n) for n in
                              ("recovery-from-boot.p", "recovery-from-boot-with-bonus.p", "boot.img", "bonus.file"))
    for args in ((lean, "--bonus", bonus, "--output", tmp_path / "one"), (fat, "--output", tmp_path / "other")):
        r = apply(*args, "--base", boot)
        assert r.returncode == 0, r.stderr
    assert os.path.getsize(tmp_path / "one") > 500000
    r = apply(lean, "--base", boot, "--output", tmp_path / "none")
    assert r.returncode == 1 and "557334 bytes of bonus data" in r.stderr
    assert sorted(os.listdir(tmp_path)) == ["one", "other"]
