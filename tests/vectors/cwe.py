#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sierra Wireless' images, good and bad, by the layout that Legato and libqmi publish: cwe.py DIRECTORY.

No tool that makes them is public, so nothing genuine stands beside these.
"""
import os
import struct
import sys
import zlib


def crc(data):
    """zlib's, without the last inversion: Legato's own test has ~0x7F34014E for 1A 2B 3C 4D 5E."""
    return zlib.crc32(data) ^ 0xFFFFFFFF


assert crc(bytes.fromhex("1a2b3c4d5e")) == ~0x7F34014E & 0xFFFFFFFF


def image(kind, body, own=bytes(256), product=b"9X30", version=b"SWI9X30C_02.24.05.06", date=b"06/20/17", options=0, revision=3, right=True,
          size=None, own_crc=None):
    head = own + struct.pack(">III", crc(own) if own_crc is None else own_crc, revision, 1) + kind + product
    head += struct.pack(">II", len(body) if size is None else size, crc(body) ^ (not right))
    head += version.ljust(84, b"\0") + date + struct.pack(">IB3xIIII", 1, options, 0, 0, 0, 1)
    assert len(head) == 400
    return head + body


ELF = b"\x7fELF\1\1\1" + bytes(100)
SBL, APPS = image(b"SBL1", b"loader " * 40), image(b"APPS", ELF)
BOOT = image(b"BOOT", SBL + image(b"QPAR", b"partitions"))


def cases():
    yield "one", image(b"APPS", b"words " * 50)
    yield "package", image(b"SPKG", BOOT + APPS)
    yield "two-packages", image(b"SPKG", BOOT) + image(b"FILE", b"carrier settings")
    yield "own-words", image(b"SPKG", APPS, own=bytes(range(256)))
    yield "empty", image(b"FILE", b"")
    yield "signed", image(b"SPKG", APPS, options=4)
    yield "signed-inside", image(b"SPKG", image(b"MODM", b"modem", options=4) + APPS)
    yield "delta", image(b"SPKG", image(b"SYST", b"patch", options=8))
    yield "encrypted", image(b"SYST", APPS, options=2)
    yield "packed", image(b"SYST", b"squeezed", options=1)
    # --- what is told
    yield "options", image(b"APPS", b"x", options=0x40)
    yield "changed", image(b"APPS", b"words")[:-1] + b"z"
    yield "changed-inside", image(b"SPKG", image(b"APPS", b"words", right=False))
    yield "cut", image(b"SPKG", BOOT + APPS)[:-1]
    yield "cut-inside", image(b"SPKG", image(b"APPS", b"words", size=6))
    yield "hidden", image(b"SPKG", APPS + b"hidden")
    yield "trailing", image(b"SPKG", APPS) + b"trailing"
    yield "deep", deep(9)
    yield "many", image(b"SPKG", image(b"FILE", b"") * 300)
    # --- what is none
    yield "own-changed", image(b"APPS", b"words", own_crc=1)
    yield "revision", image(b"APPS", b"words", revision=2)
    yield "type", image(b"ap\0s", b"words")


def deep(n):
    out = b"innermost"
    for _ in range(n):
        out = image(b"SPKG", out)
    return out


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for name, data in cases():
        with open(os.path.join(folder, name + ".cwe"), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
