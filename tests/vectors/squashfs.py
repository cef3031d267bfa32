#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Squashfs file systems by both tools that Debian has, for the tests of the reader.

    squashfs.py DIRECTORY

DIRECTORY/tree            what was packed        DIRECTORY/list   "sha256 size path" of its files
DIRECTORY/<packer>.sqfs   by mksquashfs          DIRECTORY/plain.sqfs  nothing packed: for changing bytes
DIRECTORY/caps.sqfs       by tar2sqfs: with attributes, which need no root there
DIRECTORY/many.sqfs       5,000 files       DIRECTORY/deep.sqfs    70 folders in each other
"""
import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile

MADE = 1700000000
PACKERS = ["gzip", "xz", "zstd", "lz4", "lzma", "lzo"]
# cap_net_raw=ep, version 2
CAPS = bytes.fromhex("0100000200200000000000000000000000000000")


def quiet(*args, **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, env=dict(os.environ, LC_ALL="C"), **kw)
    if r.returncode:
        sys.exit(f"squashfs.py: failed: {args}\n{r.stdout.decode()}{r.stderr.decode()}")


def pack(tree, out, *options):
    quiet("mksquashfs", tree, out, "-quiet", "-no-progress", "-noappend", "-all-root", "-no-xattrs",
          "-processors", "1", "-mkfs-time", MADE, "-all-time", MADE, *options)


def write(tree, files):
    for path, data in files.items():
        path = os.path.join(tree, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)


def make_tree(tree):
    r = random.Random(1)
    write(tree, {
        "etc/hostname": b"module\n",
        "etc/empty": b"",
        "etc/rc.sh": b"#!/bin/sh\nexit 0\n",
        "lib/random": r.randbytes(300001),           # blocks that do not shrink, and a tail
        "lib/text": b"All work and no play. " * 20000,
        "lib/exact": r.randbytes(4096) * 64,         # two blocks of 128 KiB, no tail
        "lib/hole": bytes(1 << 20) + b"end",
        "a.b/x": b"sorts after a, before a/b\n",
        "a/b": b"in folder a\n",
    })
    os.chmod(os.path.join(tree, "etc/rc.sh"), 0o755)
    os.symlink("/etc/hostname", os.path.join(tree, "etc/link"))
    os.link(os.path.join(tree, "lib/text"), os.path.join(tree, "lib/text2"))
    os.makedirs(os.path.join(tree, "empty"))


def make_caps(out):
    """A tar archive with attributes, owners and devices, turned into squashfs."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as t:
        def add(name, data=b"", **kw):
            xattrs = kw.pop("xattrs", {})
            i = tarfile.TarInfo(name)
            i.size, i.mtime, i.mode = len(data), MADE, 0o644
            i.pax_headers = {"SCHILY.xattr." + k: v.decode("latin-1") for k, v in xattrs.items()}
            for k, v in kw.items():
                setattr(i, k, v)
            t.addfile(i, io.BytesIO(data))
        add("ping", b"ping program", mode=0o755, xattrs={"security.capability": CAPS})
        add("labelled", b"labelled", xattrs={"security.selinux": b"system_u:object_r:etc_t:s0\0", "user.note": b"x"})
        add("su", b"su program", mode=0o4755, uid=0, gid=7)
        add("disk", type=tarfile.BLKTYPE, devmajor=8, devminor=1)
        add("tty", type=tarfile.CHRTYPE, devmajor=4, devminor=300)
        add("queue", type=tarfile.FIFOTYPE)
        add("link", type=tarfile.SYMTYPE, linkname="../outside")
    quiet("tar2sqfs", "-q", "-f", "-c", "gzip", "-j", "1", out, input=tar.getvalue())


def write_list(tree, out):
    """Lines of sha256, size and path of each file: what part_rig_lists() reads."""
    with open(out, "w") as f:
        for top, _, files in sorted(os.walk(tree)):
            for path in (os.path.join(top, name) for name in files):
                if not os.path.islink(path):
                    with open(path, "rb") as g:
                        data = g.read()
                    f.write(f"{hashlib.sha256(data).hexdigest()} {len(data)} {os.path.relpath(path, tree)}\n")


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    tree = os.path.join(out, "tree")
    os.makedirs(tree)
    make_tree(tree)
    write_list(tree, os.path.join(out, "list"))
    for packer in PACKERS:
        pack(tree, os.path.join(out, packer + ".sqfs"), "-comp", packer)
    small = os.path.join(out, "small")
    write(small, {"aa": b"first", "ab": b"second", "d/e": b"deep", "f": b"#!/bin/sh\n" + b"word " * 1000})
    os.symlink("aa", os.path.join(small, "l"))
    os.chmod(os.path.join(small, "f"), 0o755)
    # Blocks of 4 KiB: f has one of its own and shares its end.
    pack(small, os.path.join(out, "plain.sqfs"), "-noI", "-noD", "-noF", "-noX", "-b", "4096", "-nopad")
    for packer in PACKERS[:-1]:
        pack(small, os.path.join(out, f"small-{packer}.sqfs"), "-comp", packer, "-b", "4096", "-nopad")
    make_caps(os.path.join(out, "caps.sqfs"))
    r = random.Random(2)
    many = os.path.join(out, "many")
    write(many, {f"usr/share/d{i % 83}/file{i}": r.randbytes(r.randrange(60)) * r.randrange(200) for i in range(5000)})
    pack(many, os.path.join(out, "many.sqfs"))
    shutil.rmtree(many)
    deep = os.path.join(out, "deep")
    write(deep, {"/".join(["d"] * 70) + "/end": b"end"})
    pack(deep, os.path.join(out, "deep.sqfs"), "-nopad")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: squashfs.py DIRECTORY")
    main(sys.argv[1])
