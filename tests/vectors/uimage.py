#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""U-Boot's older images, by mkimage, and with things changed in them.

    uimage.py DIRECTORY
"""
import gzip
import os
import struct
import subprocess
import sys
import tempfile
import zlib

KERNEL = b"kernel " * 500 + b"!"


def header(img, **change):
    """The header's own checksum is made to fit again."""
    h = bytearray(img[:64])
    for at, value in change.items():
        h[int(at[1:]):int(at[1:]) + len(value)] = value
    h[4:8] = bytes(4)
    h[4:8] = struct.pack(">I", zlib.crc32(bytes(h)))
    return bytes(h) + img[64:]


def data(img, new):
    return header(img[:64] + new, _12=struct.pack(">I", len(new)), _24=struct.pack(">I", zlib.crc32(new)))


def files(make):
    kernel = make("kernel", "none", "kernel")
    multi = make("multi", "none", "kernel:odd:script")
    yield "kernel", kernel
    yield "gzip", make("kernel", "gzip", "kernel.gz")
    yield "multi", multi
    yield "script", make("script", "none", "script")
    yield "ramdisk", make("ramdisk", "none", "kernel")
    yield "header-changed", kernel[:16] + b"\1" + kernel[17:]
    yield "data-changed", kernel[:100] + b"K" + kernel[101:]
    yield "cut", kernel[:-1]
    yield "trailing", kernel + b"trailing"
    yield "not-gzip", header(kernel, _31=b"\1")
    yield "name-hides", header(kernel, _60=b"hide")
    yield "multi-hides", data(multi, multi[64:] + b"hide")
    at = 64 + 16 + len(KERNEL)  # three sizes, the end of them, the first file
    yield "multi-fill", data(multi, multi[64:at] + b"x" + multi[at + 1:])
    yield "multi-long", data(multi, struct.pack(">I", 1 << 20) + multi[68:])
    yield "multi-endless", data(multi, struct.pack(">I", 1) * 8)
    yield "multi-many", data(multi, struct.pack(">I", 1) * 70 + bytes(4 + 4 * 70))


def main(out):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("kernel", KERNEL), ("odd", b"odd"), ("script", b"echo hello\n"), ("kernel.gz", gzip.compress(KERNEL, mtime=0))):
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content)

        def make(kind, packing, names):
            subprocess.run(["mkimage", "-A", "arm", "-O", "linux", "-T", kind, "-C", packing, "-a", "8000", "-e", "8000",
                            "-n", "Acme 7.1", "-d", names, "x"], cwd=folder, check=True, capture_output=True,
                           env=dict(os.environ, SOURCE_DATE_EPOCH="1767225600"))
            with open(os.path.join(folder, "x"), "rb") as f:
                return f.read()

        for name, content in files(make):
            with open(os.path.join(out, name), "wb") as f:
                f.write(content)


if __name__ == "__main__":
    main(sys.argv[1])
