#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds of fuzz_parts and fuzz_account: a little of each form.

    part-seeds.py CORPUS        writes CORPUS/parts and CORPUS/account
"""
import bz2
import gzip
import io
import lzma
import os
import struct
import sys
import tempfile
import zipfile

import android
import cab
import flash
import pairs

FILES = {"etc/passwd": (0o644, b"root:x:0:0\n"), "bin/su": (0o4755, b"\x7fELF program"), "bin/sh": (None, "su"),
         "a.txt": (0o644, b"some words\n" * 20)}
CHANGED = dict(FILES, **{"a.txt": (0o644, b"some other words\n" * 20), "new": (0o644, b"http://203.0.113.77/\n")})


def zipped(files):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        for name, (_, data) in files.items():
            z.writestr(zipfile.ZipInfo(name, (2023, 1, 1, 0, 0, 0)), data)
    return b.getvalue()


def tar(files):
    return pairs.tar(files)[:1024 * len(files) + 1024]


def cabinet(files):
    return cab.cabinet(*((name, data) for name, (mode, data) in files.items() if mode))


def squashfs(files):
    with tempfile.TemporaryDirectory() as t:
        pairs.write_tree(files, t + "/tree")
        pairs.squashfs(t + "/tree", t + "/fs", "-nopad")
        with open(t + "/fs", "rb") as f:
            return f.read()


def ext(files, kind, *options):
    with tempfile.TemporaryDirectory() as t:
        pairs.write_tree(files, t + "/tree")
        pairs.ext(t + "/tree", t + "/fs", kind, *options, size=64 << 10)
        with open(t + "/fs", "rb") as f:
            return f.read()


def jffs2(files):
    with tempfile.TemporaryDirectory() as t:
        pairs.write_tree(files, t + "/tree")
        flash.jffs2(t + "/tree", t + "/fs", "-f")
        with open(t + "/fs", "rb") as f:
            return f.read()


def ubi(content):
    with tempfile.TemporaryDirectory() as t:
        with open(t + "/words", "wb") as f:
            f.write(content)
        flash.ubinize(t + "/fs", [("words", True, t + "/words")], "4KiB", 512)
        with open(t + "/fs", "rb") as f:
            return f.read()


def ubifs(files):
    with tempfile.TemporaryDirectory() as t:
        pairs.write_tree(files, t + "/tree")
        flash.ubifs(t + "/tree", t + "/fs", "lzo", "-j", "64KiB", "-l", "3", most=40)
        with open(t + "/fs", "rb") as f:
            return f.read()


def fat(files):
    with tempfile.TemporaryDirectory() as t:
        pairs.fat(files, t + "/fs", 64 << 10)
        with open(t + "/fs", "rb") as f:
            return f.read()


def cramfs(files, order):
    with tempfile.TemporaryDirectory() as t:
        pairs.write_tree(files, t + "/tree")
        pairs.cramfs(t + "/tree", t + "/fs", order)
        with open(t + "/fs", "rb") as f:
            return f.read()


def sparse(data):
    """Bytes as blocks of 512, a run, a hole."""
    n = len(data) // 512
    head = struct.pack("<IHHHHIIII", 0xed26ff3a, 1, 0, 28, 12, 512, n + 3, 3, 0)
    return head + struct.pack("<HHII", 0xcac1, 0, n, 12 + n * 512) + data[:n * 512] + \
        struct.pack("<HHIII", 0xcac2, 0, 2, 16, 7) + struct.pack("<HHII", 0xcac3, 0, 1, 12)


def mbr(content):
    b = bytearray(512 * 12)
    b[446:462] = struct.pack("<B3sB3sII", 0, b"", 0x83, b"", 2, 4)
    b[510:512] = b"\x55\xaa"
    b[1024:1024 + len(content)] = content
    return bytes(b)


def main(out):
    packed, elf = pairs.cpio(FILES), pairs.elf(1, 256, ["words"])
    boot = pairs.uimage(gzip.compress(b"kernel " * 50, mtime=0), "k")
    row = boot + b"\xff" * 5000 + elf + tar(FILES) + bytes(100) + zipped(FILES) + b"tail"
    words = b"words in a text " * 20
    parts = {
        "tar": tar(FILES), "cpio": packed, "cpio.gz": gzip.compress(packed, mtime=0), "zip": zipped(FILES),
        "deb": pairs.deb(FILES, "1"), "elf": elf, "uimage": boot, "bz2": bz2.compress(b"a" * 300),
        "gzip-comment": b"\x1f\x8b\x08\x10\0\0\0\0\0\3words\0" + gzip.compress(b"x", mtime=0)[10:],
        "xz": lzma.compress(b"a" * 300), "lzma": lzma.compress(b"a" * 300, format=lzma.FORMAT_ALONE),
        "ext2": ext(dict(FILES, big=(0o644, words * 50)), "ext2", "-O", "^resize_inode"),
        "ext4": ext(FILES, "ext4", "-I", "256", "-O", "^has_journal,^resize_inode,inline_data"),
        "fat": fat(dict(FILES, **{"etc/a name with blanks.conf": (0o644, b"a=1\n")})),
        "cramfs": cramfs(FILES, "little"), "cramfs-big": cramfs(FILES, "big"),
        "jffs2": jffs2(FILES), "ubi": ubi(words * 20), "ubifs": ubifs(FILES), "cab": cabinet(FILES),
        "boot": android.boot4(b"kernel", b"", b""), "sparse": sparse(tar(FILES)),
        "row": row, "mbr": mbr(elf), "squashfs": squashfs(FILES),
    }
    account = {
        "tar": (tar(FILES), tar(CHANGED)), "zip": (zipped(FILES), zipped(CHANGED)), "same": (boot, boot),
        "cpio.gz": (gzip.compress(packed, mtime=0), gzip.compress(pairs.cpio(CHANGED), mtime=0)),
        "elf": (elf, pairs.elf(1, 256, ["other words", "more"])), "to-row": (elf, row[:9000]),
        "raw": (words * 2, words + b"inserted" + words),
    }
    for folder, seeds in [("parts", parts), ("account", {k: struct.pack("<H", len(a)) + a + b for k, (a, b) in account.items()})]:
        os.makedirs(os.path.join(out, folder), exist_ok=True)
        for name, data in seeds.items():
            with open(os.path.join(out, folder, name), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
