#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of the largest process of an inspection of 1 GiB: alone, against another, and as the target of a delta.

The image is a squashfs of a GiB: libraries of this machine, over and over with other bytes in each, packed at the lowest
level; the other has every eighth file changed, one renamed, some gone. The target of a delta is in a memfd, which is the
command's and not counted; each stage is a process of its own."""
import glob
import os
import random
import subprocess
import tempfile

from rows import BIN, fail, figure, goal

NAME = "peak"
SIZE = 1 << 30
FILE = 4 << 20


def write(root, version):
    rng = random.Random(5)
    code = b"".join(open(f, "rb").read() for f in sorted(glob.glob("/usr/lib/*/lib*.so.*"), key=os.path.getsize)[-30:] if not os.path.islink(f))
    os.makedirs(os.path.join(root, "lib"))
    n, i = 0, 0
    while n < SIZE:
        at = rng.randrange(len(code) - FILE)
        # Half noise: two thirds of it stay when it is packed.
        data = bytearray(code[at:at + FILE // 2] + rng.randbytes(FILE // 2))
        if version and i % 8 == 0:
            data[1000:1040] = b"another version of something, as it were"
        if not (version and i % 50 == 49):
            name = f"moved{i}" if version and i == 3 else f"lib{i}.so"
            with open(os.path.join(root, "lib", name), "wb") as f:
                f.write(data)
        n += len(data)
        i += 1


def pack(d, version):
    root, out = os.path.join(d, f"tree{version}"), os.path.join(d, f"{version}.sqfs")
    write(root, version)
    subprocess.run(["mksquashfs", root, out, "-noappend", "-quiet", "-no-progress", "-noD", "-noF", "-noX"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["rm", "-rf", root], check=True)
    return out


def largest(*options):
    """MiB and seconds of its largest process, through time(1): a child of ours begins with our own size."""
    with tempfile.NamedTemporaryFile(dir=".") as f:
        command = [os.path.join(BIN, "fotagate"), "inspect", "--json", *options]
        r = subprocess.run(["time", "-q", "-f", "%M %e", "-o", f.name, *command], capture_output=True)
        if r.returncode not in (0, 1):
            fail(f"{r.returncode}: {r.stderr.decode()}")
        kib, seconds = f.read().split()[-2:]
        return int(kib) / 1024, float(seconds)


def main():
    with tempfile.TemporaryDirectory(dir=".") as d:
        d = os.path.abspath(d)
        old, new = pack(d, 0), pack(d, 1)
        patch = os.path.join(d, "patch")
        subprocess.run(["xdelta3", "-e", "-S", "none", "-1", "-B", str(1 << 30), "-s", old, new, patch], check=True)
        for what, options in (("alone", [new]), ("against the one before", ["--against", old, new]), ("as a VCDIFF patch of it", ["--base", old, patch])):
            mib, seconds = largest(*options)
            goal(NAME, f"an image of {os.path.getsize(new) >> 20} MiB {what}: largest process", f"{mib:.0f} MiB", "at most 256 MiB", mib <= 256)
            figure(NAME, "the same: time", f"{seconds:.1f} s")


main()
