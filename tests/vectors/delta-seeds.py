#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds of fuzz_delta_*: delta-seeds.py CORPUS. One byte (length of the base in 32 bytes), the base, the patch."""
import pathlib
import subprocess
import sys
import tempfile

from delta import bsdf2, endsley, split


def text(n):
    return b"".join(b"line %d of the firmware\n" % (i * i) for i in range(n))


def main(corpus):
    old = text(60)
    new = old[300:900] + b"something new " * 3 + old[:700].replace(b"firm", b"Firm")
    old = old[: len(old) // 32 * 32]
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        (d / "old").write_bytes(old)
        (d / "new").write_bytes(new)
        subprocess.run(["bsdiff", d / "old", d / "new", d / "patch"], check=True)
        classic = (d / "patch").read_bytes()
    tuples, size = split(classic)
    seeds = {
        "bsdiff40": classic,
        "endsley": endsley(tuples, size),
        "none": bsdf2(tuples, size, (0, 0, 0)),
        "mixed": bsdf2(tuples, size, (2, 1, 0)),
        "back": bsdf2([(10, 0, -2147483658, bytes(10), b""), (size - 10, 0, 0, bytes(size - 10), b"")], size, (0, 0, 0)),
    }
    out = pathlib.Path(corpus) / "delta_bsdiff"
    out.mkdir(exist_ok=True)
    for name, patch in seeds.items():
        (out / name).write_bytes(bytes([len(old) // 32]) + old + patch)


main(sys.argv[1])
