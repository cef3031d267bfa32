#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU and memory of applying a delta, against the tool that the format is from.

The pair is a library of this machine and the same after an update made here: words changed all over it, parts put in,
taken out and moved. Both make the target from files in the page cache; rounds alternate. CPU is user and system of the
process; ours hashes the target too, and checks what the tool does not."""
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile

from rows import BIN, RUNS, fail, goal, median

NAME = "delta"
APPLY = os.path.join(os.path.dirname(BIN), "bench", "delta_apply")
LIBRARY = "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"


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
    goal(NAME, what, f"{ratio:.2f}x ({median(a) * 1e3:.0f} ms of CPU against {median(b) * 1e3:.0f})", f"<= {wanted}x",
         ratio <= wanted)


def main():
    if not os.access(APPLY, os.X_OK):
        fail("no delta_apply")
    with tempfile.TemporaryDirectory(dir=".") as d:
        d = pathlib.Path(d).resolve()
        old = pathlib.Path(LIBRARY).read_bytes()
        new = update(old)
        (d / "old").write_bytes(old)
        (d / "new").write_bytes(new)
        subprocess.run(["bsdiff", d / "old", d / "new", d / "bsdiff"], check=True)
        versus(f"bsdiff, {len(new) >> 20} MiB, against bspatch", 1.2, [APPLY, "bsdiff", d / "bsdiff", d / "old"],
               ["bspatch", d / "old", d / "theirs", d / "bsdiff"], d, new)
        subprocess.run(["xdelta3", "-e", "-f", "-s", d / "old", d / "new", d / "xdelta3"], check=True)
        versus(f"vcdiff, {len(new) >> 20} MiB, against xdelta3", 1.2, [APPLY, "vcdiff", d / "xdelta3", d / "old"],
               ["xdelta3", "-d", "-f", "-s", d / "old", d / "xdelta3", d / "theirs"], d, new)


main()
