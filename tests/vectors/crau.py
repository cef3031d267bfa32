#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Android payloads (CrAU, major version 2) from partitions, signed by openssl(1).

No package of Debian has update_engine's delta_generator, so the container is written here, field by field, after
update_metadata.proto; what is in it is packed by Python's bz2 and lzma and signed by openssl.

  crau.py seeds TESTS-DIRECTORY     remakes the seeds of fuzz_crau, with keys that are thrown away
"""
import bz2
import hashlib
import lzma
import os
import struct
import subprocess
import sys
import tempfile

BLOCK = 4096
CHUNK = 2 << 20
REPLACE, REPLACE_BZ, ZERO, REPLACE_XZ = 0, 1, 6, 8


def varint(v):
    out = bytearray()
    while v >= 0x80:
        out.append(v & 0x7F | 0x80)
        v >>= 7
    return bytes(out + bytes([v]))


def number(field, v):
    return varint(field << 3) + varint(v)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def operations(data, blobs):
    """One operation for each chunk, packed in whichever way is smallest, as the generator does."""
    out = b""
    for at in range(0, len(data), CHUNK):
        chunk = data[at:at + CHUNK]
        chunk += b"\0" * (-len(chunk) % BLOCK)
        extent = message(6, number(1, at // BLOCK) + number(2, len(chunk) // BLOCK))
        if not chunk.strip(b"\0"):
            out += message(8, number(1, ZERO) + extent)
            continue
        kind, packed = min(((REPLACE, chunk), (REPLACE_BZ, bz2.compress(chunk)),
                            (REPLACE_XZ, lzma.compress(chunk, check=lzma.CHECK_CRC32))), key=lambda k: len(k[1]))
        out += message(8, number(1, kind) + number(2, len(blobs)) + number(3, len(packed)) + extent +
                       message(8, hashlib.sha256(packed).digest()))
        blobs += packed
    return out


def sign(key, data):
    """The Signatures message over data; RSA PKCS#1 v1.5 or ECDSA padded with zeros, over SHA-256."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        sig = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, f.name], check=True,
                             capture_output=True).stdout
    size = len(sig) if len(sig) >= 256 else 72
    return message(1, message(2, sig + b"\0" * (size - len(sig))) + varint(3 << 3 | 5) + struct.pack("<I", len(sig)))


def payload(partitions, key=None, timestamp=1766000000):
    """The bytes of a full payload of {name: bytes}."""
    blobs = bytearray()
    manifest = number(3, BLOCK)
    for name, data in partitions.items():
        info = number(1, len(data)) + message(2, hashlib.sha256(data).digest())
        manifest += message(13, message(1, name.encode()) + message(7, info) + operations(data, blobs))
    manifest += number(12, 0) + number(14, timestamp)
    size = len(sign(key, b"")) if key else 0
    if key:
        manifest += number(4, len(blobs)) + number(5, size)
    head = b"CrAU" + struct.pack(">QQI", 2, len(manifest), size) + manifest
    if not key:
        return head + blobs
    return head + sign(key, head) + blobs + sign(key, head + blobs)


def seeds(tests):
    out = os.path.join(tests, "fuzz", "corpus", "crau")
    os.makedirs(out, exist_ok=True)
    small = {"boot": b"boot" * 1500 + b"\0" * 192, "system": b"\0" * BLOCK}
    with tempfile.TemporaryDirectory() as d:
        for name, args in (("rsa", ["-algorithm", "RSA"]), ("ec", ["-algorithm", "EC", "-pkeyopt",
                                                                     "ec_paramgen_curve:P-256"])):
            key = os.path.join(d, name)
            subprocess.run(["openssl", "genpkey", *args, "-out", key], check=True, capture_output=True)
            with open(os.path.join(out, name), "wb") as f:
                f.write(payload(small, key))
    with open(os.path.join(out, "unsigned"), "wb") as f:
        f.write(payload(small))
    # A delta: one block copied from the old partition (SOURCE_COPY), with the hash of what is read.
    info = number(1, BLOCK) + message(2, hashlib.sha256(bytes(BLOCK)).digest())
    block = number(1, 0) + number(2, 1)
    copy = number(1, 4) + message(4, block) + message(6, block) + message(9, hashlib.sha256(bytes(BLOCK)).digest())
    manifest = number(3, BLOCK) + message(13, message(1, b"boot") + message(6, info) + message(7, info) +
                                          message(8, copy)) + number(12, 6)
    with open(os.path.join(out, "delta"), "wb") as f:
        f.write(b"CrAU" + struct.pack(">QQI", 2, len(manifest), 0) + manifest)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "seeds":
        sys.exit(__doc__)
    seeds(sys.argv[2])
