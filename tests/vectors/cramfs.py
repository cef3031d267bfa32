#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""File systems by mkfs.cramfs, of both byte orders, for the tests of their opener.

    cramfs.py DIRECTORY

DIRECTORY/tree      what is in each           DIRECTORY/list   "sha256 size path" of its files
DIRECTORY/little, big                         DIRECTORY/holes  zeros are not stored
DIRECTORY/boot      512 bytes in front        DIRECTORY/tiny   a few files: to be cut and flipped everywhere
"""
import os
import random
import shutil
import subprocess
import sys

import squashfs


def quiet(*args):
    env = dict(os.environ, LC_ALL="C", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    r = subprocess.run([str(a) for a in args], capture_output=True, env=env)
    if r.returncode:
        sys.exit(f"cramfs.py: failed: {args}\n{r.stdout.decode()}{r.stderr.decode()}")


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def make_tree(tree):
    r = random.Random(1)
    shutil.rmtree(tree, ignore_errors=True)
    files = {
        "etc/hostname": b"module\n", "etc/empty": b"", "lib/random": r.randbytes(300001),
        "lib/text": b"All work and no play. " * 20000, "lib/exact": r.randbytes(4096) * 4,
        "lib/hole": b"start" + bytes(100000) + b"end", "a/b/c/d": b"deep\n", "same": b"module\n",
    }
    for path, data in files.items():
        write(os.path.join(tree, path), data)
    write(os.path.join(tree, "bin/su"), b"#!/bin/sh\n", 0o4755)
    os.symlink("/etc/hostname", os.path.join(tree, "etc/link"))
    os.makedirs(os.path.join(tree, "void"))
    os.chmod(tree, 0o751)


def make_tiny(out):
    tree = out + "-tree"
    shutil.rmtree(tree, ignore_errors=True)
    write(os.path.join(tree, "a"), b"some words\n")
    write(os.path.join(tree, "d/b"), b"other words\n" * 800)
    write(os.path.join(tree, "c"), random.Random(2).randbytes(600))
    os.symlink("a", os.path.join(tree, "l"))
    quiet("mkfs.cramfs", "-N", "little", tree, out)


def main(out):
    os.makedirs(out, exist_ok=True)
    tree = os.path.join(out, "tree")
    make_tree(tree)
    for name, options in {"little": ["-N", "little"], "big": ["-N", "big"], "holes": ["-N", "big", "-z"], "boot": ["-N", "little", "-p"]}.items():
        quiet("mkfs.cramfs", *options, tree, os.path.join(out, name))
    make_tiny(os.path.join(out, "tiny"))
    squashfs.write_list(tree, os.path.join(out, "list"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]))
