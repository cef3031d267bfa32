#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""File systems of flash memory by mtd-utils, for the tests of the change report's openers.

    flash.py DIRECTORY

DIRECTORY/tree             what was packed (devices and owners come from a table)
DIRECTORY/list             "sha256 size path" of its files
DIRECTORY/jffs2-<kind>     JFFS2 by mkfs.jffs2: none, zlib, rtime, lzo; big (big-endian), summed (with summaries)
DIRECTORY/small.jffs2      of a few files
DIRECTORY/ubifs-<packer>   UBIFS by mkfs.ubifs: none, lzo, zlib, zstd
DIRECTORY/ubi              by ubinize: a static volume, UBIFS, and one of noise
DIRECTORY/small.ubi        UBIFS of a few files in small erase blocks: for damage at every place
"""
import os
import random
import shutil
import subprocess
import sys

import squashfs

PATH = "/usr/sbin:/sbin:" + os.environ.get("PATH", "")
LEB = 15360  # of erase blocks of 16 KiB with a page of 512 bytes for either header
DEVICES = """/dev d 755 0 0 - - - - -
/dev/console c 600 0 5 5 1 - - -
/dev/mtdblock3 b 640 0 6 31 3 - - -
/dev/mtdblock300 b 640 0 6 31 300 - - -
/dev/queue p 644 0 0 - - - - -
/bin d 755 0 0 - - - - -
/bin/su f 4755 0 7 - - - - -
"""


def quiet(*args, **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, env=dict(os.environ, LC_ALL="C", PATH=PATH), **kw)
    if r.returncode:
        sys.exit(f"flash.py: failed: {args}\n{r.stdout.decode()}{r.stderr.decode()}")


def make_tree(tree):
    squashfs.make_tree(tree)
    squashfs.write(tree, {"bin/su": b"su program", "lib/sparse": b"start" + bytes(50000) + b"end"})
    os.utime(tree)


def ubifs(tree, out, packer, *options, leb=LEB, page=512, most=400):
    quiet("mkfs.ubifs", "-q", "-r", tree, "-m", page, "-e", leb, "-c", most, "-x", packer, "-o", out, *options)


JFFS2 = {"none": ["-m", "none"], "zlib": ["-x", "rtime", "-x", "lzo"], "rtime": ["-x", "zlib", "-x", "lzo"],
         "lzo": ["-X", "lzo", "-x", "zlib", "-x", "rtime"], "big": ["-b"]}


def jffs2(tree, out, *options):
    quiet("mkfs.jffs2", "-d", tree, "-o", out, "-e", "16KiB", "-U", *options)


def ubinize(out, volumes, block="16KiB", page=512, *options):
    """[(name, static, file)]"""
    with open(out + ".ini", "w") as f:
        for k, (name, static, path) in enumerate(volumes):
            f.write(f"[{k}]\nmode=ubi\nimage={path}\nvol_id={k}\nvol_type={'static' if static else 'dynamic'}\n"
                    f"vol_name={name}\nvol_size=8MiB\n")
    quiet("ubinize", "-Q", "7", "-o", out, "-p", block, "-m", page, "-s", page, *options, out + ".ini")
    os.unlink(out + ".ini")


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    tree, table = os.path.join(out, "tree"), os.path.join(out, "devices")
    os.makedirs(tree)
    make_tree(tree)
    squashfs.write_list(tree, os.path.join(out, "list"))
    with open(table, "w") as f:
        f.write(DEVICES)
    for packer in ("none", "lzo", "zlib", "zstd"):
        ubifs(tree, os.path.join(out, "ubifs-" + packer), packer, "-U", "-D", table)
    for kind, options in JFFS2.items():
        jffs2(tree, os.path.join(out, "jffs2-" + kind), "-D", table, "-p", *options)
    quiet("sumtool", "-i", os.path.join(out, "jffs2-zlib"), "-o", os.path.join(out, "jffs2-summed"), "-e", "16KiB", "-l", "-p")
    calibration, noise = os.path.join(out, "calibration"), os.path.join(out, "noise")
    r = random.Random(3)
    for path, data in ((calibration, b"calibration of the radio\n" * 900), (noise, r.randbytes(40000))):
        with open(path, "wb") as f:
            f.write(data)
    ubinize(os.path.join(out, "ubi"), [("calibration", True, calibration), ("rootfs", False, os.path.join(out, "ubifs-lzo")),
                                       ("noise", False, noise)])
    small = os.path.join(out, "small")
    squashfs.write(small, {"aa": b"first", "d/e": b"deep " * 900, "f": b"#!/bin/sh\n" + b"word " * 1000})
    os.symlink("aa", os.path.join(small, "l"))
    jffs2(small, os.path.join(out, "small.jffs2"))
    ubifs(small, os.path.join(out, "small.ubifs"), "lzo", "-j", "64KiB", "-l", "3", most=40)
    ubinize(os.path.join(out, "small.ubi"), [("small", False, os.path.join(out, "small.ubifs"))])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
