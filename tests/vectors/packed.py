#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Single compressed streams, good and bad, by gzip, xz, zstd and bzip2.

    packed.py DIRECTORY
"""
import io
import os
import subprocess
import sys
import tarfile

PLAIN = b"firmware of a modem host\n" * 4000
TOOLS = {"gzip": ["gzip", "-nc"], "xz": ["xz", "-c"], "zstd": ["zstd", "-qc"], "bzip2": ["bzip2", "-c"], "lzma": ["xz", "--format=lzma", "-c"]}


def pack(tool, data=PLAIN):
    return subprocess.run(TOOLS[tool], input=data, capture_output=True, check=True).stdout


def tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name in ("boot", "root"):
            info = tarfile.TarInfo(name)
            info.size = len(PLAIN)
            t.addfile(info, io.BytesIO(PLAIN))
    return out.getvalue()


def gzip_with(flags, more):
    stream = pack("gzip")
    return stream[:3] + bytes([flags]) + stream[4:10] + more + stream[10:]


def files():
    for tool in TOOLS:
        good = pack(tool)
        yield tool, good
        yield tool + "-tar", pack(tool, tar())
        yield tool + "-padded", good + bytes(512)
        yield tool + "-twice", good + pack(tool, b"and more\n")
        yield tool + "-trailing", good + b"trailing"
        yield tool + "-cut", good[:-9]
        yield tool + "-damaged", good[:len(good) // 2] + b"\x55" + good[len(good) // 2 + 1:]
    yield "gzip-twofold", pack("gzip", pack("xz", tar()))
    yield "gzip-named", gzip_with(8, b"rootfs.img\0")
    yield "gzip-comment", gzip_with(16, b"made on a Monday\0")
    yield "gzip-signify", gzip_with(16, b"untrusted comment: signed\nRWQ\0")
    yield "gzip-extra", gzip_with(4, b"\4\0extr")
    yield "bomb", pack("gzip", bytes(40 << 20))


def main(out):
    for name, data in files():
        with open(os.path.join(out, name), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
