#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU and memory of applying a delta, against the tool that the format is from.

The pairs are a library of this machine, and 16 MiB of libraries, and the same after an update made here: words changed all over it, parts put
in, taken out and moved. Both make the target from files in the page cache; rounds alternate. CPU is user and system of the
process; ours hashes the target too, and checks what the tool does not. Formats that no tool of Debian's applies are
held against bspatch on the same pair, as a measure of what a patch of that kind costs."""
import glob
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile

from rows import BIN, RUNS, SRC, fail, figure, goal, median

NAME = "delta"
APPLY = os.path.join(os.path.dirname(BIN), "bench", "delta_apply")
LIBRARY = "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"
SIZE = 16 << 20
sys.path.insert(0, os.path.join(SRC, "tests/vectors"))
import casync  # noqa: E402
import craudelta  # noqa: E402
from delta import bsdf2, endsley, split  # noqa: E402


def libraries():
    code = b""
    for f in sorted(glob.glob("/usr/lib/*/lib*.so.*"), key=os.path.getsize, reverse=True):
        if not os.path.islink(f) and len(code) < SIZE:
            with open(f, "rb") as lib:
                code += lib.read(4 << 20)
    return code[:SIZE]


def update(old):
    rng = random.Random(9)
    new = bytearray(old)
    for at in rng.sample(range(0, len(old) - 8, 8), len(old) // 400):
        new[at : at + 4] = struct.pack("<I", (struct.unpack("<I", new[at : at + 4])[0] + 0x2340) & 0xFFFFFFFF)
    for at in sorted(rng.sample(range(len(old)), 40), reverse=True):
        if at % 2:
            new[at:at] = rng.randbytes(900)
        else:
            del new[at : at + 700]
    cut = len(new) // 3
    return bytes(new[cut:] + new[:cut])


def cpu(*args):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(a) for a in args], capture_output=True)
    if done.returncode:
        fail(f"{args[0]}: {done.stderr.decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def versus(what, wanted, ours, theirs, d, new):
    """Rounds of both in turn; each must have made the very target."""
    a, b = [], []
    for _ in range(RUNS):
        a.append(cpu(*ours, d / "ours"))
        b.append(cpu(*theirs))
        if (d / "ours").read_bytes() != new or (d / "theirs").read_bytes() != new:
            fail(f"{what}: not the target")
    ratio = median(a) / median(b)
    text = f"{ratio:.2f}x ({median(a) * 1e3:.0f} ms of CPU against {median(b) * 1e3:.0f})"
    if wanted:
        goal(NAME, what, text, f"<= {wanted}x", ratio <= wanted)
    else:
        figure(NAME, what, text)


def against_tools(d, old, new):
    """d/old, d/new and d/bsdiff of the pair, and the two formats that Debian has tools for."""
    size = f"{len(new) >> 20} MiB"
    (d / "old").write_bytes(old)
    (d / "new").write_bytes(new)
    subprocess.run(["bsdiff", d / "old", d / "new", d / "bsdiff"], check=True)
    versus(f"bsdiff, {size}, against bspatch", 1.2, [APPLY, "bsdiff", d / "bsdiff", d / "old"],
           ["bspatch", d / "old", d / "theirs", d / "bsdiff"], d, new)
    for name, words in (("lzma", "packed by lzma"), ("none", "not packed")):
        subprocess.run(["xdelta3", "-e", "-f", "-S", name, "-s", d / "old", d / "new", d / name], check=True)
        versus(f"vcdiff, {words}, {size}, against xdelta3", 1.2, [APPLY, "vcdiff", d / name, d / "old"],
               ["xdelta3", "-d", "-f", "-s", d / "old", d / name, d / "theirs"], d, new)


def alone(d, old, new):
    """What no tool applies, on the pair that d holds."""
    size = f"{len(new) >> 20} MiB: no tool is packaged; against bspatch on BSDIFF40"
    tuples, target = split((d / "bsdiff").read_bytes())
    (d / "brotli").write_bytes(bsdf2(tuples, target, (2, 2, 2)))
    (d / "endsley").write_bytes(endsley(tuples, target))
    whole = [(0, len(new) // craudelta.BLOCK)]
    ops = [craudelta.operation(craudelta.BROTLI_BSDIFF, whole, (d / "brotli").read_bytes(), whole)]
    (d / "payload").write_bytes(craudelta.payload({"system": (old, new, ops)}))
    for form, name, words in (("bsdiff", "brotli", "BSDF2 by brotli"), ("bsdiff", "endsley", "ENDSLEY/BSDIFF43"),
                              ("android-payload", "payload", "android-payload of one BROTLI_BSDIFF")):
        versus(f"{words}, {size}", None, [APPLY, form, d / name, d / "old"],
               ["bspatch", d / "old", d / "theirs", d / "bsdiff"], d, new)
    figure(NAME, "imgdiff, detools, hdiffpatch", "not measured: no tool of Debian's makes or applies one")


def seeded(d, old):
    """What casync puts together from a seed: its chunks in another order, cut as its defaults are."""
    (d / "old").write_bytes(old)
    sh = lambda *args: subprocess.run(["casync", *args], check=True, capture_output=True, cwd=d)
    sh("make", "--store=x.castr", "old.caibx", "old")
    have = list(casync.chunks((d / "old.caibx").read_bytes()))
    have = have[len(have) // 2:-1] + have[:len(have) // 2] + have[-1:]
    new = b"".join(old[begin:end] for begin, end, _ in have)
    (d / "new").write_bytes(new)
    sh("make", "--store=x.castr", "new.caibx", "new")
    (d / "none.castr").mkdir()
    versus(f"casync, {len(new) >> 20} MiB of a seed's chunks, against casync extract", 1.2, [APPLY, "casync-index", d / "new.caibx", d / "old"],
           ["casync", "extract", f"--store={d}/none.castr", f"--seed={d}/old", "--seed-output=no", d / "new.caibx", d / "theirs"], d, new)


def main():
    if not os.access(APPLY, os.X_OK):
        fail("no delta_apply")
    with tempfile.TemporaryDirectory(dir=".") as d:
        d = pathlib.Path(d).resolve()
        old = pathlib.Path(LIBRARY).read_bytes()
        against_tools(d, old, update(old))
        old = libraries()
        new = (update(old) + bytes(SIZE))[:SIZE]
        against_tools(d, old, new)
        alone(d, old, new)
        seeded(d, old)


main()
