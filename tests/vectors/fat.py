#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""File systems by mkfs.fat and mtools, for the tests of their opener.

    fat.py DIRECTORY

DIRECTORY/tree      what is in each           DIRECTORY/list   "sha256 size path" of its files
DIRECTORY/fat12, fat16, fat32                 DIRECTORY/pieces a file in pieces, and what deleted ones left
DIRECTORY/tiny      three files in a few KiB: to be cut and flipped everywhere
"""
import os
import random
import shutil
import subprocess
import sys

import squashfs

MADE = 1700000000
KINDS = {"fat12": ("12", 1 << 20, 1), "fat16": ("16", 5 << 20, 2), "fat32": ("32", 34 << 20, 1)}


def quiet(*args):
    # All times are those of the environment; a short name is as it is typed.
    env = dict(os.environ, LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH=str(MADE), TZ="UTC", MTOOLS_SKIP_CHECK="1",
               PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    r = subprocess.run([str(a) for a in args], capture_output=True, env=env)
    if r.returncode:
        sys.exit(f"fat.py: failed: {args}\n{r.stdout.decode()}{r.stderr.decode()}")


def make(out, bits, size, cluster, *options):
    with open(out, "wb") as f:
        f.truncate(size)
    quiet("mkfs.fat", "-F", bits, "-s", cluster, "-i", "12345678", "--invariant", *options, out)


def fill(out, tree):
    """All of a tree, in the order of names."""
    for name in sorted(os.listdir(tree)):
        quiet("mcopy", "-s", "-m", "-i", out, os.path.join(tree, name), "::")


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.utime(path, (MADE, MADE))


def make_tree(tree):
    r = random.Random(1)
    shutil.rmtree(tree, ignore_errors=True)
    files = {
        "HOSTNAME.TXT": b"module\n", "lower.txt": b"lower\n", "etc/Mixed Case.conf": b"a=1\n", "etc/empty": b"",
        "etc/a name that is longer than one entry holds.configuration": b"long\n", "etc/Grüße €.txt": b"letters\n",
        "lib/random.bin": r.randbytes(300001), "lib/text": b"All work and no play. " * 9000,
        "lib/exact": r.randbytes(4096) * 4, "a/b/c/d/e": b"deep\n",
    }
    for path, data in files.items():
        write(os.path.join(tree, path), data)
    for i in range(60):
        write(os.path.join(tree, f"many/file-with-a-long-name-{i:03}.dat"), b"%d\n" % i)
    os.makedirs(os.path.join(tree, "EMPTY"))


def make_pieces(out):
    here = os.path.dirname(out)
    make(out, "12", 256 << 10, 1)
    for k in range(8):
        write(os.path.join(here, f"f{k}"), b"words of a file that was deleted " * 60)
        quiet("mcopy", "-m", "-i", out, os.path.join(here, f"f{k}"), "::")
    for k in (1, 3, 5):
        quiet("mdel", "-i", out, f"::f{k}")
    write(os.path.join(here, "pieces.bin"), random.Random(4).randbytes(9000))
    quiet("mcopy", "-m", "-i", out, os.path.join(here, "pieces.bin"), "::")


def make_tiny(out):
    here = os.path.dirname(out)
    write(os.path.join(here, "tiny-tree/a file.txt"), b"some words\n")
    write(os.path.join(here, "tiny-tree/D/B.BIN"), random.Random(2).randbytes(1500))
    write(os.path.join(here, "tiny-tree/C.TXT"), b"other words\n" * 100)
    make(out, "12", 48 << 10, 1, "-r", "16", "-f", "2", "-a")
    fill(out, os.path.join(here, "tiny-tree"))


def main(out):
    os.makedirs(out, exist_ok=True)
    tree = os.path.join(out, "tree")
    make_tree(tree)
    for name, (bits, size, cluster) in KINDS.items():
        make(os.path.join(out, name), bits, size, cluster)
        fill(os.path.join(out, name), tree)
    make_pieces(os.path.join(out, "pieces"))
    make_tiny(os.path.join(out, "tiny"))
    squashfs.write_list(tree, os.path.join(out, "list"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]))
