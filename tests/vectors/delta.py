#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Deltas between two versions of one image: bsdiff(1) makes BSDIFF40, and its tuples are written again as
ENDSLEY/BSDIFF43 and as BSDF2. A decoder of its own (apply(), which knows nothing of ours) says that each makes the
new image of the old.

  old, new          two versions: the second with bytes changed, put in, taken out and moved
  bsdiff40          as bsdiff(1) wrote it
  endsley           one bzip2 stream
  bsdf2-none, bsdf2-bz2, bsdf2-brotli, bsdf2-mixed
"""
import bz2
import pathlib
import random
import struct
import subprocess
import sys

import brotli

SIZE = 192 << 10


def off(v):
    return struct.pack("<Q", -v | 1 << 63 if v < 0 else v)


def unoff(b):
    v = struct.unpack("<Q", b)[0]
    return -(v & (1 << 63) - 1) if v >> 63 else v


def split(patch):
    """The tuples of a BSDIFF40 patch, each with its bytes, and the size of the target."""
    control_n, diff_n, size = (unoff(patch[i : i + 8]) for i in (8, 16, 24))
    control = bz2.decompress(patch[32 : 32 + control_n])
    diff = bz2.decompress(patch[32 + control_n : 32 + control_n + diff_n])
    extra = bz2.decompress(patch[32 + control_n + diff_n :])
    tuples, d, e = [], 0, 0
    for i in range(0, len(control), 24):
        x, y, z = (unoff(control[i + k : i + k + 8]) for k in (0, 8, 16))
        tuples.append((x, y, z, diff[d : d + x], extra[e : e + y]))
        d, e = d + x, e + y
    assert d == len(diff) and e == len(extra)
    return tuples, size


def apply(tuples, old):
    new, pos = bytearray(), 0
    for x, y, z, diff, extra in tuples:
        assert 0 <= pos and pos + x <= len(old)
        new += bytes((a + b) & 255 for a, b in zip(diff, old[pos : pos + x]))
        new += extra
        pos += x + z
    return bytes(new)


PACK = [lambda b: b, bz2.compress, brotli.compress]
UNPACK = [lambda b: b, bz2.decompress, brotli.decompress]


def bsdf2(tuples, size, algorithms):
    control = b"".join(off(x) + off(y) + off(z) for x, y, z, _, _ in tuples)
    parts = control, b"".join(t[3] for t in tuples), b"".join(t[4] for t in tuples)
    packed = [PACK[a](p) for a, p in zip(algorithms, parts)]
    return b"BSDF2" + bytes(algorithms) + off(len(packed[0])) + off(len(packed[1])) + off(size) + b"".join(packed)


def unbsdf2(patch):
    a, b, _ = (unoff(patch[i : i + 8]) for i in (8, 16, 24))
    bodies = patch[32 : 32 + a], patch[32 + a : 32 + a + b], patch[32 + a + b :]
    control, diff, extra = (UNPACK[k](p) for k, p in zip(patch[5:8], bodies))
    d, e = 0, 0
    for i in range(0, len(control), 24):
        x, y, z = (unoff(control[i + k : i + k + 8]) for k in (0, 8, 16))
        yield x, y, z, diff[d : d + x], extra[e : e + y]
        d, e = d + x, e + y


def endsley(tuples, size):
    body = b"".join(off(x) + off(y) + off(z) + diff + extra for x, y, z, diff, extra in tuples)
    return b"ENDSLEY/BSDIFF43" + off(size) + bz2.compress(body)


def unendsley(patch):
    body, at, made = bz2.decompress(patch[24:]), 0, 0
    while made < unoff(patch[16:24]):
        x, y, z = (unoff(body[at + k : at + k + 8]) for k in (0, 8, 16))
        yield x, y, z, body[at + 24 : at + 24 + x], body[at + 24 + x : at + 24 + x + y]
        at, made = at + 24 + x + y, made + x + y
    assert at == len(body)


def versions():
    """Machine code of this machine, and the same after an update."""
    rng = random.Random(6)
    code = pathlib.Path(sys.executable).resolve().read_bytes()
    old = code[len(code) // 3 :][:SIZE]
    new = bytearray(old)
    for at in rng.sample(range(0, SIZE, 64), 300):  # addresses that moved
        new[at : at + 4] = struct.pack("<I", (struct.unpack("<I", new[at : at + 4])[0] + 0x1230) & 0xFFFFFFFF)
    new[90000:90000] = rng.randbytes(3000)
    del new[20000:21500]
    new = new[150000:170000] + new[:150000] + new[170000:]
    return old, bytes(new)


def main(out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    old, new = versions()
    (out / "old").write_bytes(old)
    (out / "new").write_bytes(new)
    subprocess.run(["bsdiff", out / "old", out / "new", out / "bsdiff40"], check=True)
    tuples, size = split((out / "bsdiff40").read_bytes())
    assert size == len(new) and apply(tuples, old) == new
    made = {"endsley": endsley(tuples, size)}
    for name, algorithms in {"none": (0, 0, 0), "bz2": (1, 1, 1), "brotli": (2, 2, 2), "mixed": (2, 0, 1)}.items():
        made["bsdf2-" + name] = bsdf2(tuples, size, algorithms)
    for name, patch in made.items():
        again = list(unendsley(patch) if name == "endsley" else unbsdf2(patch))
        assert apply(again, old) == new, name
        (out / name).write_bytes(patch)


if __name__ == "__main__":
    main(sys.argv[1])
