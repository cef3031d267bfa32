#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""File systems by mke2fs and debugfs, of every generation, for the tests of their opener.

    ext4.py DIRECTORY

DIRECTORY/tree          what is in each       DIRECTORY/list   "sha256 size path" of its files
DIRECTORY/ext2-1k, ext2-4k, ext3, ext4, ext4-1k, ext4-small (inodes of 128 bytes), ext4-inline (data in inodes),
          ext4-meta (meta_bg and 32 bits), ext4-big (blocks of 32 KiB), ext4-old (revision 0)
DIRECTORY/rights        owners, modes, devices, attributes; written over by debugfs, so that it has a deleted file
DIRECTORY/tiny          three files, in a few KiB: to be cut and flipped everywhere; ext2. tiny4: the same as ext4
DIRECTORY/bad-loop      a folder in itself    DIRECTORY/bad-overlap  two files over the same blocks
DIRECTORY/bad-size      a file of a TiB       DIRECTORY/bad-bomb     blocks of pointers to themselves
DIRECTORY/index         a folder with an index, by e2fsck -D     DIRECTORY/dirty   its journal wants to be replayed
"""
import os
import random
import shutil
import struct
import subprocess
import sys

import squashfs

MADE = "1700000000"
UUID = "6d2d6f6e-6f2d-4d69-8a73-2d6f6e652d31"
CAPS = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw=ep, version 2
KINDS = {
    "ext2-1k": ["-t", "ext2", "-b", "1024"],
    "ext2-4k": ["-t", "ext2", "-b", "4096"],
    "ext3": ["-t", "ext3", "-b", "1024", "-J", "size=1"],
    "ext4": ["-t", "ext4", "-b", "4096", "-O", "^has_journal"],
    "ext4-1k": ["-t", "ext4", "-b", "1024", "-J", "size=1", "-g", "2048"],
    "ext4-small": ["-t", "ext4", "-b", "4096", "-I", "128", "-O", "^has_journal,^metadata_csum"],
    "ext4-inline": ["-t", "ext4", "-b", "4096", "-I", "256", "-O", "inline_data,^has_journal"],
    "ext4-meta": ["-t", "ext4", "-b", "1024", "-g", "1024", "-O", "meta_bg,^resize_inode,^64bit,^has_journal"],
    "ext4-big": ["-t", "ext4", "-b", "32768", "-O", "^has_journal,^resize_inode"],
    "ext4-old": ["-t", "ext2", "-b", "1024", "-r", "0", "-O", "none"],
}


def quiet(*args, ok=(0,), **kw):
    env = dict(os.environ, LC_ALL="C", E2FSPROGS_FAKE_TIME=MADE, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    r = subprocess.run([str(a) for a in args], capture_output=True, env=env, **kw)
    if r.returncode not in ok:
        sys.exit(f"ext4.py: failed: {args}\n{r.stdout.decode()}{r.stderr.decode()}")
    return r.stdout


def make(out, tree, *options, size="6M"):
    with open(out, "wb") as f:  # all of it: inline data is read back before the end was written
        f.truncate(int(size[:-1]) << (10 if size[-1] == "K" else 20))
    root = ["-d", tree] if tree else []
    quiet("mke2fs", "-q", "-F", "-U", UUID, "-E", f"hash_seed={UUID},root_owner=0:0,nodiscard", "-N", "512", "-m", "0", *options, *root,
          out, size)


def debugfs(image, *commands):
    quiet("debugfs", "-w", "-f", "/dev/stdin", image, input="\n".join(commands).encode() + b"\n")


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def make_tree(tree):
    r = random.Random(1)
    shutil.rmtree(tree, ignore_errors=True)
    files = {
        "etc/hostname": b"module\n", "etc/empty": b"", "etc/rc.sh": b"#!/bin/sh\nexit 0\n",
        "etc/sixty": b"x" * 60, "etc/more": b"y" * 100,  # in an inode, and in an attribute beside it
        "lib/random": r.randbytes(300001), "lib/text": b"All work and no play. " * 20000, "lib/exact": r.randbytes(4096) * 16,
        "lib/middle": r.randbytes(5000) + bytes(200000) + r.randbytes(5000),
        "a/b/c/d": b"deep\n", "a-b": b"sorts before a/b\n",
    }
    for path, data in files.items():
        write(os.path.join(tree, path), data)
    with open(os.path.join(tree, "lib/hole"), "wb") as f:
        f.seek(300000)
        f.write(b"end")
    for i in range(120):
        write(os.path.join(tree, f"many/file-with-a-name-that-takes-room-{i:03}"), b"%d\n" % i)
    os.chmod(os.path.join(tree, "etc/rc.sh"), 0o755)
    os.symlink("/etc/hostname", os.path.join(tree, "etc/link"))
    os.symlink("/" + "long/" * 30, os.path.join(tree, "etc/long-link"))
    os.makedirs(os.path.join(tree, "empty"))
    os.link(os.path.join(tree, "lib/text"), os.path.join(tree, "lib/text2"))


def make_rights(out):
    make(out, None, "-t", "ext4", "-b", "4096", "-O", "^has_journal")
    here = os.path.dirname(out)
    write(os.path.join(here, "caps.bin"), CAPS)
    write(os.path.join(here, "words"), b"words of a file that was deleted " * 200)
    debugfs(out, f"write {here}/words su", f"write {here}/words ping", f"write {here}/words labelled",
            "sif su mode 0104755", "sif su uid 70000", "sif su gid 7", f"ea_set -f {here}/caps.bin ping security.capability",
            "ea_set labelled security.selinux system_u:object_r:etc_t:s0",
            "ea_set labelled user.comment " + "x" * 300,
            "mknod disk b 8 1", "mknod tty c 204 300", "mknod pipe p", f"write {here}/words gone", "rm gone")


def make_index(out, tree):
    make(out, tree, "-t", "ext4", "-b", "1024", "-O", "^has_journal")
    quiet("e2fsck", "-fyD", out, ok=(0, 1))


def make_tiny(out):
    tree = os.path.join(out, "tiny-tree")
    shutil.rmtree(tree, ignore_errors=True)
    write(os.path.join(tree, "a"), b"some words\n")
    write(os.path.join(tree, "d/b"), random.Random(2).randbytes(15000))  # more than an inode has pointers for
    write(os.path.join(tree, "c"), b"other words\n" * 100)
    os.symlink("a", os.path.join(tree, "l"))
    make(os.path.join(out, "tiny"), tree, "-t", "ext2", "-b", "1024", "-N", "24", "-O", "^resize_inode", size="64K")
    make(os.path.join(out, "tiny4"), tree, "-t", "ext4", "-b", "1024", "-N", "24", "-I", "256", "-O",
         "^has_journal,^resize_inode,inline_data", size="64K")

    def bad(name, *commands):
        shutil.copyfile(os.path.join(out, "tiny"), os.path.join(out, name))
        debugfs(os.path.join(out, name), *commands)
    block = quiet("debugfs", "-R", "blocks c", os.path.join(out, "tiny")).split()
    bad("bad-loop", "ln d d/loop", "sif d links_count 4")
    bad("bad-overlap", f"sif a block[0] {int(block[0])}", "sif a size 1024")
    bad("bad-size", "sif a size 1099511627776")
    bad("bad-bomb", f"sif a block[TIND] {int(block[1])}", f"sif a block[DIND] {int(block[1])}", f"sif a block[IND] {int(block[1])}",
        "sif a size 17247252480")
    with open(os.path.join(out, "bad-bomb"), "r+b") as f:
        f.seek(int(block[1]) * 1024)
        f.write(struct.pack("<I", int(block[1])) * 256)


def main(out):
    os.makedirs(out, exist_ok=True)
    tree = os.path.join(out, "tree")
    make_tree(tree)
    for name, options in KINDS.items():
        make(os.path.join(out, name), tree, *options, size="7M" if name == "ext4-big" else "6M")
    make_tiny(out)
    make_rights(os.path.join(out, "rights"))
    make_index(os.path.join(out, "index"), tree)
    shutil.copyfile(os.path.join(out, "ext4-1k"), os.path.join(out, "dirty"))
    debugfs(os.path.join(out, "dirty"), "feature needs_recovery")
    squashfs.write_list(tree, os.path.join(out, "list"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]))
