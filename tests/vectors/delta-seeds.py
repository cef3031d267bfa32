#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds of fuzz_delta_*: delta-seeds.py CORPUS. One byte (length of the base in 32 bytes), the base, the patch."""
import bz2
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

import casync
import craudelta
import zchunk
from delta import bsdf2, endsley, split


def text(n):
    return b"".join(b"line %d of the firmware\n" % (i * i) for i in range(n))


def raw_deflate(data, level):
    z = zlib.compressobj(level, 8, -15, 8, 0)
    return z.compress(data) + z.flush()


def imgdiff():
    """A base with a deflate stream in it, and a patch of a normal, a deflate and a raw chunk."""
    inner, new_inner = text(40), text(40).replace(b"line", b"LINE")
    stream = raw_deflate(inner, 6)
    old = text(20)[:400] + stream
    old += bytes(-len(old) % 32)
    head, change = text(20)[:400], bytes((a - b) & 255 for a, b in zip(new_inner, inner))
    patches = [bsdf2([(400, 0, 0, bytes(400), b"")], 400, (0, 0, 0)),
               bsdf2([(len(inner), 0, 0, change, b"")], len(inner), (1, 1, 1))]
    at = 12 + 28 + 64 + 8 + 5
    chunks = struct.pack("<iqqq", 0, 0, 400, at)
    chunks += struct.pack("<iqqqqqiiiii", 2, 400, len(stream), at + len(patches[0]), len(inner), len(inner), 9, 8, -15, 8, 0)
    chunks += struct.pack("<ii", 3, 5) + b"hello"
    assert head == old[:400]
    return old, b"IMGDIFF2" + struct.pack("<i", 3) + chunks + b"".join(patches)


def payloads():
    """Old partition and payload, in blocks of 512 bytes: one of an operation of each kind, one of two partitions in archives."""
    craudelta.BLOCK = block = 512
    old = text(200)[:10 * block]
    new = old[3 * block:5 * block] + old[:2 * block].replace(b"firm", b"Firm") + bytes(block) + text(30)[:block] + old[:block] * 2
    new += (b"w" * 2 * block) + bytes(block)
    ops = [craudelta.operation(craudelta.SOURCE_COPY, [(0, 2)], None, [(3, 2)]),
           craudelta.patched(craudelta.SOURCE_BSDIFF, old, new, [(0, 2)], [(2, 2)]), craudelta.operation(craudelta.ZERO, [(4, 1)]),
           craudelta.operation(craudelta.REPLACE, [(5, 1)], new[5 * block:6 * block]),
           craudelta.patched(craudelta.BROTLI_BSDIFF, old, new, [(0, 1)], [(6, 2)]),
           craudelta.operation(craudelta.REPLACE_BZ, [(8, 2)], bz2.compress(new[8 * block:10 * block])),
           craudelta.operation(craudelta.REPLACE_XZ, [(10, 1)], craudelta.xz(new[10 * block:]))]
    one = craudelta.payload({"system": (old, new, ops)}, block=block)
    yield "one", old, one
    boot = b"boot" * 128
    two = craudelta.payload({"boot": (None, boot, [craudelta.operation(craudelta.REPLACE, [(0, 1)], boot)]), "system": (old, new, ops)}, block=block)
    yield "two", craudelta.archive({"system": old}), two


def chunked(d):
    """zck's files of two texts, the header of the second alone, and a base that is none."""
    both = []
    for name, data in (("a", text(90)), ("b", text(90).replace(b"line 4", b"LINE 4"))):
        (d / name).write_bytes(data)
        subprocess.run(["zck", "--compression-format=none", "-m", "-s", "line 1", "-o", name + ".zck", name], cwd=d, check=True, capture_output=True)
        both.append((d / (name + ".zck")).read_bytes())
    old, new = both
    old += bytes(-len(old) % 32)
    yield "whole", old, new
    yield "head", old, old[:len(old) - len(zchunk.File(old).data)]
    yield "alone", b"", new


def indexed(d):
    """casync's index of a text, over the text with its parts the other way round, over another, and over nothing."""
    new = text(120)
    new = new[:len(new) // 32 * 32]
    (d / "blob").write_bytes(new)
    casync.make(str(d), "blob.caibx", "blob", "--chunk-size=256:512:1024")
    index = (d / "blob.caibx").read_bytes()
    have = list(casync.chunks(index))
    old = b"".join(new[begin:end] for begin, end, _ in have[3:-1] + have[:3] + have[-1:])
    for name, base in (("moved", old), ("edited", new.replace(b"line 4", b"LINE 4")), ("alone", b"")):
        yield name, base, index
    casync.make(str(d), "fixed.caibx", "blob", "--chunk-size=256:256:256", "--digest=sha256")
    yield "fixed", new, (d / "fixed.caibx").read_bytes()


def main(corpus):
    out = pathlib.Path(corpus) / "delta_crau"
    out.mkdir(exist_ok=True)
    for name, base, patch in payloads():
        (out / name).write_bytes(bytes([len(base) // 32]) + base + patch)
    old = text(60)
    new = old[300:900] + b"something new " * 3 + old[:700].replace(b"firm", b"Firm")
    old = old[: len(old) // 32 * 32]
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        (d / "old").write_bytes(old)
        (d / "new").write_bytes(new)
        subprocess.run(["bsdiff", d / "old", d / "new", d / "patch"], check=True)
        classic = (d / "patch").read_bytes()
        for kind, seeds in (("delta_zchunk", chunked(d)), ("delta_casync", indexed(d))):
            out = pathlib.Path(corpus) / kind
            out.mkdir(exist_ok=True)
            for name, base, patch in seeds:
                (out / name).write_bytes(bytes([len(base) // 32]) + base + patch)
    tuples, size = split(classic)
    seeds = {
        "bsdiff40": classic,
        "endsley": endsley(tuples, size),
        "none": bsdf2(tuples, size, (0, 0, 0)),
        "mixed": bsdf2(tuples, size, (2, 1, 0)),
        "back": bsdf2([(10, 0, -2147483658, bytes(10), b""), (size - 10, 0, 0, bytes(size - 10), b"")], size, (0, 0, 0)),
    }
    out = pathlib.Path(corpus) / "delta_imgdiff"
    out.mkdir(exist_ok=True)
    base, patch = imgdiff()
    (out / "three").write_bytes(bytes([len(base) // 32]) + base + patch)
    (out / "none").write_bytes(b"\0IMGDIFF2\0\0\0\0")
    out = pathlib.Path(corpus) / "delta_bsdiff"
    out.mkdir(exist_ok=True)
    for name, patch in seeds.items():
        (out / name).write_bytes(bytes([len(old) // 32]) + old + patch)


main(sys.argv[1])
