#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Deltas that we make, against bsdiff and xdelta3: their size, and what they cost.

The pair is 24 MiB of this machine's libraries and the same after an update: addresses that moved, bytes put in and taken
out, the first file at the end. CPU is user and system of all processes of a command, rounds alternate; ours,
`fotagate delta make`, includes applying back, and both of its inspectors in their jail."""
import glob
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile

from rows import BIN, RUNS, fail, figure, goal, median

NAME = "mkdelta"
SIZE = 24 << 20


def cpu(command):
    """CPU seconds of a command and what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    r = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if r.returncode:
        fail(f"{command[0]}: {r.stderr.decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def memory(command):
    """MiB of the largest process of a command; asked by a process that is small itself, since a child starts as its parent."""
    asks = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    r = subprocess.run([sys.executable, "-c", asks, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode:
        fail(f"{command[0]}: {r.stderr.decode()}")
    return int(r.stdout) / 1024


def pair():
    rng = random.Random(9)
    parts, n = [], 0
    for f in sorted(glob.glob("/usr/lib/*/lib*.so.*"), key=os.path.getsize, reverse=True):
        if not os.path.islink(f) and n <= SIZE:
            with open(f, "rb") as lib:
                parts.append(bytearray(lib.read(6 << 20)))
            n += len(parts[-1])
    old = b"".join(parts)[:SIZE]
    for p in parts:
        for at in rng.sample(range(0, len(p) - 4, 4), len(p) // 4000):
            p[at:at + 4] = struct.pack("<I", (struct.unpack("<I", p[at:at + 4])[0] + 0x140) & 0xffffffff)
        for _ in range(4):
            at = rng.randrange(len(p))
            p[at:at] = p[at // 2:at // 2 + rng.randrange(2000)][::-1]
            at = rng.randrange(len(p))
            del p[at:at + rng.randrange(2000)]
    parts.append(parts.pop(0))
    for name, data in (("old", old), ("new", b"".join(parts)[:SIZE])):
        with open(name, "wb") as f:
            f.write(data)


def make(form, base, out):
    return [os.path.join(BIN, "fotagate"), "delta", "make", "--from", base, "--to", "new", "--format", form, "--output", out]


def main():
    with tempfile.TemporaryDirectory(dir=".") as d:
        os.chdir(d)
        pair()
        for form, name, tool in (("bsdiff40", "bsdiff", ["bsdiff", "old", "new", "theirs"]),
                                 ("vcdiff", "xdelta3 -S none",
                                  ["xdelta3", "-e", "-f", "-S", "none", "-s", "old", "new", "theirs"])):
            ours, theirs = [], []
            for i in range(RUNS):
                ours.append(cpu(make(form, "old", f"{form}-{i}")))
                theirs.append(cpu(tool))
            figure(NAME, f"{form} of 24 MiB made and applied back, CPU against {name}, which only makes",
                   f"{median(ours) / median(theirs):.2f} x ({median(ours):.2f} s, {median(theirs):.2f} s)")
            size = os.path.getsize(form + "-0") / os.path.getsize("theirs")
            goal(NAME, f"{form} of 24 MiB, size against {name}", f"{size:.3f} x", "<= 1.05 x", size <= 1.05)
        with open("old", "rb") as f:
            piece = f.read() + random.Random(1).randbytes(8 << 20)
        for form, n in (("bsdiff40", 32 << 20), ("vcdiff", 128 << 20)):
            with open("big", "wb") as f:
                for at in range(0, n, len(piece)):
                    f.write(piece[:n - at])
            peak = memory(make(form, "big", form + "-big"))
            goal(NAME, f"{form} of its largest base, {n >> 20} MiB, peak memory", f"{peak:.0f} MiB", "<= 256 MiB", peak <= 256)


main()
